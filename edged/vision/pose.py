"""Head pose from the face mesh: the rotation that best carries the canonical face onto the fitted one."""

from __future__ import annotations

import io

import numpy as np

from edged.models import ModelFile

GAIN = np.array([1.10, 1.03, 1.00])
"""Yaw, pitch, roll. The mesh model pulls towards frontal, more so in sharp pictures; roll is free of it."""

OFFSET_DEG = np.array([0.3, 1.5, 0.0])
"""Yaw, pitch, roll of the mesh of a frontal face. docs/pose.md has the measurement of gain and offset."""


class PoseEstimator:
    """Yaw, pitch and roll of a mesh by Procrustes on the 33 points that expressions hardly move."""

    def __init__(self, geometry: ModelFile) -> None:
        arrays = np.load(io.BytesIO(geometry.data), allow_pickle=False)
        self._ids = arrays["basis_ids"]
        # canonical axes: y up, z towards the viewer; picture axes: y down, z away from the viewer
        model = arrays["vertices"].astype(np.float64)[self._ids] * (1, -1, -1)
        self._model = model - model.mean(axis=0)

    def angles(self, points: np.ndarray) -> tuple[float, float, float]:
        """(yaw, pitch, roll) in degrees from a mesh's 468x3 points.

        They count from the ray between lens and head: a person who looks into the lens has 0, 0 anywhere in
        the picture. Mean error 3 degrees within +-30 (docs/pose.md).

        yaw: -90 left .. +90 right of the image; pitch: -90 up .. +90 down; roll: positive clockwise.
        """
        seen = points[self._ids] - points[self._ids].mean(axis=0)
        u, _, vt = np.linalg.svd(seen.T @ self._model)
        rotation = u @ np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))]) @ vt
        shown = np.array(euler_deg(rotation))
        yaw, pitch, roll = np.clip((shown - OFFSET_DEG) * GAIN, (-90, -90, -180), (90, 90, 180))
        return float(yaw), float(pitch), float(roll)


def euler_deg(rotation: np.ndarray) -> tuple[float, float, float]:
    """Yaw, pitch, roll in degrees of a 3x3 rotation from a frontal face to the seen one, picture axes."""
    forward = rotation @ (0.0, 0.0, -1.0)
    yaw = np.arctan2(forward[0], -forward[2])
    pitch = np.arctan2(forward[1], np.hypot(forward[0], forward[2]))
    right_if_level = np.array([np.cos(yaw), 0.0, np.sin(yaw)])
    down_if_level = np.cross(-forward, right_if_level)
    right = rotation @ (1.0, 0.0, 0.0)
    roll = np.arctan2(right @ down_if_level, right @ right_if_level)
    return float(np.degrees(yaw)), float(np.degrees(pitch)), float(np.degrees(roll))
