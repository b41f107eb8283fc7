"""Tracks, shots and guidance of vision, and the measures of a face."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edged.events.base import PRIVATE, Event

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, kw_only=True)
class Measures:
    """What was measured on one face. Scales: docs/reference/face-api.md 5.1.

    Attributes:
        face_px: smaller side of the face box in pixels of the camera's picture.
        detection: confidence of the detector, 0..1.
        yaw_deg: -90 left .. +90 right (of the image). None when no mesh could be fitted.
        pitch_deg: -90 up .. +90 down.
        roll_deg: -180..180, positive clockwise in the image.
        blur: 0 sharp .. 1 blurred.
        illumination: mean grey level of the face, 0..255.
        completeness: share of the face outline inside the frame, 0..1.
        unevenness: 0 both halves equally lit .. 1 one half black.
        occlusion: covered share of each of the seven parts, 0..1: `left_eye`, `right_eye`, `nose`, `mouth`,
            `left_cheek`, `right_cheek`, `chin_contour`; left and right of the image. None without a mesh.
    """

    face_px: float
    detection: float
    yaw_deg: float | None = None
    pitch_deg: float | None = None
    roll_deg: float | None = None
    blur: float | None = None
    illumination: float | None = None
    completeness: float | None = None
    unevenness: float | None = None
    occlusion: dict[str, float] | None = None


@dataclass(frozen=True, kw_only=True)
class Liveness:
    """Whether a track looks like a living face, judged from a colour camera. Weak: docs/liveness.md.

    Attributes:
        score: 0 false .. 1 live.
        passed: decided, the score reaches the door's threshold, and every further modality that is required
            passed at the instant of the shot.
        decided: there were enough frames to judge.
        frames: number of frames judged.
        suspicion: reasons against a living face, strongest first, e.g. `spoof_device_border`; last come the
            further modalities that did not pass, e.g. `spoof_nir`.
        signs: signs of life, `blink` and `solid_turn`; they prove nothing by themselves.
    """

    score: float
    passed: bool
    decided: bool
    frames: int
    suspicion: tuple[str, ...] = ()
    signs: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class TrackStarted(Event):
    """Vision follows a new face."""

    track_id: int


@dataclass(frozen=True, kw_only=True, eq=False)
class TrackEnded(Event):
    """A followed face has gone. `nearest_px` is the largest `face_px` of the track.

    `refusals` are the reason codes of its refused shots, most frequent first.
    """

    track_id: int
    frames: int
    duration_s: float
    nearest_px: float
    shots: int
    refusals: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class ShotRefused(Event):
    """A face in one frame is too poor to recognise.

    `reasons` are codes, the deciding one first; `limits` holds the missed limit by code.
    """

    track_id: int
    reasons: tuple[str, ...]
    measures: Measures
    limits: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, eq=False)
class GuidanceChanged(Event):
    """The hint for the followed person changed.

    `code` is a hint of `edged.vision.guidance.HINTS`, its text is in `edged.texts`; None: no hint any more.
    """

    track_id: int
    code: str | None


@dataclass(frozen=True, kw_only=True, eq=False)
class ShotChosen(Event):
    """A face picture good enough to recognise.

    Attributes:
        shot_number: 1 for the first shot of the track.
        captured_s: monotonic time at which the frame left the camera, seconds.
        quality: 0..1, higher is better; only comparable within one version of edged.
        liveness: None when no liveness check runs.
        aligned: 112x112x3 uint8 BGR, eyes and mouth at the embedder's standard places.
        picture: the face with its surroundings (height x width x 3 uint8 BGR), for cloud and snapshot.
        face_box: where the face is in `picture`: x, y, width, height, pixels.
        timings_ms: time spent so far by stage: `detect`, `measure`.
    """

    track_id: int
    shot_number: int
    frame_number: int
    captured_s: float
    quality: float
    measures: Measures
    liveness: Liveness | None = None
    aligned: np.ndarray = field(metadata=PRIVATE, repr=False)
    picture: np.ndarray | None = field(default=None, metadata=PRIVATE, repr=False)
    face_box: tuple[float, float, float, float] | None = None
    timings_ms: dict[str, float] = field(default_factory=dict)
