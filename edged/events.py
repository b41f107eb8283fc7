"""The vocabulary: everything that crosses a package border is one of these frozen dataclasses.

Names are in the past tense because events are facts. One passage of one person carries one
`passage_id` through all of its events. Pixels travel in fields marked `metadata={"private": True}`; such
fields never reach a log, a journal or a JSON line.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any

import numpy as np

from edged.clock import iso

PRIVATE = {"private": True}


@dataclass(frozen=True, kw_only=True, eq=False)
class Event:
    """Base of all events.

    Attributes:
        at: wall time of the fact, aware UTC.
        passage_id: the passage it belongs to, where it applies.
        door_id: the door, where it applies.
        camera_id: the camera, where it applies.
    """

    at: datetime
    passage_id: str | None = None
    door_id: str | None = None
    camera_id: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready dict: `event` and `at` first, absent ids left out, private fields left out."""
        out: dict[str, Any] = {"event": event_name(type(self)), "at": iso(self.at)}
        for f in dataclasses.fields(self):
            if f.name == "at" or f.metadata.get("private"):
                continue
            value = getattr(self, f.name)
            if value is None and f.name in ("passage_id", "door_id", "camera_id"):
                continue
            out[f.name] = _plain(value)
        return out


@cache
def event_name(kind: type[Event]) -> str:
    """`AccessDecided` -> `access_decided`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


def _plain(value: Any) -> Any:
    if isinstance(value, float | np.floating):
        return round(float(value), 4)
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if dataclasses.is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    return value


class Outcome(StrEnum):
    """What was decided about one passage."""

    GRANTED = "granted"
    DENIED = "denied"


# --- life of the daemon ---------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class DaemonStarted(Event):
    """Everything is built and running; `ready_s` is the time since the process was asked to start."""

    version: str
    people: int
    faces: int
    ready_s: float


@dataclass(frozen=True, kw_only=True, eq=False)
class DaemonStopping(Event):
    """The daemon was asked to stop; `reason` says by what (a signal's name, end of source)."""

    reason: str


@dataclass(frozen=True, kw_only=True, eq=False)
class SubscriberFailed(Event):
    """A subscriber's handler raised; the others were not affected."""

    subscriber: str
    failed_event: str
    error: str


@dataclass(frozen=True, kw_only=True, eq=False)
class SubscriberOverflowed(Event):
    """A subscriber's queue was full; `lost` events were not given to it since the last report."""

    subscriber: str
    lost: int


@dataclass(frozen=True, kw_only=True, eq=False)
class ComponentFailed(Event):
    """A part of edged met an error it did not expect and went on without the work at hand."""

    component: str
    error: str
    hint: str


# --- camera ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class CameraConnected(Event):
    """The source delivers frames. `fps` is what the source says of itself, 0 when it says nothing."""

    source: str
    width: int
    height: int
    fps: float


@dataclass(frozen=True, kw_only=True, eq=False)
class CameraLost(Event):
    """The source is missing or stopped delivering; it is tried again after `retry_s` seconds."""

    source: str
    code: str
    reason: str
    hint: str
    retry_s: float


@dataclass(frozen=True, kw_only=True, eq=False)
class SourceEnded(Event):
    """A source with an end (a file, the demo scene) has played its last frame.

    `complete` is False when the file broke off early; `reason` then says so.
    """

    source: str
    frames: int
    complete: bool = True
    reason: str = ""


# --- vision ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Measures:
    """What was measured on one face. Scales: face API reference section 5.1.

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
        passed: decided, and the score reaches the door's threshold.
        decided: enough frames were seen.
        frames: how many.
        suspicion: what speaks against it, strongest first, e.g. `spoof_device_border`, `spoof_network`.
        signs: signs of life seen, `blink` and `solid_turn`; they prove nothing by themselves.
    """

    score: float
    passed: bool
    decided: bool
    frames: int
    suspicion: tuple[str, ...] = ()
    signs: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class TrackStarted(Event):
    """A face that was not there before is being followed."""

    track_id: int


@dataclass(frozen=True, kw_only=True, eq=False)
class TrackEnded(Event):
    """A followed face has gone. `nearest_px` is the largest `face_px` seen.

    `refusals` names what kept its shots from being used, most frequent first.
    """

    track_id: int
    frames: int
    duration_s: float
    nearest_px: float
    shots: int
    refusals: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class ShotRefused(Event):
    """A face in one frame was not worth recognising.

    `reasons` are codes, the deciding one first; `limits` holds for each code the limit it missed.
    """

    track_id: int
    reasons: tuple[str, ...]
    measures: Measures
    limits: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, eq=False)
class GuidanceChanged(Event):
    """What the followed person should be told now is something else than before.

    `code` is a hint of `edged.vision.guidance.HINTS`, its words are in `edged.texts`; None: nothing any more.
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
        liveness: None when nobody looks.
        aligned: 112x112x3 uint8 BGR, eyes and mouth at the embedder's standard places.
        picture: the face with its surroundings (height x width x 3 uint8 BGR), for cloud and snapshot.
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
    timings_ms: dict[str, float] = field(default_factory=dict)


# --- recognition ----------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class FaceIdentified(Event):
    """An engine has answered for one shot. `person_id` None: the library holds nobody to compare with.

    Attributes:
        engine: `local`, `cloud`.
        model_id: which embedding model (and file) produced the answer.
        score: 0..100, 80 = false-accept rate 1e-4 one to one.
        margin: score minus the best score of any other person, 0..100.
        runner_up_id: that other person.
        agreeing_shots: how many shots of this passage in a row had this same top match above threshold.
        gallery_people: how many people the search was against.
        final: no further shot of this passage will be asked for.
        timings_ms: stages so far, with `embed` and `search` added.
    """

    track_id: int
    shot_number: int
    captured_s: float
    engine: str
    model_id: str
    person_id: str | None
    score: float
    margin: float
    runner_up_id: str | None
    agreeing_shots: int
    gallery_people: int
    final: bool
    measures: Measures
    liveness: Liveness | None = None
    timings_ms: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, eq=False)
class RecognitionFailed(Event):
    """The engine could not answer for one shot."""

    track_id: int
    shot_number: int
    engine: str
    code: str
    reason: str


@dataclass(frozen=True, kw_only=True, eq=False)
class PassageExhausted(Event):
    """A track ended, or used up its attempts, without an answer that could be decided on.

    `reasons` are codes, the deciding one first; `score` is that of the last search, if there was one.
    """

    track_id: int
    reasons: tuple[str, ...]
    score: float | None = None
    measures: Measures | None = None


# --- access ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class RuleCheck:
    """One rule as it was applied: its reason code when it fails, whether it passed, and why."""

    code: str
    passed: bool
    detail: str


@dataclass(frozen=True, kw_only=True, eq=False)
class AccessDecided(Event):
    """May this person pass now? Published only after it was committed to the journal.

    Attributes:
        decision_id: unique; a grant is spent once under this id.
        reasons: codes, first is the deciding one; `("granted",)` for a grant.
        captured_s: monotonic time of the frame that decided it; None when no frame did.
        expires_s: monotonic time after which a grant may no longer move the relay.
        rules: every rule that was looked at, in order.
    """

    decision_id: str
    outcome: Outcome
    person_id: str | None
    person_name: str | None
    score: float | None
    reasons: tuple[str, ...]
    margin: float | None = None
    threshold: float | None = None
    engine: str | None = None
    captured_s: float | None = None
    expires_s: float | None = None
    rules: tuple[RuleCheck, ...] = ()
    measures: Measures | None = None
    liveness: Liveness | None = None
    recognitions: int = 0
    timings_ms: dict[str, float] = field(default_factory=dict)


# --- gate -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class GateConnected(Event):
    """The relay board answers (or, without readback, its port is open) and its relay was set to safe.

    `relay_was_on` reports what was read before that: None when the board cannot be read.
    """

    port: str
    protocol: str
    relay_was_on: bool | None


@dataclass(frozen=True, kw_only=True, eq=False)
class GateLost(Event):
    """The relay board is missing or stopped answering; grants are denied until it is back."""

    port: str
    code: str
    reason: str
    hint: str
    retry_s: float


@dataclass(frozen=True, kw_only=True, eq=False)
class DoorUnlocked(Event):
    """A grant has moved the relay.

    Attributes:
        frame_to_relay_ms: from the capture of the deciding frame to the first byte on the wire.
        acknowledged: the board confirmed the new state; None when it cannot.
        extended: the relay was on already and its time was extended.
    """

    decision_id: str
    person_id: str | None
    mode: str
    frame_to_relay_ms: float | None
    decision_to_relay_ms: float
    acknowledged: bool | None
    acknowledged_ms: float | None = None
    extended: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class DoorLocked(Event):
    """The relay is off again. `acknowledged`: read back as off; None when the board cannot be read."""

    reason: str
    on_ms: float | None
    acknowledged: bool | None


@dataclass(frozen=True, kw_only=True, eq=False)
class GrantNotExecuted(Event):
    """A grant did not move the relay: too late, spent already, board away, door busy."""

    decision_id: str
    code: str
    reason: str


@dataclass(frozen=True, kw_only=True, eq=False)
class DoorStateChanged(Event):
    """The door state machine went from one state to another."""

    previous: str
    state: str


@dataclass(frozen=True, kw_only=True, eq=False)
class GateAlarmRaised(Event):
    """Something at the door needs a person: `relay_stuck`, `max_on_cutoff`, `relay_was_on`."""

    code: str
    reason: str


# --- library --------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class LibraryChanged(Event):
    """People or faces were added, changed or removed; the gallery in memory follows."""

    people: int
    faces: int
