"""Inputs and outputs of the door machine: rules, grants, actions. No behaviour.

An action is either a command (`SwitchRelay`) or a fact for the record (everything else). The names of facts
begin with the participle (`UnusedGrant`), those of the events that `reports` makes of them end with it
(`GrantUnused`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class DoorState(StrEnum):
    """State of the door, as far as relay and contacts show it (docs/reference/relay-boards.md 3.1)."""

    LOCKED = "locked"
    UNLOCKED = "unlocked"
    OPEN = "open"
    HELD = "held"
    ALARM_HELD = "alarm_held"
    FORCED = "forced"
    FIRE = "fire"
    FREE = "free"
    OFFLINE = "offline"


class DoorMode(StrEnum):
    """Who may pass: with a grant (`NORMAL`), nobody from outside (`LOCKED`), everybody (`FREE`)."""

    NORMAL = "normal"
    LOCKED = "locked"
    FREE = "free"


@dataclass(frozen=True, kw_only=True)
class DoorRules:
    """Times and habits of one door. Defaults: docs/reference/relay-boards.md 3.2; all times in seconds.

    Attributes:
        mode: `pulse` for gates and turnstiles, whose lane controller times the passage; `hold` for strikes
            and maglocks.
        pulse_s, hold_s: on-time of the relay in the two modes.
        max_on_s: never on for longer, fire excepted.
        min_interval_s: shortest time between two switch-ons.
        queue: pulse mode, grants that may wait for the lane.
        has_contact: a door contact is wired; without it nothing is known about open, held or forced.
        has_passage: the lane reports passages.
        has_passage_out: the lane reports passages in the other direction on an input of their own.
        free_exit: people may leave through the lane without asking; passages out are only counted.
        passage_window_s: pulse mode with a sensor, how long the lane stays open for one person.
        relock_on: hold mode with a contact, switch off when the door opens or when it closes again.
        rex_unlocks: a request to exit (REX) moves the relay. False where the lock has a mechanical handle:
            the request then only keeps the opening from counting as forced.
        forced_debounce_s: a contact open for less is not an opening by force.
        held_warn_s, held_alarm_s: a door open for this long causes a warning, an alarm.
        accessibility_factor: extended open time: for people who need it, `hold_s`, `passage_window_s`,
            `held_warn_s` and `held_alarm_s` are longer by this factor; `max_on_s` stays the limit.
    """

    mode: Literal["pulse", "hold"] = "pulse"
    pulse_s: float = 0.5
    hold_s: float = 5.0
    max_on_s: float = 30.0
    min_interval_s: float = 0.5
    queue: int = 0
    has_contact: bool = False
    has_passage: bool = False
    has_passage_out: bool = False
    free_exit: bool = False
    passage_window_s: float = 5.0
    relock_on: Literal["open", "close"] = "close"
    rex_unlocks: bool = True
    forced_debounce_s: float = 0.1
    held_warn_s: float = 15.0
    held_alarm_s: float = 30.0
    accessibility_factor: float = 2.0


@dataclass(frozen=True, kw_only=True)
class Grant:
    """Permission for one person to pass once.

    Attributes:
        decision_id: unique; the door accepts a grant once under this id.
        expires_s: monotonic time from which it may no longer move the relay; must be finite.
        extra_time: this person gets the extended open time.
        captured_s, decided_s, passage_id, camera_id: for the record; the machine does not use them.
    """

    decision_id: str
    person_id: str | None
    expires_s: float
    extra_time: bool = False
    captured_s: float | None = None
    decided_s: float | None = None
    passage_id: str | None = None
    camera_id: str | None = None


@dataclass(frozen=True)
class SwitchRelay:
    """Command: set the relay, absolutely.

    `pulse_ms`: a board with a timer may end the on-time by itself after this time; the off command follows
    in any case. `reason`: why the relay goes off, for the record.
    """

    on: bool
    pulse_ms: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class ExecutedGrant:
    """The relay was switched on, or its on-time `extended`. Grant None: a request to exit (REX)."""

    grant: Grant | None
    extended: bool = False


@dataclass(frozen=True)
class QueuedGrant:
    """The grant waits for the lane."""

    grant: Grant


@dataclass(frozen=True)
class RefusedGrant:
    """The relay did not move for this grant (None: for a REX)."""

    grant: Grant | None
    code: str
    reason: str


@dataclass(frozen=True)
class UnusedGrant:
    """The passage window ended and no sensor reported a passage. Grant None: a REX opened the door."""

    grant: Grant | None


@dataclass(frozen=True)
class ExpectedExit:
    """REX at a door with a handle: the opening that follows is not forced."""


@dataclass(frozen=True)
class CountedPassage:
    """The lane reported one person.

    Attributes:
        authorised: the lane was open for a passage in this direction, or for everybody.
        out: in the other direction, where the lane distinguishes directions.
        grant: the grant that opened the lane in this direction; None: there was none.
    """

    authorised: bool
    out: bool = False
    grant: Grant | None = None


@dataclass(frozen=True)
class RaisedAlarm:
    """A condition at the door needs a person: `door_forced`, `door_held`, `max_on_cutoff`, `relay_was_on`,
    `relay_stuck`, `passage_unauthorised`, `passage_reverse`, `fire`, `tamper`, `inputs_lost`."""

    code: str
    reason: str


@dataclass(frozen=True)
class EndedAlarm:
    """Alarm cleared: its cause has ended. The alarm stays listed until a person acknowledges it."""

    code: str


@dataclass(frozen=True)
class AcknowledgedAlarm:
    """A person acknowledged an alarm. `active`: its cause lasts."""

    code: str
    by: str
    active: bool


@dataclass(frozen=True)
class ChangedMode:
    """The mode has changed. `source`: what set it, `schedule` or `order` (an override)."""

    previous: DoorMode
    mode: DoorMode
    source: str = ""


@dataclass(frozen=True)
class ChangedState:
    """The machine went from one state to another."""

    previous: DoorState
    state: DoorState


Action = (
    SwitchRelay
    | ExecutedGrant
    | QueuedGrant
    | RefusedGrant
    | UnusedGrant
    | ExpectedExit
    | CountedPassage
    | RaisedAlarm
    | EndedAlarm
    | AcknowledgedAlarm
    | ChangedMode
    | ChangedState
)
