"""What a start is worth when labels may change it: the whole network trained on the train split.

The linear probe asks what the features know; this asks where a factory that has labels ends. The
same short recipe for every start, so that only the start differs; from random weights it is plain
supervised learning. Nothing of the recipe was chosen on the data that it is judged by.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from samclr_core.cache import digest, remembered
from samclr_core.device import device_of
from samclr_core.evaluation import features
from samclr_core.evaluation.samples import Prepared
from samclr_core.evaluation.split import Split
from samclr_core.jobs import Progress, silent
from samclr_core.training import runs
from samclr_core.training.runs import Run
from samclr_core.workspace import Workspace

if TYPE_CHECKING:
    from torch import Tensor, nn

    from samclr_core.training.backbones import Backbone

BATCH = 64
LEAST_STEPS = 400
RATE = 1e-3
# Of the backbone's rate, where its weights know something already; the training's own share.
TRAINED_SHARE = 0.1
WEIGHT_DECAY = 1e-2
WARMUP = 0.1
LEAST_CROP = 0.4

Start = Callable[[], "Backbone"]


def starts(workspace: Workspace, run: Run) -> dict[str, tuple[Start, float]]:
    """What to train from, by method, and the backbone's share of the rate.

    ``run``, ``twin`` where there is one, ``start`` where that was pretrained, and ``scratch``: the
    same network from random weights.
    """
    config = run.config
    found: dict[str, tuple[Start, float]] = {"run": (lambda: runs.load_encoder(run), TRAINED_SHARE)}
    if twin := run.twin(workspace):
        found["twin"] = (lambda: runs.load_encoder(twin), TRAINED_SHARE)
    if config.pretrained:
        found["start"] = (lambda: runs.start_encoder(run), TRAINED_SHARE)
    found["scratch"] = (lambda: _random(run), 1.0)
    return found


def _random(run: Run) -> "Backbone":
    from samclr_core.training import backbones

    return backbones.start(run.config.model_copy(update={"weights": "random", "freeze_stages": 0}))


def fine_tuned(
    workspace: Workspace,
    start: Start,
    share: float,
    prepared: Prepared,
    split: Split,
    progress: Progress = silent,
) -> np.ndarray:
    """The classes that the network gives the test images once the train split has taught it.

    AdamW, one cycle, random crops and flips; at least :data:`LEAST_STEPS` steps of :data:`BATCH`
    images and at least one pass. Repeatable on a CPU.

    Args:
        workspace: its cache remembers the answers.
        start: makes the backbone that is trained.
        share: of the learning rate, for the backbone.
        prepared: all images, at one size.
        split: which of them teach, and which are asked about.
        progress: told of the steps.

    Returns:
        int64 [n_test], in the order of ``split.test``.

    Raises:
        Cancelled: as ``progress`` asks.
    """
    backbone = start()
    key = digest(
        features.weights_digest(backbone),
        [prepared.ids[i] for i in (*split.train, *split.test)],
        split.labels[split.train],
        prepared.images.shape[1],
        (share, BATCH, LEAST_STEPS, RATE, WEIGHT_DECAY, WARMUP, LEAST_CROP),
    )
    found, _ = remembered(
        workspace,
        "fine-tuned",
        key,
        lambda: {"predicted": _trained(backbone, share, prepared.images, split, progress)},
    )
    return found["predicted"]


def _trained(
    backbone: "Backbone", share: float, images: np.ndarray, split: Split, progress: Progress
) -> np.ndarray:
    import torch
    from torch import nn

    from samclr_core.training.devices import repeatable

    device = torch.device(device_of())
    with repeatable(device):
        torch.manual_seed(0)
        network = nn.Sequential(backbone, nn.Linear(backbone.dim, len(split.classes)))
        network.to(device).requires_grad_(True).train()
        _learn(network, share, images, split, progress)
        return _answers(network.eval(), images, split.test)


def _learn(
    network: "nn.Sequential", share: float, images: np.ndarray, split: Split, progress: Progress
) -> None:
    import torch
    from torch.nn import functional as F

    device = next(network.parameters()).device
    steps = max(LEAST_STEPS, -(-len(split.train) // BATCH))
    rates = [RATE * share, RATE]
    groups = [{"params": part.parameters()} for part in network]
    optimizer = torch.optim.AdamW(groups, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, rates, total_steps=steps, pct_start=WARMUP
    )
    rng = np.random.default_rng(0)
    for step, chosen in zip(range(steps), _batches(split.train, rng), strict=False):
        labels = torch.from_numpy(split.labels[chosen]).long().to(device)
        loss = F.cross_entropy(network(_altered(images[chosen]).to(device)), labels)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
        progress(step + 1, steps)


def _batches(train: np.ndarray, rng: np.random.Generator):
    """Batches without end; every image comes once before any comes again."""
    waiting = np.empty(0, train.dtype)
    while True:
        while len(waiting) < min(BATCH, len(train)):
            waiting = np.concatenate([waiting, rng.permutation(train)])
        yield waiting[:BATCH]
        waiting = waiting[BATCH:]


def _altered(batch: np.ndarray) -> "Tensor":
    """Crops and flips of images [N, S, S, 3], each its own; float [N, 3, S, S]."""
    import torch
    from torchvision.transforms import v2

    from samclr_core.views.augment import normalised

    side = batch.shape[1]
    alter = v2.Compose(
        [
            v2.RandomResizedCrop(side, scale=(LEAST_CROP, 1.0), antialias=True),
            v2.RandomHorizontalFlip(),
        ]
    )
    views = torch.from_numpy(np.ascontiguousarray(batch)).permute(0, 3, 1, 2)
    return normalised(torch.stack([alter(view) for view in views]).float() / 255)


def _answers(network: "nn.Module", images: np.ndarray, test: np.ndarray) -> np.ndarray:
    import torch

    from samclr_core.views.augment import as_input

    device = next(network.parameters()).device
    found = []
    with torch.inference_mode():
        for start in range(0, len(test), BATCH):
            batch = as_input(images[test[start : start + BATCH]]).to(device)
            found.append(network(batch).argmax(dim=1).cpu().numpy())
    return np.concatenate(found)
