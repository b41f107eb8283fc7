"""The shape of an explanation: all that is known about one passage, as values. `why.py` finds it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from edged.clock import iso


@dataclass(frozen=True)
class Refusals:
    """Shots of a passage that were refused for one reason.

    Attributes:
        code: the reason.
        count: shots it applied to; a shot may have several reasons.
        best, worst: the measured values nearest to and furthest from the limit; None if not measured.
        required: the limit; None if not stated.
        unit: unit of the three, with its space, e.g. ` px`.
    """

    code: str
    count: int
    best: float | None
    worst: float | None
    required: float | None
    unit: str = ""


@dataclass(frozen=True)
class Recognition:
    """The answer of an engine for one shot.

    Attributes:
        engine_reason: why this engine was asked.
        score, margin: 0..100; None where the engine names nobody.
        error, error_detail: code and text when it had no answer.
    """

    shot_number: int
    engine: str
    engine_reason: str = ""
    model_id: str = ""
    person_id: str | None = None
    score: float | None = None
    margin: float | None = None
    runner_up_id: str | None = None
    agreeing_shots: int = 0
    gallery_people: int = 0
    error: str = ""
    error_detail: str = ""


@dataclass(frozen=True)
class Rule:
    """One access rule and its verdict."""

    code: str
    passed: bool
    detail: str


@dataclass(frozen=True)
class RelayOutcome:
    """The outcome of a grant: how the relay moved, or why it did not.

    Attributes:
        moved: None when nobody knows, because the daemon was stopped in between.
        acknowledged, off_acknowledged: the board confirmed that it is on, or off; None when it cannot.
        on_ms: how long it was on; None while it is on, or when the journal does not say.
        code, detail: why it did not move.
    """

    moved: bool | None
    at: datetime | None = None
    mode: str = ""
    acknowledged: bool | None = None
    acknowledged_ms: float | None = None
    decision_to_relay_ms: float | None = None
    frame_to_relay_ms: float | None = None
    extended: bool = False
    released_at: datetime | None = None
    on_ms: float | None = None
    off_acknowledged: bool | None = None
    code: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Explanation:
    """Everything known about one passage, or about one manual override.

    Attributes:
        outcome: `granted`, `denied`, `undecided`; for an override `ordered`, or `refused`.
        ordered: the override and its operator, where it was one.
    """

    passage_id: str | None
    decision_id: str | None
    at: datetime
    door_id: str | None
    camera_id: str | None
    outcome: str
    reasons: tuple[str, ...]
    person_id: str | None
    person_name: str | None
    score: float | None
    threshold: float | None
    margin: float | None
    refused_shots: int
    refusals: tuple[Refusals, ...]
    recognitions: tuple[Recognition, ...]
    rules: tuple[Rule, ...]
    timings_ms: dict[str, float]
    relay: RelayOutcome | None
    nearest_px: float | None
    seen_s: float | None
    ordered: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready dict with the same names."""
        return {name: _jsonable(value) for name, value in asdict(self).items()}


def _jsonable(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, dict):
        return {k: _jsonable(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(v) for v in value]
    return value
