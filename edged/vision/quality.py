"""Quality of a face picture: one small function per measure, and the comparison with the limits.

Scales follow docs/reference/face-api.md 5.1, so that a limit in edged means the same as in the cloud.
"""

from __future__ import annotations

import cv2
import numpy as np

from edged.config import QualityLimits
from edged.events import Measures

_INNER = (slice(20, 104), slice(14, 98))
"""The 84x84 part of the aligned crop that holds neither hair nor background."""

_SHARP_ENERGY = 3700.0
"""Sobel energy at which blur is 0.5 (docs/reference/models.md 6)."""


def blur(aligned: np.ndarray) -> float:
    """0 sharp .. 1 blurred, from a 112x112x3 uint8 BGR aligned crop.

    Mean Sobel energy of the contrast-normalised inner face; clean pictures .10, Gauss sigma 2 .82, a face
    enlarged from 10 px of eye distance .65 (docs/reference/models.md 6).
    """
    grey = cv2.cvtColor(aligned, cv2.COLOR_BGR2GRAY).astype(np.float32)
    inner = grey[_INNER]
    normal = (grey - inner.mean()) / (inner.std() + 8) * 48 + 128
    energy = cv2.Sobel(normal, cv2.CV_32F, 1, 0) ** 2 + cv2.Sobel(normal, cv2.CV_32F, 0, 1) ** 2
    return float(1 / (1 + (energy[_INNER].mean() / _SHARP_ENERGY) ** 3))


def illumination(aligned: np.ndarray) -> float:
    """Mean grey level of the inner face, 0..255, from a 112x112x3 uint8 BGR aligned crop."""
    return float(cv2.cvtColor(aligned, cv2.COLOR_BGR2GRAY)[_INNER].mean())


def unevenness(aligned: np.ndarray) -> float:
    """How differently the two halves of the face are lit: 0 equally .. 1 one half black.

    The difference of the halves' mean grey levels over the brighter of them, from a 112x112x3 uint8 BGR
    aligned crop. A head that is turned shows some, too.
    """
    inner = cv2.cvtColor(aligned, cv2.COLOR_BGR2GRAY)[_INNER].astype(np.float32)
    left, right = (float(half.mean()) for half in np.hsplit(inner, 2))
    return abs(left - right) / max(left, right, 1.0)


def completeness(outline: np.ndarray, width: int, height: int) -> float:
    """Share of the outline's points (Nx2, pixels) that lie inside a picture of that size, 0..1."""
    x, y = outline.T
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    return float(inside.mean())


def size_refusals(measures: Measures, limits: QualityLimits) -> dict[str, float]:
    """Reason codes with the limits missed, from the detector's answer alone. Cheap, so it comes first."""
    missed: dict[str, float] = {}
    if measures.face_px < limits.min_face_px:
        missed["face_too_small"] = limits.min_face_px
    elif measures.face_px > limits.max_face_px:
        missed["too_near"] = limits.max_face_px
    if measures.detection < limits.min_detection:
        missed["face_too_uncertain"] = limits.min_detection
    return missed


def refusals(measures: Measures, limits: QualityLimits) -> dict[str, float]:
    """Reason codes with the limits missed, the deciding one first; empty when the face may be recognised.

    The order is the order in which a person can help: come closer, into the picture, into the light, look
    here, hold still. An angle that is None (no mesh could be fitted) counts as `pose_unknown`. A limit at the
    end of its scale never refuses.
    """
    missed = size_refusals(measures, limits)
    if measures.completeness is not None and measures.completeness < limits.min_completeness:
        missed["face_incomplete"] = limits.min_completeness
    if measures.illumination is not None:
        if measures.illumination <= limits.min_illumination and limits.min_illumination > 0:
            missed["too_dark"] = limits.min_illumination
        elif measures.illumination > limits.max_illumination:
            missed["too_bright"] = limits.max_illumination
    if measures.unevenness is not None and measures.unevenness >= limits.max_unevenness < 1:
        missed["half_lit"] = limits.max_unevenness
    missed |= _covered(measures.occlusion or {}, limits)
    missed |= _turned(measures, limits)
    if measures.blur is not None and measures.blur >= limits.max_blur < 1:
        missed["too_blurred"] = limits.max_blur
    return missed


def _turned(measures: Measures, limits: QualityLimits) -> dict[str, float]:
    angles = {
        "yaw_too_large": (measures.yaw_deg, limits.max_yaw_deg),
        "pitch_too_large": (measures.pitch_deg, limits.max_pitch_deg),
        "roll_too_large": (measures.roll_deg, limits.max_roll_deg),
    }
    asked = {code: (angle, limit) for code, (angle, limit) in angles.items() if limit < 90}
    if any(angle is None for angle, _ in asked.values()):
        return {"pose_unknown": 0.0}
    return {
        code: limit for code, (angle, limit) in asked.items() if angle is not None and abs(angle) >= limit
    }


_COVERED = (
    ("eye_occluded", "max_eye_occlusion", ("left_eye", "right_eye")),
    ("nose_occluded", "max_nose_occlusion", ("nose",)),
    ("mouth_occluded", "max_mouth_occlusion", ("mouth",)),
    ("cheek_occluded", "max_cheek_occlusion", ("left_cheek", "right_cheek")),
    ("chin_occluded", "max_chin_occlusion", ("chin_contour",)),
)
"""Reason, limit, and the parts it holds for."""


def _covered(occlusion: dict[str, float], limits: QualityLimits) -> dict[str, float]:
    missed = {}
    for code, limit, parts in _COVERED:
        allowed = getattr(limits, limit)
        if allowed < 1 and any(occlusion.get(part, 0.0) >= allowed for part in parts):
            missed[code] = allowed
    return missed


def shot_quality(measures: Measures) -> float:
    """One number for choosing between acceptable shots of a track: 0..1, higher is better.

    The product of what each measure costs; a face of 200 px, frontal, sharp, well lit and uncovered reaches
    1. Only comparable within one version of edged.
    """
    size = min(1.0, measures.face_px / 200)
    turned = max(
        abs(measures.yaw_deg or 0.0), abs(measures.pitch_deg or 0.0), abs(measures.roll_deg or 0.0) / 2
    )
    frontal = max(0.0, 1 - (turned / 45) ** 2)
    sharp = 1 - (measures.blur or 0.0)
    light = float(np.interp(measures.illumination or 0.0, (20, 70, 180, 250), (0, 1, 1, 0)))
    clear = 1 - 0.5 * max((measures.occlusion or {"": 0.0}).values())
    return float((0.5 + 0.5 * size) * frontal * sharp * light * clear)
