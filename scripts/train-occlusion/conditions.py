"""What a face may look like without being covered: light, camera, beard, make-up, fringe."""

from __future__ import annotations

import cv2
import numpy as np
from drawing import paint, polygon
from glasses import spectacles
from textures import any_colour, noise

_BEARD = (
    132,
    58,
    172,
    136,
    150,
    149,
    176,
    148,
    152,
    377,
    400,
    378,
    379,
    365,
    397,
    288,
    361,
    426,
    391,
    164,
    165,
    206,
)
_MOUSTACHE = (207, 206, 165, 2, 391, 426, 427, 410, 270, 0, 40, 186)
_LIPS = (61, 40, 37, 0, 267, 270, 291, 321, 314, 17, 84, 91)


def dress(picture: np.ndarray, points: np.ndarray, scraps: list, rng: np.random.Generator) -> np.ndarray:
    """Beard, lipstick, spectacles, fringe, hat, each now and then; nothing of it covers a part."""
    if rng.random() < 0.22:
        picture = beard(picture, points, rng)
    if rng.random() < 0.12:
        lips = polygon(len(picture), points[list(_LIPS), :2], 1.2)
        tint = np.array([rng.uniform(20, 120), rng.uniform(10, 90), rng.uniform(90, 220)])
        picture = paint(picture, np.ones_like(picture) * tint, lips * rng.uniform(0.15, 0.6))
    if rng.random() < 0.4:
        picture, _ = spectacles(picture, points, scraps, rng)
    if rng.random() < 0.2:
        picture = fringe(picture, points, rng)
    return picture


def beard(picture: np.ndarray, points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Stubble to full beard, or a moustache alone; lips stay free."""
    side = len(picture)
    outline = _MOUSTACHE if rng.random() < 0.35 else _BEARD
    area = polygon(side, points[list(outline), :2], rng.uniform(1.5, 4))
    if rng.random() < 0.6 and outline is _BEARD:
        area = np.maximum(area, polygon(side, points[list(_MOUSTACHE), :2], 2))
    area = area * (1 - polygon(side, points[list(_LIPS), :2], 1))
    hairs = np.clip(0.75 + 0.6 * noise(side, rng.uniform(1.2, 3), rng), 0, 1)
    grey = rng.choice([15, 30, 55, 90, 150, 200])
    colour = np.ones_like(picture) * (grey * np.array([0.75, 0.88, 1.0]))
    return paint(picture, colour, (area * hairs * rng.uniform(0.15, 0.9)).astype(np.float32))


def fringe(picture: np.ndarray, points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Hair or a hat's brim down to somewhere above the brows."""
    side = len(picture)
    low = points[10, 1] + (points[105, 1] - points[10, 1]) * rng.uniform(0.2, 1.0)
    columns = np.linspace(0, side, 12)
    edge = low + rng.normal(0, 2, 12)
    area = polygon(side, np.vstack([np.column_stack([columns, edge]), [[side, 0], [0, 0]]]), 1.0)
    inner = polygon(side, points[[127, 162, 21, 54, 103, 67, 109, 10, 338, 297, 332, 284, 251, 389, 356], :2])
    colour = any_colour(rng) * rng.uniform(0.1, 0.8)
    hairs = 1 + 0.3 * noise(side, 2, rng)[..., None]
    return paint(picture, np.ones_like(picture) * colour * hairs, area * inner)


def light(picture: np.ndarray, points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Side light, cast shadows, highlights, exposure, skin tone, colour of the lamp (float in, float out)."""
    side = len(picture)
    columns, rows = np.meshgrid(np.arange(side), np.arange(side))
    face = np.ptp(points[:, 1])
    away = rng.uniform(0, 2 * np.pi)
    across = ((columns - points[4, 0]) * np.cos(away) + (rows - points[4, 1]) * np.sin(away)) / face
    if rng.random() < 0.5:
        picture = picture * np.exp(rng.uniform(0, 1.3) * np.clip(across, -0.8, 0.8))[..., None]
    if rng.random() < 0.2:  # the edge of a shadow
        edge = 1 / (1 + np.exp(-(across - rng.uniform(-0.4, 0.4)) * rng.uniform(8, 60)))
        picture = picture * (1 - rng.uniform(0.2, 0.65) * edge)[..., None]
    if rng.random() < 0.35:
        picture = picture * (1 + 0.35 * noise(side, face / 3, rng))[..., None]
    if rng.random() < 0.25:  # shine
        for _ in range(rng.integers(1, 4)):
            at = points[rng.choice([4, 6, 50, 280, 151, 199, 117, 346]), :2]
            gap = np.exp(
                -((columns - at[0]) ** 2 + (rows - at[1]) ** 2) / (2 * (face * rng.uniform(0.02, 0.09)) ** 2)
            )
            picture = picture + gap[..., None] * rng.uniform(30, 130)
    if rng.random() < 0.4:  # skin tone
        picture = (
            picture * np.array([rng.uniform(0.6, 1.15), rng.uniform(0.8, 1.05), 1]) * rng.uniform(0.45, 1.15)
        )
    gamma = np.exp(rng.normal(0, 0.3))
    picture = 255 * (np.clip(picture, 0, 255) / 255) ** gamma
    lamp = np.exp(rng.normal(0, 0.09, 3))
    picture = picture * lamp * np.exp(rng.normal(0, 0.2)) + rng.normal(0, 8)
    if rng.random() < 0.5:
        grey = picture.mean(axis=2, keepdims=True)
        picture = grey + (picture - grey) * (0 if rng.random() < 0.3 else rng.uniform(0.3, 1.5))
    return picture


def camera(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Resolution, blur, noise and compression of a camera (float in, uint8 out)."""
    side = len(picture)
    if rng.random() < 0.4:
        small = int(side * rng.uniform(0.35, 0.9))
        picture = cv2.resize(picture, (small, small), interpolation=cv2.INTER_AREA)
        picture = cv2.resize(picture, (side, side), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.3:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.8))
    picture = picture + rng.normal(0, rng.choice([0.5, 2, 5, 9]), picture.shape)
    picture = np.clip(picture, 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        code = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 95))])[1]
        picture = cv2.imdecode(code, cv2.IMREAD_COLOR)
    return picture
