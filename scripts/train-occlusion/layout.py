"""The flat layout of the face: canonical mesh seen from the front, cell by cell."""

from __future__ import annotations

import cv2
import numpy as np

from edged.vision.mesh import OVAL
from edged.vision.occlusion import PARTS, SIDE


def canonical_cells(vertices: np.ndarray) -> np.ndarray:
    """468x2: canonical mesh points in cells of the layout; the oval just fits."""
    outline = vertices[list(OVAL), :2]
    low, high = outline.min(axis=0), outline.max(axis=0)
    cells = (vertices[:, :2] - low) / (high - low) * (SIDE - 1)
    cells[:, 1] = SIDE - 1 - cells[:, 1]
    return cells


def build_layout(vertices: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Triangle corners (48x48x3 uint16) and their weights (48x48x3 float16) for every cell.

    Cells outside the face have no weights.
    """
    cells = canonical_cells(vertices)
    owner = rasterise(cells, triangles, (SIDE, SIDE))
    points = np.zeros((SIDE, SIDE, 3), np.uint16)
    shares = np.zeros((SIDE, SIDE, 3), np.float16)
    for row in range(SIDE):
        for column in range(SIDE):
            if owner[row, column] < 0:
                continue
            corners = triangles[owner[row, column]]
            points[row, column] = corners
            shares[row, column] = barycentric(cells[corners][None], np.array([[column, row]]))[0]
    return points, shares


def rasterise(xy: np.ndarray, triangles: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Number of the triangle at every pixel, -1 where there is none; later triangles win."""
    owner = np.full(shape, -1, np.int32)
    for number, corners in enumerate(np.round(xy[triangles]).astype(np.int32)):
        cv2.fillConvexPoly(owner, corners, number)
    return owner


def barycentric(corners: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Nx3 weights of the corners (Nx3x2) that give the positions (Nx2), kept inside the triangle."""
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    ab, ac, ap = b - a, c - a, at - a
    area = ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]
    area = np.where(np.abs(area) < 1e-6, 1e-6, area)
    second = (ap[:, 0] * ac[:, 1] - ap[:, 1] * ac[:, 0]) / area
    third = (ab[:, 0] * ap[:, 1] - ab[:, 1] * ap[:, 0]) / area
    weights = np.clip(np.stack([1 - second - third, second, third], axis=1), 0, 1)
    return weights / weights.sum(axis=1, keepdims=True)


def part_masks(vertices: np.ndarray) -> np.ndarray:
    """7x48x48 bool: the cells of every part."""
    cells = canonical_cells(vertices)
    masks = np.zeros((len(PARTS), SIDE, SIDE), np.uint8)
    for mask, ids in zip(masks, PARTS.values(), strict=True):
        hull = cv2.convexHull(np.round(cells[list(ids)]).astype(np.int32))
        cv2.fillConvexPoly(mask, hull, 1)
    return masks.astype(bool)
