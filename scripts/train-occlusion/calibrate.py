"""From logits to scores: the documented limit of every part is put where clean faces hardly ever reach.

Limits: docs/reference/face-api.md 5.1. Only faces of people the network has not seen are used.
"""

from __future__ import annotations

import numpy as np
from samples import Samples

from edged.vision.occlusion import PARTS

LIMITS = {
    "left_eye": 0.6, "right_eye": 0.6, "nose": 0.7, "mouth": 0.7,
    "left_cheek": 0.8, "right_cheek": 0.8, "chin_contour": 0.6,
}  # fmt: skip
CLEAN_QUANTILE = 0.995
"""Share of clean faces that stay below the limit of one part; about .98 stay below all seven."""

_LIGHT = (40, 200)
"""Mean grey levels that edged accepts; darker and brighter faces are refused anyway."""

_PAIRS = ((0, 1), (4, 5))


def judged(samples: Samples) -> np.ndarray:
    """Samples (N bool) of one person only whose light edged accepts."""
    level = samples.flat.mean(axis=(1, 2, 3))
    return samples.pure & (level > _LIGHT[0]) & (level <= _LIGHT[1])


def calibrate(logits: np.ndarray, samples: Samples) -> tuple[np.ndarray, np.ndarray]:
    """Gain and offset (7 each) such that sigmoid(gain * logit + offset) is at the limit for that quantile.

    Both eyes, and both cheeks, share their figures.
    """
    clean = logits[judged(samples) & (samples.kind == "clean")]
    reached = np.quantile(clean, CLEAN_QUANTILE, axis=0)
    for a, b in _PAIRS:
        reached[[a, b]] = np.quantile(clean[:, [a, b]], CLEAN_QUANTILE)
    limits = np.array(list(LIMITS.values()))
    return np.ones(len(PARTS)), np.log(limits / (1 - limits)) - reached


def figures(scores: np.ndarray, samples: Samples) -> str:
    """What the held-out people say: false alarms and detections at the limits, as text."""
    limits = np.array(list(LIMITS.values()))
    beyond = scores >= np.log(limits / (1 - limits))
    used = judged(samples)
    clean = used & (samples.kind == "clean")
    each = dict(zip(PARTS, beyond[clean].mean(axis=0).round(4).tolist(), strict=True))
    lines = [f"clean {clean.sum()}: any part {beyond[clean].any(axis=1).mean():.4f}, {each}"]
    for kind in sorted(set(samples.kind) - {"clean"}):
        asked = used & (samples.kind == kind)
        covered = samples.shares >= 0.75
        found = [
            f"{part} {beyond[asked & covered[:, n], n].mean():.3f} of {(asked & covered[:, n]).sum()}"
            for n, part in enumerate(PARTS)
            if (asked & covered[:, n]).sum() >= 20
        ]
        some = asked & covered.any(axis=1)
        lines.append(f"{kind}: any {beyond[some].any(axis=1).mean():.3f} of {some.sum()}; {', '.join(found)}")
    return "\n".join(lines)
