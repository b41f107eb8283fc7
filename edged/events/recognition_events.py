"""Answers of the recognition engines."""

from __future__ import annotations

from dataclasses import dataclass, field

from edged.events.base import Event
from edged.events.vision_events import Liveness, Measures


@dataclass(frozen=True, kw_only=True, eq=False)
class FaceIdentified(Event):
    """An engine has answered for one shot. `person_id` None: the library holds nobody to compare with.

    Attributes:
        engine: `local`, `cloud`.
        engine_reason: why this engine answered, a code, e.g. `cloud_down`; empty: it is the only engine.
        model_id: which embedding model (and file) produced the answer.
        score: 0..100, 80 = false-accept rate 1e-4 one to one.
        margin: score minus the best score of any other person, 0..100.
        runner_up_id: that other person.
        agreeing_shots: shots of this passage in a row with this same top match above the threshold.
        gallery_people: number of people the search compared with.
        final: the last answer of this passage; access decides on it.
        cloud_name, cloud_groups: name and groups in the cloud of a person the library does not know.
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
    engine_reason: str = ""
    cloud_name: str | None = None
    cloud_groups: tuple[str, ...] = ()
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
    """A track ended, or used up its attempts, without an answer that access can decide on.

    `reasons` are codes, the deciding one first; `score`, `engine` and `engine_reason` are those of the last
    search, if there was one.
    """

    track_id: int
    reasons: tuple[str, ...]
    score: float | None = None
    engine: str | None = None
    engine_reason: str = ""
    measures: Measures | None = None
