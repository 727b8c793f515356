"""Before and after: the same questions to both models, on images that neither has learned from."""

from collections.abc import Sequence

from samclr_core.images.store import load
from samclr_core.jobs import Progress, silent
from samclr_core.regions import store
from samclr_core.regions.automatic.segmenter import Segmenter
from samclr_core.regions.region import RegionSet
from samclr_core.regions.sam.embeddings import embedding
from samclr_core.regions.tuning.examples import Example
from samclr_core.regions.tuning.prompts import KINDS
from samclr_core.regions.tuning.report import Figures
from samclr_core.regions.tuning.scores import TO_JUDGE, best_ious, prompted
from samclr_core.workspace import Workspace


def judge(
    workspace: Workspace,
    segmenter: Segmenter,
    examples: Sequence[Example],
    seed: int,
    progress: Progress = silent,
) -> Figures:
    """The measures of ``report.MEASURES`` for every example; its automatic regions are kept.

    Raises:
        Cancelled: the person asked to stop.
    """
    found: Figures = {}
    for number, example in enumerate(examples):
        progress(number, len(examples))
        values: dict[str, float] = {}
        for kind in KINDS:
            values |= prompted(workspace, segmenter, example, kind, TO_JUDGE, seed)
        best = best_ious(example, _regions(workspace, segmenter, example.image_id))
        values["regions"] = float(best.mean())
        values["recall50"] = float((best >= 0.5).mean())
        values["recall75"] = float((best >= 0.75).mean())
        found[example.image_id] = values
    return found


def _regions(workspace: Workspace, segmenter: Segmenter, image_id: str) -> RegionSet:
    kept = store.read(workspace, image_id, segmenter.config)
    if kept:
        return kept
    known = embedding(workspace, image_id, segmenter)
    made = segmenter.segment(load(workspace, image_id), image_id, embedding=known)
    store.write(workspace, segmenter.config, made)
    return made
