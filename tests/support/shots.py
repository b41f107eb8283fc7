"""Shots of drawn faces: a block of one colour for a head, so that a stand-in cloud can tell people apart.

The colour is the person. Whoever reads it from a picture has read pixels that went through cutting, scaling
and JPEG, as a real face would.
"""

from __future__ import annotations

import cv2
import numpy as np

from edged.clock import Clock
from edged.events import Measures, ShotChosen

HUES = {
    name: hue
    for hue, name in zip(
        range(0, 180, 15),
        (
            *("ann", "bert", "cleo", "dora", "emil", "fred", "gina", "hugo"),
            *("stranger", "masked", "replay", "nobody"),
        ),
        strict=True,
    )
}
"""Hue 0..179 by name. `stranger`: a face like any other; `masked`, `replay`: refused by the cloud's quality
and liveness controls; `nobody`: like a stranger, for a second one."""

ALIGNED = np.zeros((112, 112, 3), np.uint8)


def colour(name: str) -> tuple[int, int, int]:
    """The colour of a person, BGR."""
    pixel = cv2.cvtColor(np.uint8([[[HUES[name], 255, 220]]]), cv2.COLOR_HSV2BGR)[0, 0]
    return tuple(int(channel) for channel in pixel)


def scene(width: int, height: int, *faces: tuple[str, tuple[int, int, int, int]]) -> np.ndarray:
    """A grey picture with these people: name, and x, y, width, height of the face."""
    picture = np.full((height, width, 3), 127, np.uint8)
    for name, (x, y, w, h) in faces:
        cv2.rectangle(picture, (x, y), (x + w - 1, y + h - 1), colour(name), -1)
    return picture


def drawn_shot(
    clock: Clock,
    passage: str,
    who: str,
    *,
    number: int = 1,
    face_px: int = 120,
    quality: float = 0.7,
    captured_s: float | None = None,
) -> ShotChosen:
    """A shot of one person in the middle of a picture three times as wide as the face."""
    side = face_px * 3
    box = (face_px, face_px, int(face_px * 0.8), face_px)
    return ShotChosen(
        at=clock.now(),
        passage_id=passage,
        door_id="door1",
        camera_id="cam1",
        track_id=sum(passage.encode()),
        shot_number=number,
        frame_number=number,
        captured_s=clock.monotonic() if captured_s is None else captured_s,
        quality=quality,
        measures=Measures(face_px=face_px, detection=0.9),
        aligned=ALIGNED,
        picture=scene(side, side, (who, box)),
        face_box=tuple(float(v) for v in box),
    )


def faces_in(picture: np.ndarray) -> list[tuple[str, tuple[int, int, int, int]]]:
    """The people drawn in a picture, largest first: name, and x, y, width, height."""
    hsv = cv2.cvtColor(picture, cv2.COLOR_BGR2HSV)
    mask = ((hsv[..., 1] > 120) & (hsv[..., 2] > 90)).astype(np.uint8)
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((9, 9), np.uint8))
    _, _, stats, centres = cv2.connectedComponentsWithStats(mask)
    found = []
    for (x, y, w, h, area), centre in zip(stats[1:], centres[1:], strict=True):
        hue = int(hsv[int(centre[1]), int(centre[0]), 0])
        found.append((area, (_named(hue), (int(x), int(y), int(w), int(h)))))
    return [face for _, face in sorted(found, key=lambda f: -f[0])]


def _named(hue: int) -> str:
    return min(HUES, key=lambda name: min(abs(HUES[name] - hue), 180 - abs(HUES[name] - hue)))
