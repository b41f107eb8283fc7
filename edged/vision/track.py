"""One followed face: its place, its expected place, its appearance. Decides nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import Enum

import numpy as np

from edged.vision.detector import Detection

CONFIRM_HITS = 2
"""Detections before a face counts as a track: one alone may be a flicker of the detector."""

VELOCITY_S = 0.15
"""Time constant of the mean velocity: box noise is 2-3 % of the face per frame."""

DAMPING_S = 0.5
"""Time constant with which the expected place of an unseen face slows down."""

_APPEARANCE_SHARE = 0.1  # share of the newest look in the running mean


class TrackState(Enum):
    """Certainty that a track is a face in view."""

    TENTATIVE = "tentative"
    """Seen once."""
    CONFIRMED = "confirmed"
    """Seen in the newest frame, and before."""
    LOST = "lost"
    """Confirmed, but not seen in the newest frame."""


@dataclass(eq=False)
class Track:
    """One followed face.

    Attributes:
        track_id: unique within the tracker's life, from 1.
        detection: the newest one.
        first_s, seen_s: monotonic time of the first and the newest detection, seconds.
        hits: detections so far.
        misses: frames in a row without a detection.
        velocity: pixels per second of the box centre.
        appearance: running mean of the looks given to `update`; None before the first.
    """

    track_id: int
    detection: Detection
    first_s: float
    seen_s: float
    hits: int = 1
    misses: int = 0
    velocity: tuple[float, float] = (0.0, 0.0)
    appearance: np.ndarray | None = field(default=None, repr=False)

    @property
    def confirmed(self) -> bool:
        """At least `CONFIRM_HITS` detections."""
        return self.hits >= CONFIRM_HITS

    @property
    def state(self) -> TrackState:
        """Where the track stands after the newest frame."""
        if not self.confirmed:
            return TrackState.TENTATIVE
        return TrackState.LOST if self.misses else TrackState.CONFIRMED

    def expected_centre(self, now_s: float) -> tuple[float, float]:
        """Expected place of the face at `now_s`, when it keeps its direction and slows down, pixels."""
        x, y = centre(self.detection)
        ahead = DAMPING_S * (1 - math.exp(-max(now_s - self.seen_s, 0.0) / DAMPING_S))
        return x + self.velocity[0] * ahead, y + self.velocity[1] * ahead

    def update(self, detection: Detection, now_s: float, appearance: np.ndarray | None = None) -> None:
        """Take over a new detection."""
        elapsed = max(now_s - self.seen_s, 1e-3)
        old, new = centre(self.detection), centre(detection)
        weight = max(1 - math.exp(-elapsed / VELOCITY_S), 1 / self.hits)
        step = ((new[0] - old[0]) / elapsed, (new[1] - old[1]) / elapsed)
        across, down = (v + weight * (s - v) for v, s in zip(self.velocity, step, strict=True))
        self.velocity = (across, down)
        if appearance is not None:
            share = _APPEARANCE_SHARE if self.appearance is not None else 1.0
            known = self.appearance if self.appearance is not None else appearance
            self.appearance = known + share * (appearance - known)
        self.detection = detection
        self.seen_s = now_s
        self.hits += 1
        self.misses = 0


def centre(detection: Detection) -> tuple[float, float]:
    """Middle of the face box, pixels."""
    x, y, width, height = detection.box
    return x + width / 2, y + height / 2


def size(detection: Detection) -> float:
    """Side of a square as large as the face box, pixels."""
    return math.sqrt(detection.box[2] * detection.box[3])
