"""How far to go from the old weights to the new ones: what few images taught is best taken in part.

WiSE-FT (Wortsman et al. 2022) mixes the weights themselves. Automatic regions count as much as the
answers to points, since a model is wanted for both, and the one can gain where the other loses.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from samclr_core.jobs import Progress
from samclr_core.progress import counted
from samclr_core.regions.automatic.segmenter import Segmenter
from samclr_core.regions.tuning import scale
from samclr_core.regions.tuning.examples import Example
from samclr_core.regions.tuning.scores import point_score, region_score
from samclr_core.workspace import Workspace

State = dict[str, Tensor]
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)


def looks(examples: Sequence[Example]) -> int:
    """How many steps :func:`go` reports."""
    return len(SHARES) * len(examples)


def go(
    workspace: Workspace,
    segmenter: Segmenter,
    start: State,
    best: State,
    examples: Sequence[Example],
    seed: int,
    progress: Progress,
) -> float:
    """Move the mask decoder as far from ``start`` to ``best`` as ``examples`` like most.

    Everywhere but at the start it is held to the start's scale (:mod:`.scale`).

    Returns:
        The share of the way, 0 where nothing is gained.

    Raises:
        Cancelled: the person asked to stop.
    """
    decoder = segmenter.model.mask_decoder
    decoder.load_state_dict(start)
    own_scale = scale.answers(workspace, segmenter, examples)
    found: dict[float, tuple[float, State]] = {}
    for number, share in enumerate(SHARES):
        decoder.load_state_dict({n: torch.lerp(start[n], best[n], share) for n in start})
        if share:
            answers = scale.answers(workspace, segmenter, examples)
            scale.keep(segmenter.model, own_scale, answers, segmenter.config)
        told = counted(progress, number * len(examples), looks(examples))
        regions = region_score(workspace, segmenter, examples, told)
        points = point_score(workspace, segmenter, examples, seed)
        state = {n: tensor.clone() for n, tensor in decoder.state_dict().items()}
        found[share] = (regions + points) / 2, state
    # Of equal ones the first, so that a way that gains nothing is not gone.
    way = max(SHARES, key=lambda share: found[share][0])
    decoder.load_state_dict(found[way][1])
    return way
