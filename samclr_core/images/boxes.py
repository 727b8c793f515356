"""Boxes that somebody drew around things: a folder of Pascal VOC files, or a COCO file."""

from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree

from samclr_core.images.catalogue import ImageRecord
from samclr_core.images.instances import parsed
from samclr_core.images.names import ByFileName, without_ending
from samclr_core.messages import UserError

# Rows and columns of the image's array.
Slices = tuple[slice, slice]

_VOC_SIDES = ("xmin", "ymin", "xmax", "ymax")


class Boxes:
    """The boxes of many photos, found by a photo's name without its ending.

    Photos are often converted after they were labelled. Pascal VOC knows a photo by the name of its
    own XML file: what stands in the file is the name that it had before.
    """

    def __init__(self, path: Path) -> None:
        """Read them.

        Args:
            path: a COCO file, or a folder of Pascal VOC's XML files.

        Raises:
            UserError: there is no such file or folder, no box in it, or one of its files is broken.
        """
        found = _voc(path) if path.is_dir() else _coco(path)
        if not any(found.values()):
            raise UserError("images.bad_boxes", name=path.name)
        self._of_photo = ByFileName(found)

    def of(self, record: ImageRecord) -> list[tuple[str, Slices]]:
        """The class and the box of each thing of a photo, in its pixels."""
        return self._of_photo.find(without_ending(record.name)) or []


def _voc(folder: Path) -> dict[str, list[tuple[str, Slices]]]:
    return {path.stem: list(_voc_file(path)) for path in sorted(folder.glob("*.xml"))}


def _voc_file(path: Path) -> Iterable[tuple[str, Slices]]:
    try:
        for thing in ElementTree.parse(path).iter("object"):
            sides = [float(thing.findtext(f"bndbox/{side}", "")) for side in _VOC_SIDES]
            # Its first pixel is 1, and the last one belongs to the box.
            yield thing.findtext("name", ""), _box(sides[0] - 1, sides[1] - 1, sides[2], sides[3])
    except (ElementTree.ParseError, ValueError) as error:
        raise UserError("images.bad_boxes", name=path.name) from error


def _coco(path: Path) -> dict[str, list[tuple[str, Slices]]]:
    try:
        coco = parsed(path.read_bytes())
        found: dict[str, list[tuple[str, Slices]]] = {}
        for one in coco.anns.values():
            if one.get("iscrowd"):
                continue
            left, top, width, height = one["bbox"]
            name = coco.cats[one["category_id"]]["name"]
            photo = without_ending(coco.imgs[one["image_id"]]["file_name"])
            thing = name, _box(left, top, left + width, top + height)
            found.setdefault(photo, []).append(thing)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError("images.bad_boxes", name=path.name) from error
    return found


def _box(left: float, top: float, right: float, bottom: float) -> Slices:
    return slice(max(0, round(top)), round(bottom)), slice(max(0, round(left)), round(right))
