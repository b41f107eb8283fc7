"""One judgement per track: the network's median, moved by the physical cues. Deterministic, no pictures.

The weights are set, not learnt: seven clips are too few to learn from. The rule behind them: one clear
physical sign overrules the network at its most confident; a faint one only tips a doubtful network. Signs of
life (a blink, a turn like a solid's) go on record but lift no score: a replay shows them all, and a sheet
that turns can look like one.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import exp, isfinite, log
from statistics import median

import numpy as np

from edged.vision.liveness import cues

MIN_FRAMES = 5
"""Fewest frames of a judgement: the packaged network is wrong on one single frame in seven."""

MAX_FRAMES = 90
"""Newest frames that count; of older ones only their flat motion does."""

_MOST_CONFIDENT = 0.98
"""Most that the network's confidence counts: logit 3.9, less than one full cue."""

FULL_CUE = 5.0
"""Reduction of the score's logit by one clear physical sign."""

BORDER_RAMP = (0.35, 0.6)
"""Median `device_border`: nothing .. full. Live clips with faces of usable size stay below .2 in the median,
the recorded replays reach about .5; none of 128 press photographs exceeds .5."""

MOIRE_RAMP_DB = (14.0, 20.0)
"""Median `moire_peak`: nothing .. full. Noise alone gives 11-12; recorded live clips have 11-13."""

FLAT_FRAMES = (1, 5)
"""Frames in which the mesh moved like a tilted plane, less those like a turned solid: nothing .. full."""

_FLAT_TILT_DEG, _FLAT_TURN_DEG, _FLAT_RATIO = 18.0, 6.0, 0.7
"""The mesh network sees a plane as a face and never quite flat: at a tilt of 16 degrees 3 of 16 frames of one
living head count as flat, at 18 none of 200 do, against 5-7 of 44 frames of most generated prints."""

_SOLID_TURN_DEG, _SOLID_RATIO, _SOLID_FRAMES = 8.0, 1.5, 3
_FROZEN_MOTION, _FROZEN_S = 0.0005, 1.0
"""Even a fixed photograph shows .003 through a camera's noise: less for a second is an injected picture."""

_MOTION_STEP_S = 0.08

BORDER, MOIRE, FLAT, FROZEN, NETWORK = (
    "spoof_device_border",
    "spoof_moire",
    "spoof_flat_motion",
    "spoof_frozen",
    "spoof_network",
)


@dataclass(frozen=True)
class LivenessFrame:
    """Measures of one frame for a face.

    Attributes:
        at_s: monotonic capture time, seconds.
        model_score: the network's, 0 false .. 1 live.
        border: `surface.device_border`, 0..1; None when not measured.
        moire_db: `surface.moire_peak`; None when not measured.
        points: 468x3 mesh in pixels; None without a reliable one.
    """

    at_s: float
    model_score: float
    border: float | None = None
    moire_db: float | None = None
    points: np.ndarray | None = None


@dataclass(frozen=True)
class LivenessVerdict:
    """Judgement on a track's frames together.

    Attributes:
        score: 0 false .. 1 live; comparable with the threshold only when `decided`.
        passed: decided, and the score reaches the threshold.
        frames: number of frames behind it.
        decided: False below `MIN_FRAMES`: wait, neither pass nor suspect.
        suspicion: codes of signs against a live face, strongest first; a pass may have some too.
        model_median: the network alone, 0..1, for the record.
        cues: strength 0..1 of each physical sign, for the record.
        life: signs of life seen, `blink` and `solid_turn`, for the record; they do not move the score.
    """

    score: float
    passed: bool
    frames: int
    decided: bool
    suspicion: tuple[str, ...]
    model_median: float
    cues: dict[str, float]
    life: tuple[str, ...]


@dataclass(frozen=True)
class _Seen:
    """The numbers of one frame that stay in memory; no picture."""

    at_s: float
    model_score: float
    border: float | None
    moire_db: float | None
    openness: float | None
    motion: float | None


class LivenessTrack:
    """Gathers the frames of one track. Not safe to share between threads."""

    def __init__(self) -> None:
        self._seen: deque[_Seen] = deque(maxlen=MAX_FRAMES)
        self._reference: np.ndarray | None = None
        self._before: deque[tuple[float, np.ndarray]] = deque(maxlen=MAX_FRAMES)
        self._flat = self._solid = 0

    def add(self, frame: LivenessFrame) -> None:
        """Take in the next frame. A frame that is not newer than the last (a repeated one) has no effect."""
        if self._seen and frame.at_s <= self._seen[-1].at_s:
            return
        openness = motion = None
        if frame.points is not None:
            openness = cues.eye_openness(frame.points)
            motion = self._motion(frame.at_s, frame.points)
            self._compare_with_reference(frame.points)
        score = frame.model_score if isfinite(frame.model_score) else 0.0
        self._seen.append(_Seen(frame.at_s, score, frame.border, frame.moire_db, openness, motion))

    def verdict(self, threshold: float) -> LivenessVerdict:
        """Judge the frames so far.

        Args:
            threshold: least score that passes, 0..1, chosen per door.
        """
        model = median([one.model_score for one in self._seen]) if self._seen else 0.0
        signs = self._signs()
        believed = min(max(model, 1 - _MOST_CONFIDENT), _MOST_CONFIDENT)
        logit = log(believed / (1 - believed)) - FULL_CUE * sum(signs.values())
        suspected = [
            code for code in sorted(signs, key=signs.__getitem__, reverse=True) if signs[code] >= 0.5
        ]
        score = 1 / (1 + exp(-logit))
        decided = len(self._seen) >= MIN_FRAMES
        if model < threshold:
            suspected.append(NETWORK)
        return LivenessVerdict(
            score=score,
            passed=decided and score >= threshold,
            frames=len(self._seen),
            decided=decided,
            suspicion=tuple(suspected) if decided else (),
            model_median=model,
            cues=signs,
            life=self._life(),
        )

    def _signs(self) -> dict[str, float]:
        """Strength 0..1 of each physical sign of an attack."""
        return {
            BORDER: _ramp(_median([one.border for one in self._seen]), *BORDER_RAMP),
            MOIRE: _ramp(_median([one.moire_db for one in self._seen]), *MOIRE_RAMP_DB),
            FLAT: _ramp(self._flat - self._solid, *FLAT_FRAMES),
            FROZEN: 1.0 if self._frozen() else 0.0,
        }

    def _life(self) -> tuple[str, ...]:
        eyes = [(one.openness, one.at_s) for one in self._seen if one.openness is not None]
        blinked = bool(eyes) and cues.blinks(*zip(*eyes, strict=True)) > 0
        seen = {"blink": blinked, "solid_turn": self._solid >= _SOLID_FRAMES}
        return tuple(name for name, given in seen.items() if given)

    def _frozen(self) -> bool:
        moved = [(one.at_s, one.motion) for one in self._seen if one.motion is not None]
        if len(moved) < MIN_FRAMES or moved[-1][0] - moved[0][0] < _FROZEN_S:
            return False
        return median([motion for _, motion in moved]) < _FROZEN_MOTION

    def _motion(self, at_s: float, points: np.ndarray) -> float | None:
        """Micro-motion since the newest mesh that is old enough to compare with."""
        earlier = None
        while self._before and at_s - self._before[0][0] >= _MOTION_STEP_S:
            earlier = self._before.popleft()
        self._before.append((at_s, points))
        if earlier is None:
            return None
        self._before.appendleft(earlier)
        return cues.micro_motion(earlier[1], points)

    def _compare_with_reference(self, points: np.ndarray) -> None:
        if self._reference is None:
            self._reference = points
            return
        fit = cues.plane_fit(self._reference, points)
        flat = fit.tilt_deg >= _FLAT_TILT_DEG and fit.turn_deg < _FLAT_TURN_DEG
        if flat and fit.ratio < _FLAT_RATIO:
            self._flat += 1
        if fit.turn_deg >= _SOLID_TURN_DEG and fit.ratio >= _SOLID_RATIO:
            self._solid += 1


def _ramp(value: float, nothing: float, full: float) -> float:
    return min(max((value - nothing) / (full - nothing), 0.0), 1.0)


def _median(values: list[float | None]) -> float:
    """Median of the measured values; 0 without any."""
    given = [value for value in values if value is not None]
    return median(given) if given else 0.0
