import pytest
import torch
from torchvision.transforms.v2 import functional as tv

from samclr_core.views import augment
from samclr_core.views.augment import Augmentation, apply, normalised, seeded
from samclr_core.views.config import AugmentConfig

TOLERANCE = 2e-5


@pytest.fixture
def views() -> torch.Tensor:
    torch.manual_seed(0)
    smooth = torch.nn.functional.interpolate(torch.rand(24, 3, 6, 6), size=40, mode="bicubic")
    return (smooth.clamp(0, 1) * 255).to(torch.uint8)


def one_by_one(view: torch.Tensor, drawn: augment.Parameters, i: int) -> torch.Tensor:
    """The same view through torchvision's own functions, an operation at a time."""
    steps = (tv.adjust_brightness, tv.adjust_contrast, tv.adjust_saturation, tv.adjust_hue)
    view = tv.horizontal_flip(view) if drawn.flip[i] else view
    if drawn.jitter[i]:
        for operation in drawn.order[i].tolist():
            view = steps[operation](view, float(drawn.factors[i, operation]))
    if drawn.grey[i]:
        view = tv.rgb_to_grayscale(view, num_output_channels=3)
    if drawn.blur[i]:
        taps = augment.kernel_side(view.shape[-1])
        view = tv.gaussian_blur(view, [taps, taps], [float(drawn.sigma[i])] * 2)
    return view


@pytest.mark.parametrize("seed", range(4))
def test_every_view_is_what_torchvision_makes_of_it(views, seed: int) -> None:
    config = AugmentConfig(strength=1.0, sigma=(0.5, 8.0))
    drawn = Augmentation(config).draw(len(views), views.shape[-1], seeded(seed))
    ours = apply(views.float() / 255, drawn)
    for i, view in enumerate(views.float() / 255):
        torch.testing.assert_close(ours[i], one_by_one(view, drawn, i), atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize("operation", range(4))
def test_each_jitter_alone_is_torchvisions(views, operation: int) -> None:
    factors = torch.linspace(-0.5, 0.5, len(views)) if operation == 3 else torch.rand(24) * 2
    theirs = (tv.adjust_brightness, tv.adjust_contrast, tv.adjust_saturation, tv.adjust_hue)
    floats = views.float() / 255
    ours = augment._JITTER[operation](floats, factors)
    for i, view in enumerate(floats):
        expected = theirs[operation](view, float(factors[i]))
        torch.testing.assert_close(ours[i], expected, atol=TOLERANCE, rtol=0)


def test_chances_and_ranges_hold() -> None:
    config = AugmentConfig(flip=0.3, jitter=0.6, grey=0.1, blur=0.4, strength=0.5)
    drawn = Augmentation(config).draw(20000, 224, seeded(0))
    for name in ("flip", "jitter", "grey", "blur"):
        share = getattr(drawn, name).float().mean().item()
        assert share == pytest.approx(getattr(config, name), abs=0.015)
    low, high = drawn.factors.amin(0), drawn.factors.amax(0)
    torch.testing.assert_close(low, torch.tensor([0.6, 0.6, 0.6, -0.1]), atol=0.01, rtol=0)
    torch.testing.assert_close(high, torch.tensor([1.4, 1.4, 1.4, 0.1]), atol=0.01, rtol=0)
    assert 0.1 <= drawn.sigma.min() < drawn.sigma.max() <= 2.0
    assert (drawn.order.sort(dim=1).values == torch.arange(4)).all()
    firsts = drawn.order[:, 0].bincount(minlength=4) / 20000
    torch.testing.assert_close(firsts, torch.full((4,), 0.25), atol=0.015, rtol=0)


def test_one_seed_one_result_and_views_differ(views) -> None:
    augmentation = Augmentation(AugmentConfig())
    same = views[:1].expand(24, -1, -1, -1)
    first, again = augmentation(same, seeded(1, 2)), augmentation(same, seeded(1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, augmentation(same, seeded(1, 3)))
    assert len(torch.unique(first.flatten(1), dim=0)) > 20


def test_switched_off_only_normalises(views) -> None:
    off = AugmentConfig(flip=0, jitter=0, grey=0, blur=0)
    expected = tv.normalize(views.float() / 255, list(augment.MEAN), list(augment.STD))
    torch.testing.assert_close(Augmentation(off)(views, seeded(0)), expected)
    torch.testing.assert_close(normalised(views.float() / 255), expected)


def test_the_input_is_left_alone(views) -> None:
    floats = views.float() / 255
    before = floats.clone()
    apply(floats, Augmentation(AugmentConfig()).draw(24, 40, seeded(0)))
    assert torch.equal(floats, before)


def test_seeds_of_different_numbers_differ() -> None:
    seeds = {seeded(a, b, c).initial_seed() for a in range(8) for b in range(8) for c in range(8)}
    assert len(seeds) == 512
