"""Decisions about passages."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from edged.events.base import Event
from edged.events.vision_events import Liveness, Measures


class Outcome(StrEnum):
    """The decision about one passage."""

    GRANTED = "granted"
    DENIED = "denied"


@dataclass(frozen=True, kw_only=True)
class RuleCheck:
    """One check of a rule: the reason code it gives on failure, whether it passed, and why."""

    code: str
    passed: bool
    detail: str


@dataclass(frozen=True, kw_only=True, eq=False)
class AccessDecided(Event):
    """May this person pass now? Access publishes it only after the journal has committed it.

    Attributes:
        decision_id: unique; a grant is spent once under this id.
        reasons: codes, first is the deciding one; `("granted",)` for a grant.
        track_id: which face of the camera; numbers start anew with the daemon.
        groups: the groups of the person, sorted.
        captured_s: monotonic time of the frame that decided it; None when no frame did.
        expires_s: monotonic time after which a grant may no longer move the relay.
        rules: every check that was made, in order.
        direction: `in` or `out` where the camera sees one way only.
        extra_time: this person needs the extended open time (`gate.accessibility_groups`).
    """

    decision_id: str
    outcome: Outcome
    person_id: str | None
    person_name: str | None
    score: float | None
    reasons: tuple[str, ...]
    track_id: int | None = None
    groups: tuple[str, ...] = ()
    margin: float | None = None
    threshold: float | None = None
    engine: str | None = None
    engine_reason: str = ""
    captured_s: float | None = None
    expires_s: float | None = None
    rules: tuple[RuleCheck, ...] = ()
    measures: Measures | None = None
    liveness: Liveness | None = None
    recognitions: int = 0
    direction: str | None = None
    extra_time: bool = False
    timings_ms: dict[str, float] = field(default_factory=dict)
