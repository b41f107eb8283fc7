"""Physical signs of a picture held before the camera: small pure functions, each with its scale.

Nothing here is learnt; constants follow from geometry or from how cameras and screens work. `fusion` decides
how much each cue counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

LEFT_EYE = (33, 133, (160, 159, 158), (144, 145, 153))
RIGHT_EYE = (362, 263, (385, 386, 387), (380, 374, 373))
"""Mesh points: outer and inner corner, upper lid, lower lid."""

RESIDUAL_FLOOR = 0.004
"""Jitter of the mesh from frame to frame over the eye distance: .003-.004 on standing faces."""

_BLINK_DIP = 0.75
_BLINK_LONGEST_S = 0.6
_BLINK_SPACING_S = 0.12


@dataclass(frozen=True)
class PlaneFit:
    """How the mesh moved between two moments, in shares of the eye distance.

    Attributes:
        plane_rms: residual of a homography, which a flat picture cannot explain.
        head_rms: residual of a turn of the first moment's rigid three-dimensional mesh.
        turn_deg: turn of that mesh out of the picture plane, 0..90.
        tilt_deg: tilt of a flat picture, from its foreshortening, 0..90.
    """

    plane_rms: float
    head_rms: float
    turn_deg: float
    tilt_deg: float

    @property
    def ratio(self) -> float:
        """Above 1 a solid head explains the motion better, below 1 a plane; 1 when nothing turned."""
        return max(self.plane_rms, RESIDUAL_FLOOR) / max(self.head_rms, RESIDUAL_FLOOR)


def plane_fit(reference: np.ndarray, points: np.ndarray) -> PlaneFit:
    """Compare two meshes (each Nx3, pixels, z on the same scale) of one face at two moments."""
    first = _normalised(reference)
    second = _normalised(points)[:, :2]
    homography, _ = cv2.findHomography(first[:, :2], second, 0)
    carried = cv2.perspectiveTransform(first[None, :, :2], homography)[0] if homography is not None else 0.0
    turn, head_rms = _turned_solid(first, second)
    affine, *_ = np.linalg.lstsq(np.column_stack([first[:, :2], np.ones(len(first))]), second, rcond=None)
    large, small = np.linalg.svd(affine[:2], compute_uv=False)
    tilt = float(np.degrees(np.arccos(np.clip(small / max(large, 1e-9), 0, 1))))
    return PlaneFit(_rms(second - carried), head_rms, turn, tilt)


def micro_motion(earlier: np.ndarray, later: np.ndarray) -> float:
    """Residual between two meshes (Nx3, pixels) after shift, turn in the picture and zoom.

    In shares of the eye distance. The mesh's own jitter is about .003; a talking mouth reaches .02.
    """
    a, b = (_normalised(one)[:, 0] + 1j * _normalised(one)[:, 1] for one in (earlier, later))
    turn = complex(np.vdot(a, b)) / max(float(np.vdot(a, a).real), 1e-9)
    return float(np.sqrt((np.abs(b - turn * a) ** 2).mean()))


def eye_openness(points: np.ndarray) -> float:
    """Lid distance over eye width, mean of both eyes of a mesh (468x3): open .22-.35, shut below .15."""
    return float(np.mean([_openness(points, *eye) for eye in (LEFT_EYE, RIGHT_EYE)]))


def blinks(openness: Sequence[float], times_s: Sequence[float]) -> int:
    """Number of times the eyes shut and opened again.

    A blink is a dip below three quarters of the usual openness of at most .6 s with open eyes on both sides;
    frames more than .12 s apart can miss it, so such a series counts as none.

    Args:
        openness: one value per frame, from `eye_openness`.
        times_s: capture times, rising, of the same length.
    """
    if len(openness) < 5 or float(np.median(np.diff(times_s))) > _BLINK_SPACING_S:
        return 0
    shut = np.asarray(openness) < _BLINK_DIP * float(np.median(openness))
    edges = np.flatnonzero(np.diff(shut.astype(int))).tolist()
    found = 0
    for start, end in pairwise(edges):
        if shut[start + 1] and times_s[end + 1] - times_s[start] <= _BLINK_LONGEST_S:
            found += 1
    return found


def _openness(
    points: np.ndarray, outer: int, inner: int, upper: Sequence[int], lower: Sequence[int]
) -> float:
    width = np.linalg.norm(points[outer, :2] - points[inner, :2])
    gaps = np.linalg.norm(points[list(upper), :2] - points[list(lower), :2], axis=1)
    return float(gaps.mean() / max(width, 1e-6))


def _normalised(points: np.ndarray) -> np.ndarray:
    """Centred, in units of the three-dimensional distance between the outer eye corners."""
    centred: np.ndarray = np.asarray(points, np.float64) - np.mean(points, axis=0)
    return centred / max(float(np.linalg.norm(points[33] - points[263])), 1e-6)


def _turned_solid(first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    """Turn out of the plane (degrees) and residual of the best scaled-orthographic pose."""
    pose, *_ = np.linalg.lstsq(first, second, rcond=None)
    u, _, vt = np.linalg.svd(pose.T, full_matrices=False)
    rotation = u @ vt
    carried = first @ rotation.T
    zoom = (carried * second).sum() / max((carried * carried).sum(), 1e-9)
    forward = np.cross(rotation[0], rotation[1])
    turn = float(np.degrees(np.arccos(np.clip(abs(forward[2]), 0, 1))))
    return turn, _rms(second - zoom * carried)


def _rms(differences: np.ndarray) -> float:
    return float(np.sqrt((differences**2).sum(axis=1).mean()))
