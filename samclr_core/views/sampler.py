"""The sampler of each kind of views; a new kind is a class like these and a line here."""

from samclr_core.views.config import Kind, ViewsConfig
from samclr_core.views.image_views import ImageViews
from samclr_core.views.pair import ViewSampler
from samclr_core.views.region_views import RegionViews

SAMPLERS: dict[Kind, type[ImageViews] | type[RegionViews]] = {
    "image": ImageViews,
    "region": RegionViews,
}


def sampler(config: ViewsConfig) -> ViewSampler:
    """The sampler of ``config.kind``."""
    return SAMPLERS[config.kind](config)
