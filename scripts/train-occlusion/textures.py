"""Surfaces for what covers a face: cloth, noise, stripes, pieces of the photographs' surroundings."""

from __future__ import annotations

import cv2
import numpy as np


def noise(side: int, grain: float, rng: np.random.Generator) -> np.ndarray:
    """Smooth noise, side x side, about -1..1; `grain` is its wavelength in pixels."""
    small = max(2, round(side / grain) + 2)
    field = rng.normal(0, 0.5, (small, small)).astype(np.float32)
    return cv2.resize(field, (side, side), interpolation=cv2.INTER_CUBIC)


def any_colour(rng: np.random.Generator) -> np.ndarray:
    """A BGR colour; greys, blacks and whites are as frequent as the rest together."""
    if rng.random() < 0.5:
        return np.clip(rng.choice([20, 60, 128, 200, 240]) + rng.normal(0, 8, 3), 0, 255)
    hue = np.uint8([[[rng.integers(180), rng.integers(40, 255), rng.integers(30, 255)]]])
    return cv2.cvtColor(hue, cv2.COLOR_HSV2BGR)[0, 0].astype(np.float64)


def skin_colour(rng: np.random.Generator) -> np.ndarray:
    """A BGR colour of human skin, light to dark."""
    light = rng.uniform(0.25, 1)
    red = 60 + 185 * light
    return np.clip(np.array([red * rng.uniform(0.48, 0.72), red * rng.uniform(0.62, 0.8), red]), 0, 255)


def surface(side: int, scraps: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """A side x side x 3 float picture: plain, mottled, patterned, or cut from `scraps`."""
    kind = rng.random()
    if kind < 0.3:
        scrap = scraps[rng.integers(len(scraps))]
        size = int(rng.integers(24, min(scrap.shape[:2])))
        top, left = (int(rng.integers(0, n - size + 1)) for n in scrap.shape[:2])
        piece = scrap[top : top + size, left : left + size]
        piece = np.rot90(piece, rng.integers(4))
        return cv2.resize(piece, (side, side)).astype(np.float32) * rng.uniform(0.5, 1.3)
    first = any_colour(rng) if rng.random() < 0.75 else skin_colour(rng)
    plain = np.ones((side, side, 1), np.float32) * first
    if kind < 0.6:
        return plain * (1 + 0.12 * rng.random() * noise(side, rng.uniform(2, 40), rng)[..., None])
    other = any_colour(rng)
    across = np.add.outer(np.arange(side) * rng.uniform(-1, 1), np.arange(side) * rng.uniform(-1, 1))
    wave = np.sin(across * 2 * np.pi / rng.uniform(4, 24)) + noise(side, rng.uniform(4, 24), rng)
    share = np.clip(wave * rng.uniform(1, 6) + 0.5, 0, 1)[..., None]
    return plain * (1 - share) + other * share
