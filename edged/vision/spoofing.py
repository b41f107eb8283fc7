"""Liveness of one track as the analyser needs it: when it is judged, and when to lock somebody out."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from edged.config import LivenessConfig
from edged.events import Liveness
from edged.vision.detector import Detection
from edged.vision.liveness.fusion import MIN_FRAMES, LivenessTrack
from edged.vision.liveness.look import BORDER_EVERY, look
from edged.vision.liveness.model import LivenessModel
from edged.vision.mesh import Mesh

DECIDED_PAUSE_S = 0.3
"""Between two looks at a track that is judged already: it costs as much as everything else together."""


class SpoofGuard(Protocol):
    """Judges whether one track is a living face."""

    @property
    def ready(self) -> bool:
        """Shots may be sent: the judgement is there, or nobody waits for it."""
        ...

    @property
    def locked_out(self) -> bool:
        """Suspected too often; the track is kept waiting."""
        ...

    def look(self, image: np.ndarray, face: Detection, mesh: Mesh | None, at_s: float) -> None:
        """Take in one frame."""
        ...

    def verdict(self) -> Liveness | None:
        """The judgement so far; None when nobody looks."""
        ...

    def suspected(self) -> float:
        """A passage of this track was denied on suspicion. Returns the least pause to the next, seconds."""
        ...


class NoSpoofGuard:
    """Liveness is off."""

    ready = True
    locked_out = False

    def look(self, image: np.ndarray, face: Detection, mesh: Mesh | None, at_s: float) -> None:
        """Nothing to take in."""

    def verdict(self) -> None:
        """There is no judgement."""

    def suspected(self) -> float:
        """Nothing was suspected here."""
        return 0.0


class PassiveSpoofGuard:
    """The packaged (or the operator's) network and the physical cues, fused over the track.

    Args:
        model: of the vision thread; shared by its tracks.
    """

    def __init__(self, config: LivenessConfig, model: LivenessModel) -> None:
        self._config = config
        self._model = model
        self._track = LivenessTrack()
        self._looked = 0
        self._looked_s = float("-inf")
        self._suspicions = 0

    @property
    def ready(self) -> bool:
        return self._config.mode != "required" or self._decided()

    @property
    def locked_out(self) -> bool:
        return self._suspicions >= self._config.lockout_after

    def look(self, image: np.ndarray, face: Detection, mesh: Mesh | None, at_s: float) -> None:
        """Measure one frame; the device border only in every third, because it costs most."""
        if self._decided() and at_s - self._looked_s < DECIDED_PAUSE_S:
            return
        border = self._looked % BORDER_EVERY == 0
        self._looked += 1
        self._looked_s = at_s
        self._track.add(look(self._model, image, face, mesh, at_s=at_s, with_border=border))

    def verdict(self) -> Liveness:
        seen = self._track.verdict(self._config.threshold)
        return Liveness(
            score=seen.score,
            passed=seen.passed,
            decided=seen.decided,
            frames=seen.frames,
            suspicion=seen.suspicion,
            signs=seen.life,
        )

    def _decided(self) -> bool:
        return self._looked >= MIN_FRAMES

    def suspected(self) -> float:
        self._suspicions += 1
        return self._config.lockout_s if self.locked_out else 0.0
