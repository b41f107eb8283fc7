"""The entrance hall behind the people: a generated picture of an empty corridor.

Every pixel is a ray into a box (floor, ceiling, two walls, end wall), so the perspective fits the people,
whose sizes are computed with the same focal length.
"""

from __future__ import annotations

import cv2
import numpy as np

WIDTH_PX, HEIGHT_PX = 1280, 720
FOCAL_PX = 1000.0  # horizontal view of 65 degrees, a usual door camera
HORIZON_PX = 300.0  # picture row of the camera's own height
CAMERA_M, CEILING_M = 1.6, 1.35  # above the floor; from the camera up
END_M = 8.0  # distance of the end wall

# wall, floor, end wall, door: BGR
_PALETTES = (
    ((176, 188, 194), (112, 120, 128), (196, 204, 206), (92, 112, 134)),
    ((190, 190, 182), (104, 108, 104), (206, 206, 198), (128, 112, 92)),
    ((172, 184, 178), (92, 104, 116), (190, 202, 196), (84, 96, 104)),
    ((184, 180, 186), (120, 118, 114), (204, 200, 204), (70, 92, 120)),
)


def hall(rng: np.random.Generator) -> np.ndarray:
    """A hall of 720x1280x3 uint8 BGR; colours, width and door differ from one generator state to the next."""
    wall, floor, end, door = (np.array(c, np.float32) for c in _PALETTES[rng.integers(len(_PALETTES))])
    half_width_m = float(rng.uniform(2.0, 2.6))
    door_m = float(rng.uniform(-0.5, 0.5))
    x, y, z, surface = _cast(half_width_m)
    picture = np.empty((HEIGHT_PX, WIDTH_PX, 3), np.float32)
    for index, paint in enumerate(
        (_floor(x, z, floor), _ceiling(x, z), _wall(y, z, wall), _end(x, y, end, door, door_m))
    ):
        here = surface == index
        picture[here] = paint[here]
    picture *= _light(x, y, z)[..., None]
    # the lens is focused on people at the door, not on the walls
    return np.clip(cv2.GaussianBlur(picture, (0, 0), 1.6), 0, 255).astype(np.uint8)


def _cast(half_width_m: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Metres right, down and ahead of the camera of each pixel; its surface (0 floor … 3 end)."""
    rows, columns = np.mgrid[0:HEIGHT_PX, 0:WIDTH_PX].astype(np.float32)
    right = (columns - WIDTH_PX / 2 + 0.25) / FOCAL_PX
    down = (rows - HORIZON_PX + 0.25) / FOCAL_PX
    distances = np.stack(
        [
            np.where(down > 0, CAMERA_M / np.maximum(down, 1e-6), np.inf),
            np.where(down < 0, CEILING_M / np.maximum(-down, 1e-6), np.inf),
            half_width_m / np.maximum(np.abs(right), 1e-6),
            np.full_like(right, END_M),
        ]
    )
    z = distances.min(axis=0)
    return right * z, down * z, z, distances.argmin(axis=0)


def _lines(metres: np.ndarray, spacing_m: float, width_m: float) -> np.ndarray:
    """1 on a joint every `spacing_m`, 0 between."""
    from_joint = np.abs((metres + spacing_m / 2) % spacing_m - spacing_m / 2)
    return np.where(from_joint < width_m / 2, np.float32(1), np.float32(0))


def _floor(x: np.ndarray, z: np.ndarray, colour: np.ndarray) -> np.ndarray:
    joints = np.maximum(_lines(x, 0.6, 0.012), _lines(z, 0.6, 0.02))
    shine = 0.32 * np.exp(-(((z - END_M) / 3.0) ** 2)) * np.exp(-((x / 1.1) ** 2))
    lit: np.ndarray = colour * (1 - 0.12 * joints + shine)[..., None]
    return lit


def _ceiling(x: np.ndarray, z: np.ndarray) -> np.ndarray:
    lamp = (np.abs(x) < 0.35) & (np.abs((z + 0.4) % 2.4 - 1.2) < 0.5)
    panels = 1 - 0.06 * np.maximum(_lines(x + 0.3, 0.6, 0.02), _lines(z, 0.6, 0.03))
    return np.where(lamp[..., None], np.float32(300), np.float32(188) * panels[..., None])


def _wall(y: np.ndarray, z: np.ndarray, colour: np.ndarray) -> np.ndarray:
    skirting = (y > CAMERA_M - 0.12)[..., None]
    rail = (np.abs(y - 0.55) < 0.035)[..., None]
    columns = 1 - 0.10 * _lines(z + 0.4, 2.0, 0.35)
    plain = colour * columns[..., None]
    return np.where(skirting, colour * 0.55, np.where(rail, colour * 0.8, plain))


def _end(x: np.ndarray, y: np.ndarray, colour: np.ndarray, door: np.ndarray, door_m: float) -> np.ndarray:
    across = np.abs(x - door_m)
    frame = (across < 0.98) & (y > -0.62)
    leaf = (across < 0.90) & (y > -0.54)
    pane = (across < 0.78) & (across > 0.10) & (y > -0.42) & (y < CAMERA_M - 0.25)
    daylight = np.array([236, 232, 224], np.float32) * (1.0 - 0.12 * (y + 0.4))[..., None]
    picture = np.where(frame[..., None], door * 0.6, colour)
    picture = np.where(leaf[..., None], door, picture)
    return np.where(pane[..., None], daylight, picture)


def _light(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Soft light from the ceiling lamps, weaker towards the floor, the corners and the camera."""
    height = 0.90 - 0.10 * (y / CAMERA_M)
    lamps = 0.05 * np.cos(2 * np.pi * z / 2.4)
    depth = 0.86 + 0.12 * np.minimum(z / END_M, 1)
    corners = 1 - 0.10 * (np.abs(x) / 2.6) ** 2
    light: np.ndarray = (height + lamps) * depth * corners
    return light
