"""Cutting faces out: the 112x112 crop the embedder was trained on, and the wider picture for records."""

from __future__ import annotations

import cv2
import numpy as np

ALIGNED_SIDE = 112
_TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
"""Where eyes, nose tip and mouth corners lie in the crop SFace was trained on."""


def align(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Turn, scale and move the face to the embedder's standard place.

    Args:
        image: HxWx3 uint8 BGR.
        points: 5x2, eyes, nose tip, mouth corners in picture pixels.

    Returns:
        112x112x3 uint8 BGR; parts outside the picture are black.
    """
    return cv2.warpAffine(image, similarity(points), (ALIGNED_SIDE, ALIGNED_SIDE), flags=cv2.INTER_LINEAR)


def similarity(points: np.ndarray) -> np.ndarray:
    """2x3 least-squares similarity transform (rotation, one scale, shift) from `points` to the template."""
    x, y = (np.asarray(points, np.float64) - np.mean(points, axis=0)).T
    u, v = (_TEMPLATE - _TEMPLATE.mean(axis=0)).T
    spread = max(float((x * x + y * y).sum()), 1e-9)
    a = float((x * u + y * v).sum()) / spread
    b = float((x * v - y * u).sum()) / spread
    turn = np.array([[a, -b], [b, a]])
    shift = _TEMPLATE.mean(axis=0) - turn @ np.mean(points, axis=0)
    return np.column_stack([turn, shift])


def surroundings(
    image: np.ndarray, box: tuple[float, float, float, float], *, enlarge: float = 2.0
) -> tuple[np.ndarray, tuple[float, float, float, float]]:
    """Cut out the face with its surroundings, at most to the picture's border.

    Args:
        box: x, y, width, height.
        enlarge: side of the cut over the larger side of the box.

    Returns:
        A copy of the cut, and where the face's box is in it.
    """
    x, y, width, height = box
    half = max(width, height) * enlarge / 2
    centre_x, centre_y = x + width / 2, y + height / 2
    rows, columns = image.shape[:2]
    left, right = (int(np.clip(v, 0, columns)) for v in (centre_x - half, centre_x + half))
    top, bottom = (int(np.clip(v, 0, rows)) for v in (centre_y - half, centre_y + half))
    return image[top:bottom, left:right].copy(), (x - left, y - top, width, height)
