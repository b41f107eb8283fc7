"""Safe reading of still pictures (edged/pictures.py): formats, rotation, limits, damage."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from edged.errors import NotFound, TryAnotherShot
from edged.pictures import MAX_BYTES, decode_picture, fit_within, read_header, read_picture


def encode(image: np.ndarray, suffix: str = ".png") -> bytes:
    return cv2.imencode(suffix, image)[1].tobytes()


def gradient(height: int = 40, width: int = 60) -> np.ndarray:
    rows, columns = np.mgrid[0:height, 0:width]
    return np.stack([rows * 3, columns * 3, rows + columns], axis=2).astype(np.uint8)


def exif_jpeg(image: np.ndarray, orientation: int) -> bytes:
    tiff = b"II*\0" + struct.pack("<IH", 8, 1) + struct.pack("<HHII", 0x0112, 3, 1, orientation) + b"\0" * 4
    body = b"Exif\0\0" + tiff
    jpeg = encode(image, ".jpg")
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


def png_header_only(width: int, height: int) -> bytes:
    ihdr = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + ihdr + struct.pack(">I", zlib.crc32(ihdr))


def code_of(data: bytes) -> str:
    with pytest.raises(TryAnotherShot) as caught:
        decode_picture(data)
    assert caught.value.hint
    return caught.value.code


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".webp", ".jpg"])
def test_still_formats_decode_to_bgr_of_the_announced_size(suffix: str) -> None:
    data = encode(gradient(), suffix)
    header = read_header(data)
    image = decode_picture(data)
    assert (header.width, header.height) == (60, 40)
    assert image.shape == (40, 60, 3)
    assert image.dtype == np.uint8
    assert np.abs(image.astype(int) - gradient()).mean() < 8


def test_lossless_webp_announces_its_size() -> None:
    data = cv2.imencode(".webp", gradient(), [cv2.IMWRITE_WEBP_QUALITY, 101])[1].tobytes()
    assert data[12:16] == b"VP8L"
    assert (read_header(data).width, read_header(data).height) == (60, 40)


def test_16_bit_png_becomes_8_bit() -> None:
    deep = gradient().astype(np.uint16) * 257
    assert np.array_equal(decode_picture(encode(deep)), gradient())


def test_greyscale_becomes_three_equal_channels() -> None:
    image = decode_picture(encode(gradient()[:, :, 0]))
    assert image.shape == (40, 60, 3)
    assert np.array_equal(image[:, :, 0], image[:, :, 2])


def test_transparency_is_left_out() -> None:
    rgba = np.dstack([gradient(), np.full((40, 60), 7, np.uint8)])
    assert np.array_equal(decode_picture(encode(rgba)), gradient())


def test_exif_rotation_is_applied() -> None:
    upright = decode_picture(exif_jpeg(gradient(), orientation=6))
    assert upright.shape == (60, 40, 3)
    expected = cv2.rotate(gradient(), cv2.ROTATE_90_CLOCKWISE)
    assert np.abs(upright.astype(int) - expected).mean() < 8


def test_one_pixel_is_a_picture() -> None:
    assert decode_picture(encode(np.full((1, 1, 3), 9, np.uint8))).shape == (1, 1, 3)


def test_bytes_after_the_end_of_a_jpeg_do_no_harm() -> None:
    assert decode_picture(encode(gradient(), ".jpg") + b"trailer of a phone").shape == (40, 60, 3)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".webp", ".jpg"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.95])
def test_a_cut_off_picture_is_corrupt(suffix: str, share: float) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8)
    data = encode(noise, suffix)
    assert code_of(data[: max(13, int(len(data) * share))]) == "picture_corrupt"


def test_a_jpeg_with_garbage_inside_its_header_is_corrupt() -> None:
    data = encode(gradient(), ".jpg")
    assert code_of(data[:20] + b"\x00" * 200) == "picture_corrupt"


def test_an_empty_file_is_corrupt() -> None:
    assert code_of(b"") == "picture_corrupt"


def test_a_picture_without_area_is_corrupt() -> None:
    assert code_of(png_header_only(0, 100)) == "picture_corrupt"


def test_gif_is_an_animation_not_a_picture() -> None:
    assert code_of(b"GIF89a" + struct.pack("<HH", 10, 10) + b"\0\0\0;") == "picture_is_animation"


def test_animated_png_is_an_animation() -> None:
    data = encode(gradient())
    body = b"acTL" + struct.pack(">II", 2, 0)
    chunk = struct.pack(">I", 8) + body + struct.pack(">I", zlib.crc32(body))
    assert code_of(data[:33] + chunk + data[33:]) == "picture_is_animation"


@pytest.mark.parametrize("data", [b"II*\0 a TIFF file", b"\0\0\0\x18ftypheic....", b"hello, world"])
def test_other_formats_are_unsupported(data: bytes) -> None:
    assert code_of(data) == "picture_unsupported"


def test_a_hundred_megapixels_are_refused_by_the_header_alone() -> None:
    assert code_of(png_header_only(10_000, 10_000)) == "picture_too_large"


def test_a_jpeg_header_that_promises_too_much_is_refused() -> None:
    data = bytearray(encode(gradient(), ".jpg"))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", 60_000, 60_000)
    assert code_of(bytes(data)) == "picture_too_large"


def test_a_file_over_64_mb_is_refused_without_reading_it(tmp_path) -> None:
    path = tmp_path / "huge.bmp"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(TryAnotherShot) as caught:
        read_picture(path)
    assert caught.value.code == "picture_too_large"


def test_a_missing_file_is_not_found(tmp_path) -> None:
    with pytest.raises(NotFound) as caught:
        read_picture(tmp_path / "nobody.jpg")
    assert caught.value.code == "picture_missing"
    assert "nobody.jpg" in caught.value.message


def test_a_folder_is_not_a_picture(tmp_path) -> None:
    with pytest.raises(NotFound) as caught:
        read_picture(tmp_path)
    assert caught.value.code == "picture_missing"


def test_a_pipe_or_a_device_is_not_waited_for(tmp_path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    for path in (tmp_path / "pipe.jpg", Path("/dev/zero")):
        with pytest.raises(NotFound, match="not a file"):
            read_picture(path)


def test_large_pictures_are_scaled_down_small_ones_left_alone() -> None:
    assert fit_within(np.zeros((2000, 4000, 3), np.uint8)).shape == (960, 1920, 3)
    assert fit_within(np.zeros((4000, 3000, 3), np.uint8)).shape == (1440, 1080, 3)
    small = np.zeros((250, 250, 3), np.uint8)
    assert fit_within(small) is small
