"""Reads still pictures safely: it checks the size in the header before it decodes a pixel. Finds no faces.

Folders of pictures and enrolment photographs come through here.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path
from struct import error as StructError
from struct import unpack_from

import cv2
import numpy as np

from edged.errors import EdgedError, NeedsOperator, NotFound, TryAnotherShot

MAX_PIXELS = 50_000_000  # decodes to 150 MB; the largest phone sensors export 48 megapixels
MAX_BYTES = 64 * 1024 * 1024
PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})

_USABLE = "Use a JPEG, PNG, BMP or WebP picture."
_JPEG_SIZE_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOFn without DHT, JPG and DAC
_JPEG_BARE_MARKERS = frozenset({0x01, *range(0xD0, 0xD9)})  # TEM, RSTn, SOI: no length follows


@dataclass(frozen=True)
class PictureHeader:
    """Format and size as the file states them; width and height in pixels, before EXIF rotation."""

    format: str
    width: int
    height: int
    animated: bool = False


def read_picture(path: str | Path) -> np.ndarray:
    """Read one still picture from a file.

    Greyscale, 16-bit and transparent pictures become 3 x 8 bit; OpenCV applies the EXIF rotation.

    Returns:
        height x width x 3 uint8 BGR, at full size (see `fit_within`).

    Raises:
        NotFound: `picture_missing`: there is no such file, or it is a folder, a pipe or a device.
        NeedsOperator: `picture_unreadable`: the system does not let us read it.
        TryAnotherShot: see `decode_picture`.
    """
    path = Path(path)
    try:
        if path.is_dir():
            raise NotFound(
                f"{path} is a folder, not a picture.", code="picture_missing", hint="Name a file in it."
            )
        info = path.stat()
        if not stat.S_ISREG(info.st_mode):  # reading a pipe or a device may never end
            raise NotFound(
                f"{path} is not a file, but a pipe or a device.",
                code="picture_missing",
                hint="Save the picture in a file.",
            )
        size = info.st_size
        data = path.read_bytes() if size <= MAX_BYTES else None
    except FileNotFoundError:
        raise NotFound(f"{path} is not there.", code="picture_missing", hint="Check the path.") from None
    except OSError as error:
        raise NeedsOperator(
            f"{path} cannot be read: {error.strerror}.",
            code="picture_unreadable",
            hint="Check its owner and permissions.",
        ) from error
    if data is None:
        raise _too_large(str(path), f"{size / 1e6:.0f} MB")
    return decode_picture(data, name=str(path))


def decode_picture(data: bytes, *, name: str = "the picture") -> np.ndarray:
    """Decode one still picture from memory. `name` appears in messages.

    Returns:
        height x width x 3 uint8 BGR.

    Raises:
        TryAnotherShot: `picture_corrupt` (empty, damaged or cut off), `picture_too_large` (over 50 megapixels
            or 64 MB), `picture_is_animation` (GIF, animated PNG or WebP), `picture_unsupported` (any other
            format).
    """
    if len(data) > MAX_BYTES:
        raise _too_large(name, f"{len(data) / 1e6:.0f} MB")
    header = read_header(data, name=name)
    if header.animated:
        raise TryAnotherShot(f"{name} is an animation.", code="picture_is_animation", hint=_USABLE)
    if header.width * header.height > MAX_PIXELS:
        raise _too_large(name, f"{header.width}x{header.height} pixels")
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise _corrupt(name) from error
    if image is None:
        raise _corrupt(name)
    return image


def read_header(data: bytes, *, name: str = "the picture") -> PictureHeader:
    """Format and size of a picture from its first bytes, without decoding.

    Raises:
        TryAnotherShot: `picture_corrupt` or `picture_unsupported`.
    """
    kind = sniff(data)
    if not data:
        raise TryAnotherShot(f"{name} is empty.", code="picture_corrupt", hint="Copy the file again.")
    if kind is None:
        raise TryAnotherShot(
            f"{name} is in a format edged does not read.", code="picture_unsupported", hint=_USABLE
        )
    try:
        header = _HEADERS[kind](data)
    except (StructError, IndexError) as error:
        raise _corrupt(name) from error
    if header.width <= 0 or header.height <= 0:
        raise _corrupt(name)
    return header


def sniff(data: bytes) -> str | None:
    """`jpeg`, `png`, `bmp`, `webp`, `gif` by the first bytes (12 are enough); None for anything else."""
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "webp"
    return "bmp" if data.startswith(b"BM") else None


def fit_within(image: np.ndarray, long_side: int = 1920, short_side: int = 1080) -> np.ndarray:
    """Scale `image` down until it fits, keeping its proportions; never up.

    1920x1080 keeps a face of 100 px usable as far away as the gate needs and bounds the work per picture.
    """
    height, width = image.shape[:2]
    scale = min(long_side / max(width, height), short_side / min(width, height))
    if scale >= 1:
        return image
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def _too_large(name: str, seen: str) -> EdgedError:
    return TryAnotherShot(
        f"{name} is too large: {seen}.",
        code="picture_too_large",
        hint=f"At most {MAX_PIXELS // 1_000_000} megapixels and {MAX_BYTES >> 20} MB; scale it down.",
    )


def _corrupt(name: str) -> EdgedError:
    return TryAnotherShot(f"{name} is damaged or cut off.", code="picture_corrupt", hint="Copy it again.")


def _jpeg(data: bytes) -> PictureHeader:
    at = 2
    while True:
        if data[at] != 0xFF:
            raise IndexError("no marker where one must be")
        marker = data[at + 1]
        if marker == 0xFF:  # fill byte before a marker
            at += 1
        elif marker in _JPEG_BARE_MARKERS:
            at += 2
        elif marker in _JPEG_SIZE_MARKERS:
            height, width = unpack_from(">HH", data, at + 5)
            return PictureHeader("jpeg", width, height)
        else:
            (length,) = unpack_from(">H", data, at + 2)
            at += 2 + length


def _png(data: bytes) -> PictureHeader:
    width, height = unpack_from(">II", data, 16)
    return PictureHeader("png", width, height, animated=_png_has_animation(data))


def _png_has_animation(data: bytes) -> bool:
    """APNG announces itself with an acTL chunk before the first picture data."""
    at = 8
    while at + 8 <= len(data):
        length, kind = unpack_from(">I4s", data, at)
        if kind in (b"acTL", b"IDAT"):
            return bool(kind == b"acTL")
        at += 12 + length
    return False


def _bmp(data: bytes) -> PictureHeader:
    (header_size,) = unpack_from("<I", data, 14)
    if header_size == 12:  # OS/2 1.x: 16-bit sizes
        width, height = unpack_from("<HH", data, 18)
    else:
        width, height = unpack_from("<ii", data, 18)
    return PictureHeader("bmp", width, abs(height))  # negative height: rows from top to bottom


def _webp(data: bytes) -> PictureHeader:
    chunk = data[12:16]
    if chunk == b"VP8X":
        width = int.from_bytes(data[24:27], "little") + 1
        height = int.from_bytes(data[27:30], "little") + 1
        return PictureHeader("webp", width, height, animated=bool(data[20] & 0x02))
    if chunk == b"VP8L":
        (bits,) = unpack_from("<I", data, 21)
        return PictureHeader("webp", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    width, height = unpack_from("<HH", data, 26)
    return PictureHeader("webp", width & 0x3FFF, height & 0x3FFF)


def _gif(data: bytes) -> PictureHeader:
    width, height = unpack_from("<HH", data, 6)
    return PictureHeader("gif", width, height, animated=True)


_HEADERS = {"jpeg": _jpeg, "png": _png, "bmp": _bmp, "webp": _webp, "gif": _gif}
