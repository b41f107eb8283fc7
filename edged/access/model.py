"""What a decision rests on and what comes out of it: the request, the snapshot, the decision. Values only."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from edged.events import Liveness, Outcome, RuleCheck


@dataclass(frozen=True, kw_only=True)
class Request:
    """One recognised passage that asks to pass.

    Attributes:
        person_id: best match, None when nobody came near.
        score: 0..100.
        margin: points ahead of the best other person, 0..100.
        agreeing_shots: shots in a row with this person on top.
        age_s: from the capture of the deciding frame to now, seconds.
        library_empty: there was nobody to compare with.
        liveness: the judgement of the liveness check; None when none was made.
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
    """The library's record of a person.

    Attributes:
        valid_from: first moment of the permission, aware; None: it always held.
        valid_until: end of the permission, aware and exclusive; None: no end.
        extra_time: this person needs the extended open time (`gate.accessibility_groups`).
    """

    person_id: str
    name: str
    groups: frozenset[str] = frozenset()
    active: bool = True
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    extra_time: bool = False


@dataclass(frozen=True, kw_only=True)
class DoorPolicy:
    """The limits of one door for one answer.

    Attributes:
        allowed_groups: group ids; `"*"` stands for every person.
        threshold: score a match must reach, 0..100.
        margin: lead over the second person, 0..100.
        agreeing_shots: shots that must agree.
        cool_down_s: the door denies the same person for this time after a grant.
        max_age_s: oldest frame that may open the door.
        liveness: `required` denies a face that is not judged living; `advisory` only records the judgement;
            `off` does not look at it.
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
        since_last_grant_s: time since the last grant to this person at this door; None when there is none.
        gate_ready: the relay board is connected and in a known state.
        locked_down: the door is in lockdown, which denies everybody.
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
    rules: tuple[RuleCheck, ...] = ()


@dataclass(frozen=True)
class AccessRule:
    """One rule: a pure function and the reason codes it may give.

    Attributes:
        codes: every code that `check` can yield; each has its words in `edged.reasons`.
        check: looks at a request, a snapshot and the time (aware UTC), and yields what it found, passed or
            not. It yields nothing where it does not apply.
    """

    codes: tuple[str, ...]
    check: Callable[[Request, Snapshot, datetime], Iterable[RuleCheck]]
