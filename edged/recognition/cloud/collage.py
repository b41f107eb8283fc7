"""Puts several people's faces in one picture for `multi-search`, and assigns the answers. Sends nothing.

Why a collage of crops and not the camera's frame: docs/decisions/0008-collage.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from edged.events import ShotChosen
from edged.recognition.cloud.crop import FILLING, Box, cut, encode, face_in_square

MAX_FACES: Final = 10  # docs/reference/face-api.md 4.4
TILE_PX: Final = 360  # the face is 120 pixels, 80..200 are recommended: docs/reference/face-api.md 5.1
COLUMNS: Final = 5  # 5 x 2 tiles are 1800 x 720, below 1920 x 1080: docs/reference/face-api.md 6.1
MAX_BYTES: Final = 1_400_000  # 2 MB as Base64 text are the most: docs/reference/face-api.md 6.1

MIN_OVERLAP: Final = 0.3
"""Intersection over union from which a box of the answer is the face that was sent. Two detectors draw the
same face differently, up to half as wide again; faces of neighbouring tiles are 240 pixels apart."""


@dataclass(frozen=True)
class Collage:
    """A picture of several faces: JPEG bytes, and the box of each face in it, in the order given."""

    jpeg: bytes = field(repr=False)
    faces: tuple[Box, ...]


def lay_out(shots: Sequence[ShotChosen], jpeg_quality: int) -> Collage:
    """One picture of 2 to 10 shots, a square tile for each, from left to right and top to bottom.

    Raises:
        TryAnotherShot: a shot has no picture.
        ValueError: there are more than 10.
    """
    if len(shots) > MAX_FACES:
        raise ValueError(f"{len(shots)} faces; {MAX_FACES} are the most")
    columns, rows = min(COLUMNS, len(shots)), -(-len(shots) // COLUMNS)
    picture = np.full((rows * TILE_PX, columns * TILE_PX, 3), FILLING, np.uint8)
    faces = []
    for number, shot in enumerate(shots):
        left, top = number % COLUMNS * TILE_PX, number // COLUMNS * TILE_PX
        picture[top : top + TILE_PX, left : left + TILE_PX] = cut(shot, TILE_PX)
        x, y, width, height = face_in_square(shot, TILE_PX)
        faces.append((left + x, top + y, width, height))
    return Collage(encode(picture, jpeg_quality, MAX_BYTES), tuple(faces))


def assign(faces: Sequence[Box], answers: Sequence[Box]) -> list[int | None]:
    """For each face the index of the answer whose box overlaps it.

    None if no answer does, if two do, or if the answer overlaps another face too: an ambiguous answer must
    not grant anybody access.
    """
    near = [[n for n, box in enumerate(answers) if overlap(face, box) >= MIN_OVERLAP] for face in faces]
    claims = [number for numbers in near for number in numbers]
    return [numbers[0] if len(numbers) == 1 and claims.count(numbers[0]) == 1 else None for numbers in near]


def overlap(one: Box, other: Box) -> float:
    """Intersection over union of two boxes, 0..1."""
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    common = width * height
    return common / (one[2] * one[3] + other[2] * other[3] - common)
