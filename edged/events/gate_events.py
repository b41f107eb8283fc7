"""Facts at the door: relay board, grants, contacts, alarms, overrides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from edged.events.base import Event


@dataclass(frozen=True, kw_only=True, eq=False)
class GateConnected(Event):
    """The relay board answers (or, without readback, its port is open) and its relay is in the safe state.

    `relay_was_on` is the state read before that: None when the board cannot be read.
    """

    port: str
    protocol: str
    relay_was_on: bool | None


@dataclass(frozen=True, kw_only=True, eq=False)
class GateLost(Event):
    """The relay board is missing or stopped answering; access denies everybody until it is back."""

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
        extended: the relay was on already and stays on longer.
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
    """A grant (or an override to open) did not move the relay: too late, spent, board away, door busy."""

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
    """Something at the door needs a person: `door_forced`, `door_held`, `relay_stuck`, `relay_was_on`,
    `max_on_cutoff`, `passage_unauthorised`, `passage_reverse`, `fire`, `tamper`, `inputs_lost`."""

    code: str
    reason: str


@dataclass(frozen=True, kw_only=True, eq=False)
class GateAlarmEnded(Event):
    """Alarm cleared: its cause has ended. It stays on show until a person acknowledges it."""

    code: str


@dataclass(frozen=True, kw_only=True, eq=False)
class GateAlarmAcknowledged(Event):
    """A person has acknowledged an alarm. `active`: its cause lasts."""

    code: str
    by: str
    active: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class DoorModeChanged(Event):
    """The mode of the door changed: `normal` (people with a grant pass), `locked` (lockdown: nobody from
    outside), `free` (unlocked: everybody).

    `source`: `schedule`, or `order` for an override.
    """

    previous: str
    mode: str
    source: str


@dataclass(frozen=True, kw_only=True, eq=False)
class DoorOrdered(Event):
    """A person gave an override to the running daemon. The journal commits it before anything moves.

    Attributes:
        decision_id: unique; an override to open is spent once under this id, like a grant.
        action: `open`, `lock`, `free`, `normal`, `ack`.
        user, uid: the login that the kernel reports; None where there is none (a page, a web call).
        by: the name that the person gives.
        until: wall time at which the override ends; None: when the hours change next (or not at all).
        expires_s: monotonic time after which an override to open may no longer move the relay.
        code, reason: why the daemon refused it; None: accepted.
    """

    decision_id: str
    action: str
    user: str | None
    uid: int | None
    by: str | None = None
    until: datetime | None = None
    expires_s: float | None = None
    code: str | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class ExitRequested(Event):
    """REX: a person inside pressed the exit button.

    `outcome`: `unlocked`, `extended`, `expected` (the handle opens the door), or the code of a refusal.
    """

    outcome: str


@dataclass(frozen=True, kw_only=True, eq=False)
class GrantUnused(Event):
    """The door opened, and the sensors saw nobody go through. No ids: it opened for a REX."""

    decision_id: str | None
    person_id: str | None


@dataclass(frozen=True, kw_only=True, eq=False)
class PersonPassed(Event):
    """The lane reported one person. `out`: in the other direction; no ids: no grant opened it."""

    authorised: bool
    out: bool = False
    decision_id: str | None = None
    person_id: str | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class DirectionKeyPressed(Event):
    """A person pressed a direction key: `in` or `out`."""

    direction: str
