"""Region sets on disk: one JSON file per image, in a folder per settings that made them."""

from samclr_core.config import Config
from samclr_core.regions.config import SegmenterConfig
from samclr_core.regions.region import RegionSet
from samclr_core.regions.sam.tuned import at_home
from samclr_core.workspace import Workspace, read_json, write_json

SETTING = "regions"


def write(workspace: Workspace, config: Config, region_set: RegionSet) -> None:
    """Keep the regions of one image, made with ``config``."""
    path = workspace.regions(config.digest()) / f"{region_set.image_id}.json"
    write_json(path, region_set.to_json())


def read(workspace: Workspace, image_id: str, config: Config | None = None) -> RegionSet | None:
    """The regions of an image, or None where there are none yet.

    Args:
        workspace: where they are.
        image_id: the image.
        config: the settings that made them; by default the workspace's current ones.
    """
    config = config or current(workspace)
    if not config:
        return None
    values = read_json(workspace.regions(config.digest()) / f"{image_id}.json")
    return RegionSet.from_json(values) if values else None


def has(workspace: Workspace, image_id: str, config: Config) -> bool:
    """Whether the regions of an image were made with ``config`` already."""
    return (workspace.regions(config.digest()) / f"{image_id}.json").exists()


def current(workspace: Workspace) -> SegmenterConfig | None:
    """The segmenter settings in use, or None before the first segmentation.

    Raises:
        UserError: the remembered settings are not ones this version knows.
    """
    remembered = workspace.setting(SETTING)
    return at_home(workspace, SegmenterConfig.of(remembered)) if remembered else None


def choose(workspace: Workspace, config: SegmenterConfig) -> None:
    """Make ``config`` the settings in use."""
    workspace.remember(SETTING, config.model_dump())
