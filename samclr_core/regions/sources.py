"""Whose regions views are cut from. The one place that says so, for runs, purity and pages."""

from samclr_core.config import Config
from samclr_core.messages import UserError
from samclr_core.regions import store
from samclr_core.regions.config import Perturbation, SegmenterConfig
from samclr_core.regions.region import RegionSet
from samclr_core.regions.review.events import last_change
from samclr_core.regions.review.fold import reviewed
from samclr_core.workspace import Workspace, read_json, write_json


class Source(Config):
    """Where regions come from.

    Attributes:
        segmenter: the settings that made them.
        review: what people had changed when the log of the review had this number; 0: nothing.
        perturbation: the damage done to them afterwards; None: they are as they were left.
    """

    segmenter: SegmenterConfig
    review: int = 0
    perturbation: Perturbation | None = None

    @property
    def automatic(self) -> "Source":
        """The regions as the segmenter made them."""
        return Source(segmenter=self.segmenter)

    @property
    def undamaged(self) -> "Source":
        """The regions that the damage was done to."""
        return self.model_copy(update={"perturbation": None})

    def digest(self) -> str:
        """Changes with the regions; also the name of the folder that damaged ones are kept in."""
        return super().digest() if self.perturbation or self.review else self.segmenter.digest()


def current(workspace: Workspace) -> Source | None:
    """The regions in use, as reviewed until now, or None before the first segmentation."""
    segmenter = store.current(workspace)
    return Source(segmenter=segmenter, review=last_change(workspace)) if segmenter else None


def regions(workspace: Workspace, image_id: str, source: Source | None = None) -> RegionSet | None:
    """The regions of an image that views are cut from, or None where there are none.

    Args:
        workspace: where they are.
        image_id: the image.
        source: whose; by default those in use.
    """
    source = source or current(workspace)
    if not source:
        return None
    if source.perturbation or not source.review:
        return store.read(workspace, image_id, source)
    return reviewed(workspace, image_id, source.segmenter, source.review)


def keep(workspace: Workspace, source: Source) -> None:
    """Write down what a folder of regions holds, so that :func:`named` finds it."""
    write_json(workspace.regions(source.digest()) / "source.json", source.model_dump(mode="json"))


def named(workspace: Workspace, digest: str) -> Source:
    """The regions kept under ``digest``, which :func:`keep` wrote down.

    Raises:
        UserError: there are none of that name.
    """
    found = {path.name: path for path in workspace.region_folders()}
    values = read_json(found[digest] / "source.json") if digest in found else None
    if values is None:
        raise UserError("regions.unknown_source", name=digest)
    return Source.of(values)
