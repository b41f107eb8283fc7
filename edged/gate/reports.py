"""Turns what the door machine and the relay did into the gate's events. No I/O, no decisions."""

from __future__ import annotations

from collections.abc import Callable

from edged.clock import Clock
from edged.config import GateConfig
from edged.errors import EdgedError
from edged.events import (
    DoorLocked,
    DoorStateChanged,
    DoorUnlocked,
    Event,
    GateAlarmRaised,
    GateConnected,
    GateLost,
    GrantNotExecuted,
)
from edged.gate.facts import Action, AlarmRaised, Grant, GrantExecuted, GrantRefused, StateChanged
from edged.gate.link import Switched


class Reports:
    """Says each thing once, with the door's id and the time.

    Args:
        say: takes the finished event; must not wait.
    """

    def __init__(self, config: GateConfig, clock: Clock, say: Callable[[Event], None]) -> None:
        self._config = config
        self._clock = clock
        self._say = say
        self._lost_code: str | None = None
        self._alarms: set[str] = set()

    def fact(self, fact: Action, switched: Switched | None) -> None:
        """A fact of the door machine; `switched`: the command that went before it, if any."""
        match fact:
            case GrantExecuted(grant=Grant() as grant):
                self._unlocked(grant, None if fact.extended else switched, fact.extended)
            case GrantRefused(grant=Grant() as grant):
                self.not_executed(grant, fact.code, fact.reason)
            case AlarmRaised():
                self._say(GateAlarmRaised(**self._at_door(), code=fact.code, reason=fact.reason))
            case StateChanged():
                self._say(
                    DoorStateChanged(**self._at_door(), previous=fact.previous.value, state=fact.state.value)
                )

    def not_executed(self, grant: Grant, code: str, reason: str) -> None:
        """A grant that did not move the relay."""
        self._say(
            GrantNotExecuted(**self._of_grant(grant), decision_id=grant.decision_id, code=code, reason=reason)
        )

    def locked(self, reason: str, on_s: float | None, acknowledged: bool | None) -> None:
        """The relay was switched off; `on_s`: how long it was on, where that is known."""
        self._say(
            DoorLocked(
                **self._at_door(),
                reason=reason,
                on_ms=None if on_s is None else on_s * 1000,
                acknowledged=acknowledged,
            )
        )

    def connected(self, relay_was_on: bool | None) -> None:
        """The board is there and its relay is as it should be."""
        self._lost_code = None
        self._say(
            GateConnected(
                **self._at_door(),
                port=self._config.port,
                protocol=self._config.protocol,
                relay_was_on=relay_was_on,
            )
        )

    def lost(self, error: EdgedError, retry_s: float) -> None:
        """The board is not there; said again only when the reason changes."""
        if error.code == self._lost_code:
            return
        self._lost_code = error.code
        self._say(
            GateLost(
                **self._at_door(),
                port=self._config.port,
                code=error.code,
                reason=error.message,
                hint=error.hint,
                retry_s=retry_s,
            )
        )

    def relay_stuck(self, wanted_on: bool) -> None:
        """The relay reads back other than written; said once until it obeys again."""
        if "relay_stuck" in self._alarms:
            return
        self._alarms.add("relay_stuck")
        wanted, is_ = ("on", "off") if wanted_on else ("off", "on")
        meaning = "The door stays locked" if wanted_on else "The door may be unlocked"
        self._say(
            GateAlarmRaised(
                **self._at_door(),
                code="relay_stuck",
                reason=f"The relay was switched {wanted} and reads back {is_}. {meaning}: check the board.",
            )
        )

    def relay_obeys(self) -> None:
        """The relay was read back as it was written."""
        self._alarms.discard("relay_stuck")

    def _unlocked(self, grant: Grant, switched: Switched | None, extended: bool) -> None:
        moved_s = switched.written_s if switched else self._clock.monotonic()
        captured_s, decided_s = grant.captured_s, grant.decided_s
        acknowledged_s = switched.acknowledged_s if switched else None
        self._say(
            DoorUnlocked(
                **self._of_grant(grant),
                decision_id=grant.decision_id,
                person_id=grant.person_id,
                mode=self._config.mode,
                frame_to_relay_ms=(moved_s - captured_s) * 1000 if switched and captured_s else None,
                decision_to_relay_ms=(moved_s - (moved_s if decided_s is None else decided_s)) * 1000,
                acknowledged=switched.acknowledged if switched else None,
                acknowledged_ms=None if acknowledged_s is None else (acknowledged_s - moved_s) * 1000,
                extended=extended,
            )
        )

    def _at_door(self) -> dict:
        return {"at": self._clock.now(), "door_id": self._config.id}

    def _of_grant(self, grant: Grant) -> dict:
        return {**self._at_door(), "passage_id": grant.passage_id, "camera_id": grant.camera_id}
