"""What methods remember from step to step, held to lightly's parts."""

import pytest
import torch
from lightly.models.modules import DINOProjectionHead
from lightly.models.utils import update_momentum
from lightly.utils.scheduler import cosine_schedule
from torch import nn
from torch.nn import functional as F

from samclr_core.messages import UserError
from samclr_core.training import backbones
from samclr_core.training.config import TrainingConfig
from samclr_core.training.methods import METHODS
from samclr_core.training.methods.dino import DINO, DINOHead
from samclr_core.training.methods.moco import NOBODY, MoCo
from samclr_core.training.methods.teacher import Teacher, momentum, rising

SMALL = {"small_stem": True, "head_dim": (32, 16), "views": {"size": 32}}


def made(loss: str, **changes):
    config = TrainingConfig.of({"loss": loss} | SMALL | changes)
    torch.manual_seed(0)
    return METHODS[config.loss](backbones.start(config), config)


def views(pairs: int, seed: int = 0, count: int = 2) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(pairs, 3, 32, 32, generator=generator) for _ in range(count)]


def one_each(pairs: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Every pair of an image of its own."""
    return torch.arange(pairs), torch.eye(pairs, dtype=torch.bool)


# What a queue does not ask for.
APART = torch.empty(0)


def test_the_teacher_follows_as_lightlys_does() -> None:
    torch.manual_seed(0)
    student = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    teacher, reference = Teacher(student), Teacher(student).net
    for _ in range(3):
        with torch.no_grad():
            for parameter in student.parameters():
                parameter.add_(torch.randn_like(parameter))
        teacher.follow(student, 0.9)
        update_momentum(student, reference, 0.9)
        for own, theirs in zip(teacher.net.parameters(), reference.parameters(), strict=True):
            torch.testing.assert_close(own, theirs)


@pytest.mark.parametrize("loss", ["moco", "dino"])
def test_the_teacher_learns_from_its_student_alone(loss: str) -> None:
    method = made(loss).train()
    method(views(3), *one_each(3)).loss.backward()
    assert all(p.grad is None for p in method.teacher.parameters())
    assert all(p.grad is not None for p in method.backbone.parameters())
    before = method.teacher.net[0].net.conv1.weight.clone()
    with torch.no_grad():
        method.backbone.net.conv1.weight.add_(1)
    method.after_step(0, 20)
    torch.testing.assert_close(method.teacher.net[0].net.conv1.weight, before + 0.1)


def test_a_teacher_lags_a_tenth_of_the_run_behind() -> None:
    expected = {10: 0.9, 200: 0.95, 1000: 0.99, 10**6: 0.999}
    for steps, share in expected.items():
        assert momentum(None, steps) == pytest.approx(share)
        assert momentum(0.5, steps) == 0.5


def test_momentum_rises_as_lightlys_does() -> None:
    for steps in (2, 3, 50):
        for step in range(steps):
            expected = cosine_schedule(step, steps, 0.9, 1.0)
            assert rising(step, steps, 0.9) == pytest.approx(expected, abs=1e-9)


def test_the_queue_keeps_the_newest_keys_and_their_images() -> None:
    method = made("moco", moco={"queue": 10}).train()
    assert (method.queue_images == NOBODY).all()
    torch.testing.assert_close(method.queue.norm(dim=1), torch.ones(10))
    keys = []
    for number in range(3):
        pairs = views(3, seed=number)
        keys += list(F.normalize(method.teacher(torch.cat(pairs)), dim=1))
        method(pairs, torch.tensor([3, 4, 5]) + 3 * number, APART)
    # 18 keys went in; the last 8 have wrapped round.
    expected = torch.stack(keys[10:18] + keys[8:10])
    torch.testing.assert_close(method.queue, expected)
    images = [i for n in range(3) for i in (3 + 3 * n, 4 + 3 * n, 5 + 3 * n) * 2]
    assert method.queue_images.tolist() == images[10:18] + images[8:10]
    assert int(method.place) == 8


def test_more_keys_than_the_queue_holds() -> None:
    method = made("moco", moco={"queue": 4}).train()
    method(views(3), *one_each(3))
    assert method.queue_images.tolist() == [2, 0, 1, 2]


def test_keys_of_an_image_are_no_negatives_of_its_own_pairs() -> None:
    """In a queue of nothing but its own keys, a pair has only its positive, and no loss."""
    method = made("moco", moco={"queue": 2}).train()
    method(views(1), torch.tensor([7]), APART)
    assert method(views(1, seed=1), torch.tensor([7]), APART).loss.item() == 0
    method(views(1), torch.tensor([7]), APART)
    assert method(views(1, seed=1), torch.tensor([8]), APART).loss.item() > 0.01


def test_both_views_are_queries_of_the_others_keys() -> None:
    """As if it were two losses, one each way."""
    method = made("moco").eval()
    first, second = views(4)
    found = method([first, second], *one_each(4)).loss
    back = method([second, first], *one_each(4)).loss
    torch.testing.assert_close(found, back)
    q, k = (F.normalize(f(first), dim=1) for f in (_query(method), method.teacher))
    q2, k2 = (F.normalize(f(second), dim=1) for f in (_query(method), method.teacher))
    losses = []
    for query, key in ((q, k2), (q2, k)):
        logits = torch.cat([(query * key).sum(1, keepdim=True), query @ method.queue.T], dim=1)
        losses.append(F.cross_entropy(logits / 0.2, torch.zeros(4, dtype=torch.int64)))
    torch.testing.assert_close(found, sum(losses) / 2)


def _query(method: MoCo):
    return lambda images: method.head(method.backbone(images))


@pytest.mark.filterwarnings("ignore:`torch.nn.utils.weight_norm`:FutureWarning")
@pytest.mark.parametrize("batch_norm", [False, True])
def test_the_head_is_lightlys(batch_norm: bool) -> None:
    torch.manual_seed(0)
    ours = DINOHead(8, 12, 6, 20, batch_norm)
    theirs = DINOProjectionHead(8, 12, 6, 20, batch_norm=batch_norm)
    linear = [
        [m for m in head.modules() if isinstance(m, nn.Linear)] for head in (ours, theirs.layers)
    ]
    for own, other in zip(*linear, strict=True):
        other.load_state_dict(own.state_dict())
    theirs.last_layer.weight_v.data.copy_(ours.prototypes.data)
    features = torch.randn(5, 8)
    torch.testing.assert_close(ours(features), theirs(features))


def test_center_and_temperature_follow_their_schedules() -> None:
    dino = {"teacher_temperature": (0.04, 0.08), "warmup": 0.5, "center_momentum": 0.75}
    method: DINO = made("dino", dino=dino).train()
    for step, expected in ((0, 0.04), (1, 0.05), (4, 0.08), (7, 0.08)):
        method.before_step(step, 8)
        assert method.teacher_temperature == pytest.approx(expected)
    pairs = views(3)
    answers = method.teacher(torch.cat(pairs))
    method(pairs, *one_each(3))
    torch.testing.assert_close(method.center, 0.25 * answers.mean(dim=0))
    method.eval()(pairs, *one_each(3))
    torch.testing.assert_close(method.center, 0.25 * answers.mean(dim=0))


def test_prototypes_rest_at_the_start() -> None:
    method = made("dino", dino={"freeze": 0.5}).train()
    for step, moves in ((0, False), (1, False), (2, True)):
        method.zero_grad()
        method(views(3), *one_each(3)).loss.backward()
        method.after_backward(step, 4)
        assert (method.head.prototypes.grad is not None) == moves
        assert method.head.layers[0].weight.grad is not None


def test_small_crops_are_the_students_alone() -> None:
    method = made("dino").train()
    small = [v[..., :16, :16] for v in views(3, seed=1, count=4)]
    outcome = method([*views(3), *small], *one_each(3))
    assert outcome.features.shape == (6, method.backbone.dim)
    assert outcome.projections.shape == (6, 16)
    outcome.loss.backward()
    assert outcome.loss.item() > 0


def test_small_crops_are_refused_by_the_others() -> None:
    with pytest.raises(UserError, match="local_crops"):
        TrainingConfig.of({"loss": "moco", "views": {"local_crops": 4}})


def test_simclr_leaves_related_pairs_alone() -> None:
    method = made("simclr").eval()
    pairs, everyone = views(3), torch.ones(3, 3, dtype=torch.bool)
    assert method(pairs, torch.arange(3), everyone).loss.item() == 0
    assert method(pairs, *one_each(3)).loss.item() > 0.1
