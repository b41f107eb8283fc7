"""Colours of head and chest, which tell two people apart who cross each other's way.

Holds for seconds, in one light, between people who dress differently. Recognises nobody.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

_COLUMNS, _HEAD_ROWS, _CHEST_ROWS = 24, 20, 28
_BINS = 8
_COLOUR_RANGE = (96, 160)  # range of a and b in OpenCV's 8-bit Lab; stronger colours count as the strongest
_HALF_WIDTH, _ABOVE, _BELOW = 0.7, 0.1, 2.2  # in face boxes: half the width, from, to


def look(image: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray | None:
    """Colour histogram of head and chest below a face; takes 0.05 ms.

    Args:
        image: HxWx3 uint8 BGR.
        box: x, y, width, height of the face; may reach beyond the picture.

    Returns:
        1024 float32 shares that sum to 1; None when too little of the person is in the picture.
    """
    x, y, width, height = box
    left = max(0, round(x + width * (0.5 - _HALF_WIDTH)))
    right = min(image.shape[1], round(x + width * (0.5 + _HALF_WIDTH)))
    top = max(0, round(y - _ABOVE * height))
    bottom = min(image.shape[0], round(y + _BELOW * height))
    if right - left < max(4, width / 2) or bottom - top < max(8, height / 2):
        return None
    size = (_COLUMNS, _HEAD_ROWS + _CHEST_ROWS)
    lab = cv2.cvtColor(cv2.resize(image[top:bottom, left:right], size), cv2.COLOR_BGR2LAB)
    np.clip(lab[..., 1:], _COLOUR_RANGE[0], _COLOUR_RANGE[1] - 1, out=lab[..., 1:])
    return np.concatenate([_colours(lab[:_HEAD_ROWS]), _colours(lab[_HEAD_ROWS:])]) / 2


def distances(known: Sequence[np.ndarray | None], new: Sequence[np.ndarray | None]) -> np.ndarray:
    """Hellinger distance of each pair, 0 alike .. 1 nothing in common; NaN where one of them is None.

    Measured: the same person within a second 0.2, 95 % below 0.4; two people who dress differently 0.65 and
    more (docs/tracking.md).
    """
    out = np.full((len(known), len(new)), np.nan)
    rows = {i: one for i, one in enumerate(known) if one is not None}
    columns = {j: one for j, one in enumerate(new) if one is not None}
    if rows and columns:
        a = np.sqrt(np.stack(list(rows.values())))
        b = np.sqrt(np.stack(list(columns.values())))
        out[np.ix_(list(rows), list(columns))] = np.sqrt(np.clip(1 - a @ b.T, 0, 1))
    return out


def _colours(lab: np.ndarray) -> np.ndarray:
    limits = (0, 256, *_COLOUR_RANGE, *_COLOUR_RANGE)
    counts = cv2.calcHist([lab], [0, 1, 2], None, [_BINS] * 3, limits).ravel()
    return counts / max(float(counts.sum()), 1.0)
