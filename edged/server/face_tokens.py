"""Unregistered faces of the last hour, by token, in memory only."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from edged.clock import Clock
from edged.events import Measures

LIFE_S = 3600.0
"""Life of a token of an unregistered face, seconds (docs/reference/face-api.md 4)."""

CAPACITY = 20_000
"""Most faces kept, about 1.5 KB each; the oldest go first. An hour with a hundred a second has 360,000."""


@dataclass(frozen=True, eq=False)
class SeenFace:
    """Data of one face of a picture.

    Attributes:
        token: see `vision_worker.token_of`.
        location: `left`, `top`, `width`, `height` in pixels and `rotation` in whole degrees.
        measures: None for a registered face that no request measured during the last hour.
        template: unit float32 (128,); None: not computed (detect with several faces).
        liveness: 0..1; None: not requested.
        points: 5x2 eyes, nose tip, mouth corners; None as `measures`.
    """

    token: str
    location: dict[str, float]
    measures: Measures | None
    template: np.ndarray | None
    liveness: float | None = None
    points: np.ndarray | None = None


class FaceTokens:
    """Tokens of one application. Safe to use from any thread."""

    def __init__(self, clock: Clock, capacity: int = CAPACITY) -> None:
        self._clock = clock
        self._capacity = capacity
        self._lock = threading.Lock()
        self._faces: OrderedDict[str, tuple[float, SeenFace]] = OrderedDict()

    def __len__(self) -> int:
        with self._lock:
            return len(self._faces)

    def remember(self, face: SeenFace) -> None:
        """Keep `face` for an hour from now, with data of an earlier request that this one lacks."""
        now_s = self._clock.monotonic()
        with self._lock:
            _, before = self._faces.pop(face.token, (0.0, None))
            self._faces[face.token] = (now_s, face if before is None else _joined(before, face))
            while len(self._faces) > self._capacity or self._oldest_s() < now_s - LIFE_S:
                self._faces.popitem(last=False)

    def get(self, token: str) -> SeenFace | None:
        """The face of `token`, if a request found it during the last hour."""
        with self._lock:
            at_s, face = self._faces.get(token, (0.0, None))
        return face if face is not None and at_s >= self._clock.monotonic() - LIFE_S else None

    def _oldest_s(self) -> float:
        return next(iter(self._faces.values()))[0]


def _joined(before: SeenFace, now: SeenFace) -> SeenFace:
    return SeenFace(
        token=now.token,
        location=now.location,
        measures=now.measures,
        template=before.template if now.template is None else now.template,
        liveness=before.liveness if now.liveness is None else now.liveness,
        points=now.points,
    )
