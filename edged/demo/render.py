"""Draws the demo scene: any picture of it by its number, always the same for the same seed.

No clock and no state: after one preparation of a stage, the number alone gives the picture.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from edged.demo.cutout import Cutout, cut_out
from edged.demo.hall import HEIGHT_PX, WIDTH_PX, hall
from edged.demo.photographs import scene_photographs
from edged.demo.script import Pose, Script, write_script

FPS = 25.0
_NOISE_SHIFT_PX = 64  # the noise picture is larger than the scene by this and is moved about
_NOISE_SIGMA = 2.2  # grey levels, a usual sensor in room light


@dataclass(frozen=True, slots=True)
class Stage:
    """The parts that all pictures share: script, background, people, sensor noise."""

    seed: int
    script: Script
    background: np.ndarray
    cutouts: dict[str, Cutout]
    noise: tuple[np.ndarray, np.ndarray]

    @property
    def frames(self) -> int:
        """Pictures from the first to the last."""
        return int(self.script.duration_s * FPS)


def prepare(seed: int = 0, between: Callable[[], None] = lambda: None) -> Stage:
    """Cut out the people and paint the hall; takes about two seconds.

    Args:
        between: runs after each step of the work, about every 0.2 s; an exception from it ends the
            preparation.

    Raises:
        NotFound: a photograph is missing.
    """
    script = write_script(seed)
    photos = scene_photographs()
    cutouts = {}
    for name in sorted({walk.role.name for walk in script.walks}):
        cutouts[name] = cut_out(photos[name])
        between()
    return Stage(seed, script, hall(np.random.default_rng([seed, 2])), cutouts, _noise(seed))


def render(stage: Stage, number: int) -> np.ndarray:
    """Picture `number` of the scene, 720x1280x3 uint8 BGR, 25 a second.

    Raises:
        IndexError: the scene has no such picture.
    """
    if not 0 <= number < stage.frames:
        raise IndexError(f"the scene has pictures 0 to {stage.frames - 1}, not {number}")
    time_s = number / FPS
    picture = stage.background.copy()
    for pose in stage.script.poses(time_s):
        _draw(picture, stage.cutouts[pose.name], pose)
    light = stage.script.light(time_s)
    if light < 1:
        cv2.convertScaleAbs(picture, picture, alpha=light)
    _add_noise(picture, stage, number)
    return picture


def _draw(picture: np.ndarray, cutout: Cutout, pose: Pose) -> None:
    """Blend one person into the picture, in place."""
    level = cutout.level_for(pose.face_px)
    turn = cv2.getRotationMatrix2D(level.centre, -pose.roll_deg, pose.face_px / level.face_px)
    turn[:, 2] += np.subtract((pose.x, pose.y), level.centre)
    margin = round(pose.blur * pose.face_px * 4)
    area = _area(turn, level.pixels.shape, margin)
    if area is None:
        return
    x0, y0, x1, y1 = area
    turn[:, 2] -= (x0, y0)
    layer = cv2.warpAffine(level.pixels, turn, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR)
    if pose.blur > 0:
        layer = _blurred(layer, pose.blur * pose.face_px)
    if pose.presence < 1:
        layer = cv2.convertScaleAbs(layer, alpha=pose.presence)
    x, y = max(0, -x0), max(0, -y0)
    layer = layer[y : y + min(y1, HEIGHT_PX) - max(y0, 0), x : x + min(x1, WIDTH_PX) - max(x0, 0)]
    _blend(picture[max(y0, 0) : min(y1, HEIGHT_PX), max(x0, 0) : min(x1, WIDTH_PX)], layer)


def _area(turn: np.ndarray, shape: tuple[int, ...], margin: int) -> tuple[int, int, int, int] | None:
    """x0, y0, x1, y1 of the person in the picture enlarged by `margin`; None when outside."""
    corners = np.array([[0, 0, 1], [shape[1], 0, 1], [0, shape[0], 1], [shape[1], shape[0], 1]], np.float64)
    points = corners @ turn.T
    x0, y0 = np.floor(points.min(axis=0)).astype(int) - margin
    x1, y1 = np.ceil(points.max(axis=0)).astype(int) + margin
    if x1 <= 0 or y1 <= 0 or x0 >= WIDTH_PX or y0 >= HEIGHT_PX:
        return None
    return (
        max(int(x0), -margin),
        max(int(y0), -margin),
        min(int(x1), WIDTH_PX + margin),
        min(int(y1), HEIGHT_PX + margin),
    )


def _blurred(layer: np.ndarray, sigma_px: float) -> np.ndarray:
    """Out of focus (Gaussian); at a smaller size, because nothing fine is left."""
    shrink = max(1, int(sigma_px / 2))
    size = layer.shape[1], layer.shape[0]
    small = cv2.resize(
        layer, (max(1, size[0] // shrink), max(1, size[1] // shrink)), interpolation=cv2.INTER_AREA
    )
    small = cv2.GaussianBlur(small, (0, 0), sigma_px / shrink)
    return cv2.resize(small, size, interpolation=cv2.INTER_LINEAR)


def _blend(target: np.ndarray, layer: np.ndarray) -> None:
    """Put a layer of multiplied colours and alpha over the target, in place."""
    through = cv2.cvtColor(255 - layer[..., 3], cv2.COLOR_GRAY2BGR)
    target[:] = cv2.add(cv2.multiply(target, through, scale=1 / 255), cv2.cvtColor(layer, cv2.COLOR_BGRA2BGR))


def _noise(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two pictures of grey levels 0..; one is added and the other subtracted, so the mean stays."""
    rng = np.random.default_rng([seed, 3])
    shape = HEIGHT_PX + _NOISE_SHIFT_PX, WIDTH_PX + _NOISE_SHIFT_PX, 3
    first, second = (
        np.abs(rng.standard_normal(shape, np.float32) * _NOISE_SIGMA).astype(np.uint8) for _ in range(2)
    )
    return first, second


def _add_noise(picture: np.ndarray, stage: Stage, number: int) -> None:
    shifts = np.random.default_rng([stage.seed, 4, number]).integers(0, _NOISE_SHIFT_PX, 4)
    for noise, change, (dx, dy) in zip(
        stage.noise, (cv2.add, cv2.subtract), shifts.reshape(2, 2), strict=True
    ):
        change(picture, noise[dy : dy + HEIGHT_PX, dx : dx + WIDTH_PX], dst=picture)
