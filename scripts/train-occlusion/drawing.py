"""Painting over a picture: polygons, shading, where the eyes are."""

from __future__ import annotations

import cv2
import numpy as np
from textures import noise

Drawn = tuple[np.ndarray, np.ndarray]
"""A picture (SxSx3 float, BGR 0..255) and how far each pixel is covered (SxS, 0..1)."""

_EYE_CORNERS = ((33, 133), (362, 263))


def polygon(side: int, points: np.ndarray, soft: float = 0.7) -> np.ndarray:
    """Cover 0..1 of a filled polygon with soft edges."""
    mask = np.zeros((side, side), np.uint8)
    cv2.fillPoly(mask, [np.round(points * 8).astype(np.int32)], 255, cv2.LINE_AA, 3)
    return cv2.GaussianBlur(mask, (0, 0), soft).astype(np.float32) / 255


def paint(picture: np.ndarray, source: np.ndarray, cover: np.ndarray) -> np.ndarray:
    """`source` over `picture` where `cover` says."""
    return picture * (1 - cover[..., None]) + source * cover[..., None]


def shade(picture: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Smooth light and dark over the whole surface."""
    return picture * (1 + strength * noise(len(picture), len(picture) / 3, rng)[..., None])


def eye_frame(points: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Centres of both eyes (2x2), the unit vector between them, their distance."""
    centres = np.array([points[list(c), :2].mean(axis=0) for c in _EYE_CORNERS])
    gap = centres[1] - centres[0]
    distance = float(np.linalg.norm(gap))
    return centres, gap / distance, distance
