"""The picture of one face for the cloud: cut out, scaled, encoded. Sends nothing.

Rules: docs/reference/face-api.md 5.1 (face at least 100 pixels and about a third of the picture, picture at
least 200 pixels wide, JPEG quality 0.8 or more), 6.1 (at most 1280 x 720 pixels and 300 KB).
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from edged.errors import TryAnotherShot
from edged.events import ShotChosen

Box = tuple[float, float, float, float]
"""x, y, width, height in pixels."""

SIDES_OVER_FACE: Final = 3.0
MIN_FACE_PX: Final = 100.0
MAX_FACE_PX: Final = 200.0  # the upper end of the recommended working range: more only costs bytes
MAX_BYTES: Final = 300_000
MIN_JPEG_QUALITY: Final = 80
FILLING: Final = 127
"""Grey level outside the camera's picture; a detector finds nothing in it."""


def face_picture(shot: ShotChosen, jpeg_quality: int) -> bytes:
    """The square JPEG of one shot: the face in its middle, a third of its side.

    A face below 100 pixels, which only passes if the site has lowered its own limit, is enlarged to 100: it
    gains no detail, but the cloud's detector finds it.

    Args:
        jpeg_quality: 80..100; lowered towards 80 if the file would exceed 300 KB; after that the picture
            shrinks.

    Raises:
        TryAnotherShot: the shot has no picture (code `cloud_request_picture`).
    """
    _, (_, _, width, height) = _picture_and_box(shot)
    face_px = min(max(MIN_FACE_PX, width, height), MAX_FACE_PX)
    while True:
        jpeg = encode(cut(shot, round(face_px * SIDES_OVER_FACE)), jpeg_quality, MAX_BYTES)
        if len(jpeg) <= MAX_BYTES or face_px <= MIN_FACE_PX:
            return jpeg
        face_px = max(MIN_FACE_PX, face_px * 0.8)


def cut(shot: ShotChosen, side_px: int) -> np.ndarray:
    """The face with its surroundings, side_px x side_px x 3 uint8 BGR: the face in the middle, its larger
    side a third of the picture's; grey where the camera's picture ended.

    Raises:
        TryAnotherShot: the shot has no picture.
    """
    picture, (x, y, width, height) = _picture_and_box(shot)
    scale = side_px / (max(width, height) * SIDES_OVER_FACE)
    rows, columns = picture.shape[:2]
    size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    shrinking = scale < 1
    scaled = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_CUBIC)
    left = round((x + width / 2) * scale - side_px / 2)
    top = round((y + height / 2) * scale - side_px / 2)
    return _window(scaled, left, top, side_px)


def face_in_square(shot: ShotChosen, side_px: int) -> Box:
    """The box of the face in the picture of `cut`."""
    _, (_, _, width, height) = _picture_and_box(shot)
    scale = side_px / (max(width, height) * SIDES_OVER_FACE)
    width, height = width * scale, height * scale
    return (side_px - width) / 2, (side_px - height) / 2, width, height


def encode(image: np.ndarray, jpeg_quality: int, max_bytes: int) -> bytes:
    """`image` as JPEG, with a lower quality (down to 80) while it has more than `max_bytes`."""
    while True:
        encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, jpeg_quality])[1].tobytes()
        if len(encoded) <= max_bytes or jpeg_quality <= MIN_JPEG_QUALITY:
            return encoded
        jpeg_quality = max(MIN_JPEG_QUALITY, jpeg_quality - 5)


def _picture_and_box(shot: ShotChosen) -> tuple[np.ndarray, Box]:
    if shot.picture is None or shot.face_box is None or not max(shot.face_box[2:]) > 0:
        raise TryAnotherShot("The shot has no picture to send to the cloud.", code="cloud_request_picture")
    return shot.picture, shot.face_box


def _window(image: np.ndarray, left: int, top: int, side: int) -> np.ndarray:
    """The square of `image` that begins at `left`, `top` (either may be negative), filled up with grey."""
    out = np.full((side, side, 3), FILLING, np.uint8)
    rows, columns = image.shape[:2]
    x0, x1 = max(0, left), min(columns, left + side)
    y0, y1 = max(0, top), min(rows, top + side)
    if x0 < x1 and y0 < y1:
        out[y0 - top : y1 - top, x0 - left : x1 - left] = image[y0:y1, x0:x1]
    return out
