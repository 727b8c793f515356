"""Every kind of file a factory brings: taken right, or refused in one sentence."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from samclr_core.images.decode import decode, is_lossy
from samclr_core.messages import UserError

RED = (200, 30, 40)


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def refusal(content: bytes) -> str:
    with pytest.raises(UserError) as refused:
        decode(content, "写真.png")
    for language in ("en", "ja"):
        assert "写真.png" in refused.value.text(language)
    return refused.value.key


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(b"\0" * 100))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + data + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_lossless_formats_keep_every_pixel(kind):
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    content = encoded(Image.fromarray(pixels), kind)
    assert np.array_equal(decode(content, "a"), pixels)
    assert not is_lossy(content)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_photographic_formats_are_read(kind):
    content = encoded(Image.new("RGB", (30, 20), RED), kind)
    assert np.abs(decode(content, "a").astype(int) - RED).max() < 8
    assert is_lossy(content)


def test_exif_orientation_is_applied():
    pixels = np.zeros((20, 40, 3), np.uint8)
    pixels[:, :20] = RED
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate 90 degrees clockwise to see it upright
    upright = decode(encoded(Image.fromarray(pixels), "PNG", exif=exif), "a")
    assert upright.shape == (40, 20, 3)
    assert np.array_equal(upright[5, 10], RED)
    assert np.array_equal(upright[35, 10], (0, 0, 0))


@pytest.mark.parametrize(
    ("maximum", "scale"), [(200, 255), (1000, 1023), (4000, 4095), (60000, 65535)]
)
@pytest.mark.parametrize("kind", ["TIFF", "PNG"])
def test_16_bit_is_scaled_from_the_cameras_range(kind, maximum, scale):
    values = np.linspace(0, maximum, 20 * 30).reshape(20, 30).astype(np.uint16)
    grey = decode(encoded(Image.fromarray(values), kind), "a")[..., 0]
    assert np.abs(grey - values * 255.0 / scale).max() <= 0.5


def test_16_bit_that_counts_from_white_is_turned():
    values = np.linspace(0, 60000, 20 * 30).reshape(20, 30).astype(np.uint16)
    content = encoded(Image.fromarray(values), "TIFF", tiffinfo={262: 0})
    assert Image.open(io.BytesIO(content)).tag_v2[262] == 0
    grey = decode(content, "a")[..., 0]
    assert grey[0, 0] == 255
    assert np.abs((255 - grey) - values * 255.0 / 65535).max() <= 0.5


def test_16_bit_colour_is_read():
    content = encoded(Image.new("RGB", (20, 20), RED), "PNG")
    # Each sample twice is the same colour in 16 bits.
    rows = b"".join(b"\0" + bytes(v for c in RED for v in (c, c)) * 20 for _ in range(20))
    deep = content[:24] + b"\x10\x02" + content[26:29]
    deep += struct.pack(">I", zlib.crc32(deep[12:29]))
    for kind, data in ((b"IDAT", zlib.compress(rows)), (b"IEND", b"")):
        deep += (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )
    assert np.array_equal(decode(deep, "a")[3, 3], RED)


def test_palette_with_transparency_becomes_white():
    image = Image.new("P", (20, 20), 1)
    image.putpalette([0, 0, 0, *RED])
    opaque = decode(encoded(image, "PNG"), "a")
    assert np.array_equal(opaque[0, 0], RED)
    clear = decode(encoded(image, "PNG", transparency=1), "a")
    assert np.array_equal(clear[0, 0], (255, 255, 255))


def test_cmyk_and_grey_become_rgb():
    cmyk = decode(encoded(Image.new("CMYK", (20, 20), (0, 255, 255, 0)), "TIFF"), "a")
    assert cmyk.shape == (20, 20, 3)
    assert cmyk[0, 0, 0] > 200 > 60 > cmyk[0, 0, 1]
    assert np.array_equal(decode(encoded(Image.new("L", (20, 20), 7), "PNG"), "a")[3, 3], (7, 7, 7))


def test_bad_files_are_refused_each_with_its_reason():
    photo = encoded(Image.effect_noise((200, 200), 60).convert("RGB"), "JPEG")
    assert refusal(b"") == "images.empty"
    assert refusal(b"hello, I am a text") == "images.not_an_image"
    assert refusal(photo[: len(photo) // 2]) == "images.truncated"
    assert refusal(png_header(100, 100)) == "images.truncated"
    assert refusal(png_header(30_000, 20)) == "images.side_too_long"
    assert refusal(png_header(15_000, 15_000)) == "images.too_many_pixels"
    assert refusal(png_header(19_999, 19_999)) == "images.too_many_pixels"
    assert refusal(encoded(Image.new("RGB", (3, 200)), "PNG")) == "images.too_small"
    assert refusal(encoded(Image.new("F", (20, 20)), "TIFF")) == "images.float_pixels"


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_animations_and_pages_are_refused(kind):
    frames = [Image.new("RGB", (20, 20), (shade, 0, 0)) for shade in (0, 100, 200)]
    content = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
    assert refusal(content) == "images.animated"


def test_gif_is_not_among_the_formats():
    assert refusal(encoded(Image.new("P", (20, 20)), "GIF")) == "images.not_an_image"
