"""Files that bring regions and remarks: one COCO instances file, or label maps."""

from collections.abc import Iterable
from pathlib import Path

from samclr_core.images import sources
from samclr_core.images.sources import Source
from samclr_core.messages import UserError
from samclr_core.paths import expanded
from samclr_core.regions.config import SegmenterConfig
from samclr_core.regions.review import coco, label_maps
from samclr_core.regions.review.incoming import Incoming
from samclr_core.workspace import Workspace


def from_path(workspace: Workspace, path: Path, config: SegmenterConfig | None = None) -> Incoming:
    """What a COCO file, a label map, a zip or a folder of label maps says.

    Args:
        workspace: that has the images.
        path: of the file or the folder.
        config: the settings whose regions label maps are compared with; the current ones.

    Raises:
        UserError: it is not there, it is nothing of these, or as :func:`coco.read` and
            :func:`label_maps.read` do.
    """
    return _read(workspace, [sources.from_path(expanded(path))], config)


def from_uploads(
    workspace: Workspace,
    uploads: Iterable[tuple[str, bytes]],
    config: SegmenterConfig | None = None,
) -> Incoming:
    """What uploaded files say, as pairs of name and content; see :func:`from_path`."""
    return _read(workspace, [sources.from_upload(*upload) for upload in uploads], config)


def _read(workspace: Workspace, opened: list[Source], config: SegmenterConfig | None) -> Incoming:
    if refused := [refusal for source in opened for refusal in source.refused]:
        raise refused[0].error
    entries = [entry for source in opened for entry in source.entries]
    maps = [entry for entry in entries if entry.path.suffix.lower() == ".png"]
    if maps and len(maps) == len(entries):
        return label_maps.read(workspace, maps, config)
    if len(entries) == 1:
        return coco.read(workspace, entries[0].read())
    raise UserError("review.import_what")
