"""The decision itself: a pure function of what was recognised, what is known, and the time.

Nothing here reads a clock, a database or a device; `decide` gets all of it as values. Every doubt denies,
with a reason code from edged/reasons.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from edged.events import Liveness, Outcome, RuleCheck


@dataclass(frozen=True, kw_only=True)
class Request:
    """One recognised passage that asks to be let in.

    Attributes:
        person_id: best match, None when nobody came near.
        library_empty: there was nobody to compare with.
        score: 0..100; margin: points ahead of the best other person.
        agreeing_shots: shots in a row with this person on top.
        age_s: from the capture of the deciding frame to now, seconds.
    """

    door_id: str
    person_id: str | None
    score: float
    margin: float
    agreeing_shots: int
    age_s: float
    library_empty: bool = False
    liveness: Liveness | None = None


@dataclass(frozen=True, kw_only=True)
class PersonRecord:
    """What the library says of a person: groups, whether active, from when until when, more time to pass."""

    person_id: str
    name: str
    groups: frozenset[str] = frozenset()
    active: bool = True
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    extra_time: bool = False


@dataclass(frozen=True, kw_only=True)
class DoorPolicy:
    """The door's own rules.

    Attributes:
        allowed_groups: group ids; `"*"` stands for every person.
        threshold: score a match must reach, 0..100.
        margin: lead over the second person, 0..100.
        agreeing_shots: shots that must agree.
        cool_down_s: the same person is not let in again within this time.
        max_age_s: oldest frame that may open the door.
        liveness: `required`: a face that is not judged living is denied; `advisory`: only recorded; `off`.
    """

    allowed_groups: frozenset[str]
    threshold: float
    margin: float
    agreeing_shots: int
    cool_down_s: float
    max_age_s: float
    liveness: Literal["off", "advisory", "required"] = "off"


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """Everything else that counts, as it is at this moment.

    Attributes:
        person: the record of the requested person, None when the library has none (any more).
        since_last_grant_s: time since this person was last let in at this door; None when never.
        gate_ready: the relay board is connected and in a known state.
        locked_down: nobody is let in at this door now, whoever it is.
    """

    policy: DoorPolicy
    person: PersonRecord | None
    since_last_grant_s: float | None
    gate_ready: bool
    locked_down: bool = False


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Granted or denied; `reasons` holds every failed rule's code, the deciding one first, or `granted`."""

    outcome: Outcome
    reasons: tuple[str, ...]
    rules: tuple[RuleCheck, ...]


def decide(request: Request, snapshot: Snapshot, now: datetime) -> Decision:
    """May the person of `request` pass at `now` (aware UTC)?

    The rules come in the order: is it surely somebody, may they come in, is it the moment, can the door
    do it. All that apply are looked at, so that the record shows everything that stood in the way; the
    first that fails is the deciding one. What a person may do is only asked when it is surely them.
    """
    rules = (*_identity(request, snapshot),)
    rules += (*_liveness(request, snapshot.policy),)
    if all(rule.passed for rule in rules):
        rules += (*_permission(snapshot, now), _cool_down(snapshot))
    rules += (*_circumstances(request, snapshot),)
    failed = tuple(rule.code for rule in rules if not rule.passed)
    if failed:
        return Decision(outcome=Outcome.DENIED, reasons=failed, rules=rules)
    return Decision(outcome=Outcome.GRANTED, reasons=("granted",), rules=rules)


def _identity(request: Request, snapshot: Snapshot) -> Iterable[RuleCheck]:
    policy = snapshot.policy
    if request.library_empty:
        yield RuleCheck(code="library_empty", passed=False, detail="the library holds nobody to compare with")
        return
    if request.person_id is None:
        detail = f"nobody came near, needed {policy.threshold:g}"
        yield RuleCheck(code="not_recognised", passed=False, detail=detail)
        return
    yield RuleCheck(
        code="not_recognised",
        passed=request.score >= policy.threshold,
        detail=f"best score {request.score:.1f}, needed {policy.threshold:g}",
    )
    yield RuleCheck(
        code="ambiguous_match",
        passed=request.margin >= policy.margin,
        detail=f"{request.margin:.1f} points ahead of the next person, needed {policy.margin:g}",
    )
    yield RuleCheck(
        code="not_confirmed",
        passed=request.agreeing_shots >= policy.agreeing_shots,
        detail=f"{request.agreeing_shots} shots agree, needed {policy.agreeing_shots}",
    )


def _liveness(request: Request, policy: DoorPolicy) -> Iterable[RuleCheck]:
    seen = request.liveness
    if policy.liveness == "off":
        return
    if seen is None or not seen.decided:
        frames = seen.frames if seen else 0
        detail = f"too few frames to judge ({frames})"
        yield RuleCheck(code="not_live", passed=policy.liveness == "advisory", detail=detail)
        return
    because = f": {', '.join(seen.suspicion)}" if seen.suspicion else ""
    yield RuleCheck(
        code="spoof_suspected",
        passed=seen.passed or policy.liveness == "advisory",
        detail=f"live score {seen.score:.2f} over {seen.frames} frames, {policy.liveness}{because}",
    )


def _permission(snapshot: Snapshot, now: datetime) -> Iterable[RuleCheck]:
    person, policy = snapshot.person, snapshot.policy
    if person is None:
        yield RuleCheck(code="person_unknown", passed=False, detail="the library has no such person")
        return
    yield RuleCheck(code="person_inactive", passed=person.active, detail=f"active: {person.active}")
    yield RuleCheck(
        code="not_yet_valid",
        passed=person.valid_from is None or person.valid_from <= now,
        detail=f"valid from {person.valid_from or 'the beginning'}",
    )
    yield RuleCheck(
        code="validity_over",
        passed=person.valid_until is None or now < person.valid_until,
        detail=f"valid until {person.valid_until or 'further notice'}",
    )
    allowed = "*" in policy.allowed_groups or bool(person.groups & policy.allowed_groups)
    yield RuleCheck(
        code="group_not_allowed",
        passed=allowed,
        detail=f"in {_listing(person.groups)}; let in here: {_listing(policy.allowed_groups)}",
    )


def _cool_down(snapshot: Snapshot) -> RuleCheck:
    since, pause = snapshot.since_last_grant_s, snapshot.policy.cool_down_s
    last = "never" if since is None else f"{since:.1f} s ago"
    return RuleCheck(
        code="cool_down",
        passed=since is None or since >= pause,
        detail=f"last let in {last}, pause {pause:g} s",
    )


def _circumstances(request: Request, snapshot: Snapshot) -> Iterable[RuleCheck]:
    policy = snapshot.policy
    yield RuleCheck(
        code="too_old",
        passed=0 <= request.age_s <= policy.max_age_s,
        detail=f"frame is {request.age_s:.2f} s old, at most {policy.max_age_s:g} s",
    )
    yield RuleCheck(
        code="gate_offline",
        passed=snapshot.gate_ready,
        detail=f"relay board ready: {snapshot.gate_ready}",
    )
    if snapshot.locked_down:
        yield RuleCheck(code="door_locked_down", passed=False, detail="by its hours or by an order")


def _listing(groups: Iterable[str]) -> str:
    return ", ".join(sorted(groups)) or "no group"
