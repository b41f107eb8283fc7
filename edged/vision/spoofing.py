"""Liveness of one track as the analyser needs it: the judgement, and when to lock somebody out."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from edged.config import LivenessConfig
from edged.events import Liveness
from edged.vision.detector import Detection
from edged.vision.liveness.fusion import MIN_FRAMES, LivenessTrack
from edged.vision.liveness.look import BORDER_EVERY, look
from edged.vision.liveness.modality import Box
from edged.vision.liveness.modality_drivers import AlsoRequired
from edged.vision.liveness.model import LivenessModel
from edged.vision.mesh import Mesh

DECIDED_PAUSE_S = 0.3
"""Pause between two looks at a judged track: a look costs as much as everything else together."""

PATIENCE_S = 1.0
"""Longest time shots wait for another modality to pass: two cameras do not always see a living person well at
once. After it shots go all the same, so that the refusal is on record."""


class SpoofGuard(Protocol):
    """Judges whether one track is a living face."""

    def ready(self, at_s: float, box: Box) -> bool:
        """Whether the face at `box` at the monotonic instant `at_s` may be a shot: the judgement is there, or
        the configuration does not require it."""
        ...

    @property
    def locked_out(self) -> bool:
        """Suspected too often; the track gets no passage for a while."""
        ...

    def look(self, image: np.ndarray, face: Detection, mesh: Mesh | None, at_s: float) -> None:
        """Take in one frame."""
        ...

    def verdict(self, at_s: float, box: Box) -> Liveness | None:
        """The judgement so far on the face at `box` at `at_s`; None while liveness is off."""
        ...

    def suspected(self) -> float:
        """A passage of this track was denied on suspicion. Returns the least pause to the next, seconds."""
        ...


class NoSpoofGuard:
    """Liveness is off."""

    locked_out = False

    def ready(self, at_s: float, box: Box) -> bool:
        """Always."""
        return True

    def look(self, image: np.ndarray, face: Detection, mesh: Mesh | None, at_s: float) -> None:
        """Takes nothing in."""

    def verdict(self, at_s: float, box: Box) -> None:
        """None: there is no judgement."""

    def suspected(self) -> float:
        """No pause."""
        return 0.0


class PassiveSpoofGuard:
    """The packaged (or the operator's) network and the physical cues, fused over the track, and further
    modalities that must pass at the instant of the shot.

    Args:
        model: belongs to the vision thread; its tracks share it.
        also: further modalities; shared by the tracks, too.
    """

    def __init__(self, config: LivenessConfig, model: LivenessModel, also: AlsoRequired) -> None:
        self._config = config
        self._model = model
        self._also = also
        self._track = LivenessTrack()
        self._looked = 0
        self._looked_s = float("-inf")
        self._suspicions = 0
        self._missing_since_s: float | None = None

    def ready(self, at_s: float, box: Box) -> bool:
        if self._config.mode != "required":
            return True
        if not self._decided():
            return False
        if not self._also.missing(at_s, box):
            self._missing_since_s = None
            return True
        if self._missing_since_s is None:
            self._missing_since_s = at_s
        return at_s - self._missing_since_s >= PATIENCE_S

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

    def verdict(self, at_s: float, box: Box) -> Liveness:
        seen = self._track.verdict(self._config.threshold)
        missing = self._also.missing(at_s, box) if seen.decided else ()
        return Liveness(
            score=seen.score,
            passed=seen.passed and not missing,
            decided=seen.decided,
            frames=seen.frames,
            suspicion=(*seen.suspicion, *(f"spoof_{name}" for name in missing)),
            signs=seen.life,
        )

    def _decided(self) -> bool:
        return self._looked >= MIN_FRAMES

    def suspected(self) -> float:
        self._suspicions += 1
        self._missing_since_s = None
        return self._config.lockout_s if self.locked_out else 0.0
