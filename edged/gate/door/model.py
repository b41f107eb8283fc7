"""What the door machine is told and what it answers: rules, grants, actions. No behaviour.

An action is either a command (`SwitchRelay`) or a fact for the record (everything else). The names of facts
begin with the participle (`UnusedGrant`), those of the events that `reports` makes of them end with it
(`GrantUnused`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class DoorState(StrEnum):
    """Where the door is, as far as the relay and the sensors tell (docs/reference/relay-boards.md 3.1)."""

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
    """Who may pass: those with a grant, nobody from outside, everybody."""

    NORMAL = "normal"
    LOCKED = "locked"
    FREE = "free"


@dataclass(frozen=True, kw_only=True)
class DoorRules:
    """Times and habits of one door. Defaults: docs/reference/relay-boards.md 3.2; all times in seconds.

    Attributes:
        mode: `pulse` for gates and turnstiles (the lane controller does the rest), `hold` for strikes and
            maglocks.
        pulse_s, hold_s: on-time of the relay in the two modes.
        max_on_s: never on for longer, fire excepted.
        min_interval_s: shortest time between two switch-ons.
        queue: pulse mode, grants that may wait for the lane.
        has_contact: a door contact is wired; without it nothing is known about open, held or forced.
        has_passage: the lane reports passages.
        has_passage_out: it reports those in the other direction on an input of their own.
        free_exit: people may leave through the lane without asking; passages out are only counted.
        passage_window_s: pulse mode with a sensor, how long the lane stays open for one person.
        relock_on: hold mode with a contact, switch off when the door opens or when it closes again.
        rex_unlocks: a request to exit moves the relay; False when the lock has a mechanical handle, then it
            only keeps the opening from counting as forced.
        forced_debounce_s: a contact open for less is not an opening by force.
        held_warn_s, held_alarm_s: open for so long is a warning, an alarm.
        accessibility_factor: for people who need more time, `hold_s`, `passage_window_s` and the times before
            a held door is called so are longer by this; `max_on_s` stays the limit.
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
        decision_id: unique; a grant is taken up once under this id.
        expires_s: monotonic time from which it may no longer move the relay; must be finite.
        extra_time: this person needs more time to pass.
        captured_s, decided_s, passage_id, camera_id: carried through for the record, never looked at.
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

    `pulse_ms`: the board may end the on-time by itself after so long, if its hardware can; the off command
    follows in any case. `reason`: why it goes off, for the record.
    """

    on: bool
    pulse_ms: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class ExecutedGrant:
    """The relay was switched on, or its time `extended`. No grant: somebody asked to exit."""

    grant: Grant | None
    extended: bool = False


@dataclass(frozen=True)
class QueuedGrant:
    """The grant waits for the lane."""

    grant: Grant


@dataclass(frozen=True)
class RefusedGrant:
    """The relay did not move for this grant (None: for a request to exit)."""

    grant: Grant | None
    code: str
    reason: str


@dataclass(frozen=True)
class UnusedGrant:
    """The window passed and the sensors saw nobody go through. None: it was opened by a request to exit."""

    grant: Grant | None


@dataclass(frozen=True)
class ExpectedExit:
    """Somebody inside asked to exit and opens by the handle: the opening that follows is not by force."""


@dataclass(frozen=True)
class CountedPassage:
    """The lane reported one person.

    Attributes:
        authorised: the lane was open for one in this direction, or for everybody.
        out: in the other direction, as far as the lane tells them apart.
        grant: whose passage it was, if a grant opened the lane in this direction.
    """

    authorised: bool
    out: bool = False
    grant: Grant | None = None


@dataclass(frozen=True)
class RaisedAlarm:
    """Something at the door needs a person: `door_forced`, `door_held`, `max_on_cutoff`, `relay_was_on`,
    `relay_stuck`, `passage_unauthorised`, `passage_reverse`, `fire`, `tamper`, `inputs_lost`."""

    code: str
    reason: str


@dataclass(frozen=True)
class EndedAlarm:
    """What caused an alarm has ended; until it is acknowledged it stays in the book."""

    code: str


@dataclass(frozen=True)
class AcknowledgedAlarm:
    """Somebody has seen it. `active`: what caused it lasts."""

    code: str
    by: str
    active: bool


@dataclass(frozen=True)
class ChangedMode:
    """Who may pass has changed. `source`: what wants it so, `schedule` or `order`."""

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
