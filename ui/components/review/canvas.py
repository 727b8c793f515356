"""The picture a reviewer works on: drawn here, clicked in the browser."""

import base64
import io
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import streamlit as st
from PIL import Image

from samclr_core.images.store import load
from samclr_core.regions.overlay import colour as colour_of_number
from samclr_core.regions.overlay import edge
from samclr_core.regions.region import Region
from samclr_core.regions.review.fold import Review, Reviewed
from samclr_core.regions.rle import decode_window
from samclr_core.workspace import Workspace
from ui.components.segmented import fitted

SIDE = 1100
"""Longer side of what is shown, in pixels."""
COLOURED, FAINT, UNDER = 0.45, 0.25, 0.15
"""Strength of the colours: of regions, of the selected one's own, of regions under a proposal."""
WHITE, YELLOW, GREEN, RED, GREY = (
    np.array(colour, np.float32)
    for colour in ((255, 255, 255), (255, 212, 0), (0, 200, 80), (230, 30, 30), (120, 120, 120))
)
KEY = "review-picture"
THUMBNAIL = 480
HERE = Path(__file__).parent
NONE = -1


@dataclass(frozen=True)
class Marks:
    """What is drawn over the photo, besides the regions in use.

    Attributes:
        selected: ids of regions.
        proposal: what SAM answered to the prompts so far.
        points: the prompts, X, Y in pixels of the image, and whether each is on the thing.
        coloured: whether regions have their colours; else there is the photo and what is selected.
    """

    selected: Sequence[str] = ()
    proposal: Region | None = None
    points: Sequence[tuple[float, float, bool]] = ()
    coloured: bool = True


def show(
    workspace: Workspace, now: Review, marks: Marks, hint: str, on_act: Callable[[], None]
) -> None:
    """The picture; ``on_act`` is called when somebody clicked it or drew a box, see :func:`act`."""
    photo = _photo(str(workspace.root), now.image_id)
    size = (now.before.height, now.before.width)
    picture = drawn(photo, size, now.kept, now.dropped, marks)
    data = {"picture": _data_url(picture), "height": size[0], "width": size[1], "hint": hint}
    # A change that leaves the picture as it was still takes the keyboard back from a text field.
    data["said"] = len(now.comments)
    _component()(key=KEY, data=data, on_act_change=on_act)


def thumbnail(workspace: Workspace, now: Review) -> np.ndarray:
    """The image with its regions in use, uint8 [h, w, 3]."""
    photo = _photo(str(workspace.root), now.image_id)
    size = (now.before.height, now.before.width)
    return fitted(drawn(photo, size, now.kept, now.dropped, Marks()), THUMBNAIL)


def act() -> dict | None:
    """What the person did last, or None.

    ``kind`` is click, box or undo; ``x``, ``y``, ``x2`` and ``y2`` are in pixels of the image;
    ``more`` says that Shift was held down, ``outside`` that Alt was, or the right button used.
    """
    said = st.session_state.get(KEY)
    return said.act if said else None


def prepare(workspace: Workspace, image_id: str, regions: Sequence[Region]) -> None:
    """Work out in the background what :func:`show` will need for an image."""
    root = str(workspace.root)

    def work() -> None:
        small = _photo(root, image_id)
        for region in regions:
            _small(region, small.shape[:2])

    threading.Thread(target=work, daemon=True).start()


def drawn(
    photo: np.ndarray,
    size: tuple[int, int],
    kept: Sequence[Reviewed],
    dropped: Sequence[Reviewed],
    marks: Marks,
) -> np.ndarray:
    """The photo with its regions.

    Args:
        photo: uint8 [h, w, 3], of the size it is shown in.
        size: H, W of the image.
        kept: in a colour each, largest first, so that small ones lie on top.
        dropped: with a grey outline only.
        marks: what is selected and proposed.

    Returns:
        uint8 [h, w, 3].
    """
    canvas = photo.astype(np.float32)
    if marks.coloured:
        _colour(canvas, kept, UNDER if marks.proposal else COLOURED)
        for item in dropped:
            _outline(canvas, item.region, GREY, 1)
    for item in (*kept, *dropped):
        if item.id in marks.selected:
            _outline(canvas, item.region, RED if item in dropped else YELLOW, 3, FAINT)
    if marks.proposal:
        _outline(canvas, marks.proposal, GREEN, 3, COLOURED)
    scale = photo.shape[0] / size[0]
    for x, y, on_it in marks.points:
        _dot(canvas, x * scale, y * scale, GREEN if on_it else RED)
    return canvas.round().clip(0, 255).astype(np.uint8)


def at(items: Sequence[Reviewed], x: float, y: float) -> str | None:
    """The id of the smallest region at a place in the image, or None."""
    found = [item for item in items if _covers(item.region, int(x), int(y))]
    return min(found, key=lambda item: item.region.area).id if found else None


def _covers(region: Region, x: int, y: int) -> bool:
    left, top, width, height = region.bbox
    within = left <= x < left + width and top <= y < top + height
    return within and bool(decode_window(region.rle, (x, y, 1, 1))[0, 0])


def _paint(labels: np.ndarray, region: Region, number: int) -> None:
    y, x, mask = _small(region, labels.shape[:2])
    labels[y : y + mask.shape[0], x : x + mask.shape[1]][mask] = number


def _outline(
    canvas: np.ndarray, region: Region, colour: np.ndarray, width: int, fill: float = 0.0
) -> None:
    y, x, mask = _small(region, canvas.shape[:2])
    part = canvas[y : y + mask.shape[0], x : x + mask.shape[1]]
    part[mask] = (1 - fill) * part[mask] + fill * colour
    # Nothing of the region lies beyond its own window.
    part[edge(np.pad(mask, 1), width)[1:-1, 1:-1]] = colour


def _dot(canvas: np.ndarray, x: float, y: float, colour: np.ndarray) -> None:
    rows, columns = np.mgrid[: canvas.shape[0], : canvas.shape[1]]
    distance = np.hypot(rows - y, columns - x)
    canvas[distance < 8] = WHITE
    canvas[distance < 6] = colour


def _colour(canvas: np.ndarray, kept: Sequence[Reviewed], strength: float) -> None:
    labels = np.full(canvas.shape[:2], NONE, np.int32)
    for number, item in enumerate(kept):
        _paint(labels, item.region, number)
    colours = np.array([_colour_of(item.id) for item in kept] or [WHITE], np.float32)
    inside = labels != NONE
    canvas[inside] = (1 - strength) * canvas[inside] + strength * colours[labels[inside]]
    canvas[_borders(labels)] = WHITE


def _borders(labels: np.ndarray) -> np.ndarray:
    borders = np.zeros(labels.shape, bool)
    borders[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    borders[1:] |= labels[1:] != labels[:-1]
    return borders


def _colour_of(region_id: str) -> np.ndarray:
    """A region keeps its colour, whatever becomes of the others."""
    return colour_of_number(int(region_id[:8], 16))


def _small(region: Region, shape: tuple[int, int]) -> tuple[int, int, np.ndarray]:
    """A mask in the size it is shown in: row and column of its window, and the window."""
    return _small_mask(region.rle["counts"], tuple(region.rle["size"]), region.bbox, shape)


@lru_cache(maxsize=20_000)
def _small_mask(
    counts: str, size: tuple[int, int], bbox: tuple[int, int, int, int], shape: tuple[int, int]
) -> tuple[int, int, np.ndarray]:
    x, y, w, h = bbox
    mask = decode_window({"size": size, "counts": counts}, bbox)
    rows = ((np.arange(shape[0]) + 0.5) * size[0] / shape[0]).astype(int)
    columns = ((np.arange(shape[1]) + 0.5) * size[1] / shape[1]).astype(int)
    top, bottom = np.searchsorted(rows, (y, y + h))
    left, right = np.searchsorted(columns, (x, x + w))
    window = mask[rows[top:bottom] - y][:, columns[left:right] - x]
    return int(top), int(left), window


@lru_cache(maxsize=64)
def _photo(root: str, image_id: str) -> np.ndarray:
    return fitted(load(Workspace(root), image_id), SIDE)


def _data_url(picture: np.ndarray) -> str:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


@st.cache_resource
def _component():
    code = (HERE / "canvas.js").read_text(encoding="utf-8")
    html = '<div class="stage"><img draggable="false"><div class="box"></div></div>'
    return st.components.v2.component(
        "review_picture", html=html, css=(HERE / "canvas.css").read_text(), js=code
    )
