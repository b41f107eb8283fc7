"""The documented control tables: limits of each level, and the code of each failure.

Figures: docs/reference/face-api.md 5.2, 5.3. No pictures here.
"""

from __future__ import annotations

from typing import Final

from edged.events import Measures

_QUALITY: Final = {
    "LOW": (0.8, 20.0, 0.8, False),
    "NORMAL": (0.6, 40.0, 0.6, False),
    "HIGH": (0.2, 100.0, 0.2, True),
}
"""Level: most occlusion of a part, least illumination, most blur, whether the face must be complete."""

LIVENESS: Final = {"LOW": 0.05, "NORMAL": 0.3, "HIGH": 0.9}
"""Level: the liveness score must be above this."""

_PARTS: Final = {
    "left_eye": 223121,
    "right_eye": 223122,
    "left_cheek": 223123,
    "right_cheek": 223124,
    "chin_contour": 223125,
    "nose": 223126,
    "mouth": 223127,
}


def is_complete(measures: Measures) -> bool:
    """Whether the whole outline of the face lies inside the picture."""
    return measures.completeness is None or measures.completeness >= 1.0


def quality_failure(measures: Measures, level: str) -> int | None:
    """The code of the first measure that fails `quality_control`; None: all pass.

    A face without a fitted mesh is turned away or covered; its parts have no measures, so every level but
    NONE refuses it (223129).
    """
    if level == "NONE":
        return None
    most_covered, least_light, most_blur, complete = _QUALITY[level]
    if measures.occlusion is None:
        return 223129
    if complete and not is_complete(measures):
        return 223116
    if measures.illumination is None or measures.illumination < least_light:
        return 223115
    if measures.blur is None or measures.blur > most_blur:
        return 223114
    covered = (code for part, code in _PARTS.items() if measures.occlusion.get(part, 0.0) > most_covered)
    return next(covered, None)


def liveness_failure(score: float, level: str) -> int | None:
    """223120 if `score` (0..1) is not above the level of `liveness_control`; else None."""
    return None if level == "NONE" or score > LIVENESS[level] else 223120
