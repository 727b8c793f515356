import numpy as np
import pytest

from samclr_core.messages import UserError
from samclr_core.regions import store
from samclr_core.regions.config import PRESETS, SegmenterConfig
from samclr_core.regions.region import Region, RegionSet
from samclr_core.workspace import Workspace


def region_set(image_id="a"):
    region = Region.of_mask(np.eye(8, dtype=bool))
    return RegionSet(image_id, 8, 8, SegmenterConfig().model_dump(), (region,))


def test_read_gives_what_was_written(tmp_path):
    workspace = Workspace(tmp_path)
    store.write(workspace, PRESETS["draft"], region_set())
    assert store.read(workspace, "a", PRESETS["draft"]) == region_set()
    assert store.read(workspace, "b", PRESETS["draft"]) is None
    assert store.has(workspace, "a", PRESETS["draft"])


def test_other_settings_are_another_cache(tmp_path):
    workspace = Workspace(tmp_path)
    store.write(workspace, PRESETS["draft"], region_set())
    assert store.read(workspace, "a", PRESETS["full"]) is None


def test_read_follows_the_current_settings(tmp_path):
    workspace = Workspace(tmp_path)
    assert store.read(workspace, "a") is None
    store.write(workspace, PRESETS["full"], region_set())
    store.choose(workspace, PRESETS["full"])
    assert store.current(workspace) == PRESETS["full"]
    assert store.read(workspace, "a") == region_set()


@pytest.mark.parametrize(
    "values", [{"points_per_side": 0}, {"min_stability": 1.5}, {"point_per_side": 3}]
)
def test_bad_settings_are_named(values):
    with pytest.raises(UserError) as error:
        SegmenterConfig.of(values)
    assert next(iter(values)) in error.value.text("en")
    assert next(iter(values)) in error.value.text("ja")
