"""From SAM's 256 x 256 logits to pixels: one frame per image size, and windows in it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch.nn import functional as F

MODEL_SIDE = 1024
LOGIT_SIDE = 256
# SAM's decoder sees an image as 64 x 64 tokens.
TOKENS = 64
LOGITS_PER_TOKEN = LOGIT_SIDE // TOKENS
MODEL_PER_TOKEN = MODEL_SIDE // TOKENS
# Columns of pixels made at once: few enough to stay in the processor's cache.
STRIP = 64


def by_token(picture: torch.Tensor) -> torch.Tensor:
    """Logits or pixels [..., 4h, 4w], those of a token side by side: [..., h, w, 4, 4]."""
    rows = picture.unflatten(-1, (-1, LOGITS_PER_TOKEN))
    return rows.unflatten(-3, (-1, LOGITS_PER_TOKEN)).transpose(-3, -2)


def as_picture(tokens: torch.Tensor) -> torch.Tensor:
    """The inverse of :func:`by_token`: [..., h, w, 4, 4] to [..., 4h, 4w]."""
    return tokens.transpose(-3, -2).flatten(-2).flatten(-3, -2)


@dataclass(frozen=True)
class Frame:
    """An image's place in the model's padded square.

    Attributes:
        height: of the image, in pixels.
        width: of the image, in pixels.
    """

    height: int
    width: int

    @property
    def scale(self) -> float:
        """Model pixels per image pixel."""
        return MODEL_SIDE / max(self.height, self.width)

    @cached_property
    def input_size(self) -> tuple[int, int]:
        """H, W of the resized image, as segment-anything rounds them."""
        return int(self.height * self.scale + 0.5), int(self.width * self.scale + 0.5)

    @cached_property
    def full(self) -> "Upsampling":
        """From logits to the image's own pixels."""
        return Upsampling.of(self.input_size, (self.height, self.width))

    @property
    def tokens_used(self) -> tuple[int, int]:
        """How many rows and columns of the tokens lie under the image."""
        rows, columns = self.full.logits_used
        return -(-rows // LOGITS_PER_TOKEN), -(-columns // LOGITS_PER_TOKEN)

    @cached_property
    def scoring(self) -> "Upsampling":
        """From logits to the resolution masks are scored in.

        The image's own, or the model's where that is smaller: pixels the model never saw change a
        mask's stability by less than a thousandth, and a large photo has 25 times as many.
        """
        return self.full if self.scale >= 1 else Upsampling.of(self.input_size, self.input_size)

    def grid(self, points_per_side: int) -> np.ndarray:
        """The centres of a grid over the image, float64 [points_per_side ** 2, 2], X, Y pixels."""
        offsets = (np.arange(points_per_side) + 0.5) / points_per_side
        x, y = np.meshgrid(offsets * self.width, offsets * self.height)
        return np.stack([x.ravel(), y.ravel()], axis=1)

    def to_model(self, points: np.ndarray) -> torch.Tensor:
        """Image coordinates [N, 2] to the model's, float32."""
        height, width = self.input_size
        factors = np.array([width / self.width, height / self.height])
        return torch.from_numpy(points * factors).float()


@dataclass(frozen=True)
class Axis:
    """Bilinear upsampling along one axis, as a matrix.

    Attributes:
        weights: float32 [pixels, 256].
        first: first logit each pixel needs, int [pixels].
        last: last logit each pixel needs, int [pixels].
    """

    weights: torch.Tensor
    first: np.ndarray
    last: np.ndarray

    @classmethod
    def of(cls, kept: int, pixels: int) -> "Axis":
        """256 logits to 1024, of these the first ``kept``, and these to ``pixels``.

        The two steps of ``Sam.postprocess_masks``, which are separable and linear.
        """
        unit = torch.eye(LOGIT_SIDE)[None]
        model = F.interpolate(unit, MODEL_SIDE, mode="linear", align_corners=False)[..., :kept]
        both = F.interpolate(model, pixels, mode="linear", align_corners=False)[0].T.contiguous()
        used = (both != 0).numpy()
        last = LOGIT_SIDE - 1 - used[:, ::-1].argmax(1)
        return cls(both, used.argmax(1), last)

    def pixels_within(self, start: int, stop: int) -> slice:
        """The pixels that need no logit outside ``start`` to ``stop``."""
        begin = int(np.searchsorted(self.first, start, side="left"))
        end = int(np.searchsorted(self.last, stop, side="left"))
        return slice(begin, max(begin, end))


@dataclass(frozen=True)
class Upsampling:
    """From logits to a grid of pixels, window by window."""

    rows: Axis
    columns: Axis

    @classmethod
    def of(cls, kept: tuple[int, int], size: tuple[int, int]) -> "Upsampling":
        """To ``size`` pixels, H and W, from the part of the model's square that is ``kept``."""
        return cls(Axis.of(kept[0], size[0]), Axis.of(kept[1], size[1]))

    @property
    def size(self) -> tuple[int, int]:
        """H, W in pixels."""
        return len(self.rows.weights), len(self.columns.weights)

    @property
    def logits_used(self) -> tuple[int, int]:
        """How many rows and columns of the logits lie under the image."""
        return int(self.rows.last.max()) + 1, int(self.columns.last.max()) + 1

    def window(self, logits: torch.Tensor, y: int, x: int) -> tuple[torch.Tensor, int, int]:
        """Upsample a window of logits.

        Args:
            logits: float [h, w], cut at row ``y`` and column ``x`` of the 256 x 256.
            y: first row of the window.
            x: first column of the window.

        Returns:
            Logits of those pixels that need nothing outside the window, and the row and the column
            of the first of them.
        """
        height, width = logits.shape
        rows, columns = self._pixels(logits, y, x)
        vertical = self.rows.weights[rows, y : y + height]
        horizontal = self.columns.weights[columns, x : x + width]
        return vertical @ logits @ horizontal.T, rows.start, columns.start

    def mask(self, logits: torch.Tensor, y: int, x: int) -> tuple[np.ndarray, int, int]:
        """Where :meth:`window` is above 0, without keeping the logits of a large photo.

        Strip by strip, since a column of pixels needs two or three columns of logits.

        Args:
            logits: as for :meth:`window`.
            y: first row of the window.
            x: first column of the window.

        Returns:
            Bool [h, w], its columns in one piece as run lengths want them, and the row and the
            column of its first pixel.
        """
        rows, columns = self._pixels(logits, y, x)
        down = logits.T @ self.rows.weights[rows, y : y + len(logits)].T
        across = torch.empty(columns.stop - columns.start, rows.stop - rows.start, dtype=torch.bool)
        for number, strip in enumerate(across.split(STRIP)):
            start = columns.start + number * STRIP
            stop = start + len(strip)
            first, end = int(self.columns.first[start]), int(self.columns.last[stop - 1]) + 1
            weights = self.columns.weights[start:stop, first:end]
            torch.gt(weights @ down[first - x : end - x], 0, out=strip)
        return across.numpy().T, rows.start, columns.start

    def _pixels(self, logits: torch.Tensor, y: int, x: int) -> tuple[slice, slice]:
        """The rows and the columns that need nothing outside the window."""
        height, width = logits.shape
        rows = self.rows.pixels_within(y, y + height)
        return rows, self.columns.pixels_within(x, x + width)
