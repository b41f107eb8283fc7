"""What happened at the door."""

from __future__ import annotations

from dataclasses import dataclass

from edged.events.base import Event


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
