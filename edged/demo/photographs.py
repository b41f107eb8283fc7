"""The photographs of the demo: their files, the people on them, and the place of each face.

No rendering here. photos/CREDITS.md has licences and authors; programs find them in the manifest.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from edged.errors import NotFound

PHOTO_DIR = Path(__file__).parent / "photos"


@dataclass(frozen=True, slots=True)
class Photograph:
    """One file of photos/manifest.json.

    Args:
        path: the unmodified original.
        name: the person shown.
        person_id: identifier to enrol the person under; None for people who stay strangers.
        use: `enrol`, or `scene` for the one that the scene animates.
        face_box: x, y, width, height in pixels of the file, as the YuNet detector sees the face.
    """

    path: Path
    name: str
    person_id: str | None
    use: Literal["enrol", "scene"]
    face_box: tuple[int, int, int, int]


def photographs() -> tuple[Photograph, ...]:
    """Every photograph of the demo, in the order of the manifest."""
    rows = json.loads((PHOTO_DIR / "manifest.json").read_text(encoding="utf-8"))
    return tuple(
        Photograph(PHOTO_DIR / row["file"], row["name"], row["person_id"], row["use"], tuple(row["face_box"]))
        for row in rows
    )


def scene_photographs() -> dict[str, Photograph]:
    """The photograph that the scene shows of each person, by name."""
    return {photo.name: photo for photo in photographs() if photo.use == "scene"}


def enrolments() -> dict[str, tuple[str, Path]]:
    """The people to enrol for the demo: `{person_id: (name, photograph)}`.

    The scene shows other photographs of them. The face of `emmanuel_macron` is 73 px wide: enrolling it
    needs a lower `vision.enrol_quality.min_face_px` than the default of 100.
    """
    return {
        photo.person_id: (photo.name, photo.path)
        for photo in photographs()
        if photo.use == "enrol" and photo.person_id is not None
    }


def read_photograph(path: Path) -> np.ndarray:
    """The picture as HxWx3 uint8 BGR.

    Raises:
        NotFound: the file is missing or is not a picture, so the installation is incomplete.
    """
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise NotFound(
            f"demo photograph {path} cannot be read.",
            code="demo_photograph_missing",
            hint="The installation is incomplete; install edged again.",
        )
    return image
