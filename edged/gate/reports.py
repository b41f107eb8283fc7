"""Turns facts of the door machine and the relay into the gate's events. No I/O, no decisions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edged.clock import Clock
from edged.config import GateConfig
from edged.errors import EdgedError
from edged.events import (
    DirectionKeyPressed,
    DoorLocked,
    DoorModeChanged,
    DoorStateChanged,
    DoorUnlocked,
    Event,
    ExitRequested,
    GateAlarmAcknowledged,
    GateAlarmEnded,
    GateAlarmRaised,
    GateConnected,
    GateLost,
    GrantNotExecuted,
    GrantUnused,
    PersonPassed,
)
from edged.gate.board.relay_channel import Switched
from edged.gate.door.model import (
    AcknowledgedAlarm,
    Action,
    ChangedMode,
    ChangedState,
    CountedPassage,
    EndedAlarm,
    ExecutedGrant,
    ExpectedExit,
    Grant,
    RaisedAlarm,
    RefusedGrant,
    UnusedGrant,
)


class Reports:
    """Makes one event of each fact, with the door's id and the time.

    Args:
        say: takes the finished event; must not wait.
    """

    def __init__(self, config: GateConfig, clock: Clock, say: Callable[[Event], object]) -> None:
        self._config = config
        self._clock = clock
        self._say = say
        self._lost_code: str | None = None

    def fact(self, fact: Action, switched: Switched | None) -> None:
        """Report a fact of the door machine; `switched`: result of the command before it, or None."""
        match fact:
            case ExecutedGrant(grant=Grant() as grant):
                self._unlocked(grant, None if fact.extended else switched, fact.extended)
            case RefusedGrant(grant=Grant() as grant):
                self.not_executed(grant, fact.code, fact.reason)
            case ExecutedGrant():
                self._exit("extended" if fact.extended else "unlocked")
            case RefusedGrant():
                self._exit(fact.code)
            case ExpectedExit():
                self._exit("expected")
            case UnusedGrant(grant=grant):
                self._say(GrantUnused(**self._of_grant(grant), **_who(grant)))
            case CountedPassage(grant=grant):
                passed = PersonPassed(
                    **self._of_grant(grant), **_who(grant), authorised=fact.authorised, out=fact.out
                )
                self._say(passed)
            case _:
                self._of_the_door(fact)

    def _of_the_door(self, fact: Action) -> None:
        """Report facts without a person who passes."""
        match fact:
            case RaisedAlarm():
                self._say(GateAlarmRaised(**self._at_door(), code=fact.code, reason=fact.reason))
            case EndedAlarm():
                self._say(GateAlarmEnded(**self._at_door(), code=fact.code))
            case AcknowledgedAlarm():
                seen = GateAlarmAcknowledged(
                    **self._at_door(), code=fact.code, by=fact.by, active=fact.active
                )
                self._say(seen)
            case ChangedMode():
                self._say(
                    DoorModeChanged(
                        **self._at_door(),
                        previous=fact.previous.value,
                        mode=fact.mode.value,
                        source=fact.source,
                    )
                )
            case ChangedState():
                self._say(
                    DoorStateChanged(**self._at_door(), previous=fact.previous.value, state=fact.state.value)
                )

    def key_pressed(self, direction: str) -> None:
        """Report an attendance key at the door: `in` or `out`."""
        self._say(DirectionKeyPressed(**self._at_door(), direction=direction))

    def not_executed(self, grant: Grant, code: str, reason: str) -> None:
        """Report a grant that did not move the relay."""
        self._say(
            GrantNotExecuted(**self._of_grant(grant), decision_id=grant.decision_id, code=code, reason=reason)
        )

    def locked(self, reason: str, on_s: float | None, acknowledged: bool | None) -> None:
        """Report that the relay was switched off; `on_s`: its on-time in seconds, None where unknown."""
        self._say(
            DoorLocked(
                **self._at_door(),
                reason=reason,
                on_ms=None if on_s is None else on_s * 1000,
                acknowledged=acknowledged,
            )
        )

    def connected(self, relay_was_on: bool | None) -> None:
        """Report that the board is there and its relay in the wanted state."""
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
        """Report that the board is lost; again only when the reason changes."""
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

    def _exit(self, outcome: str) -> None:
        self._say(ExitRequested(**self._at_door(), outcome=outcome))

    def _at_door(self) -> dict[str, Any]:
        return {"at": self._clock.now(), "door_id": self._config.id}

    def _of_grant(self, grant: Grant | None) -> dict[str, Any]:
        if grant is None:
            return self._at_door()
        return {**self._at_door(), "passage_id": grant.passage_id, "camera_id": grant.camera_id}


def _who(grant: Grant | None) -> dict[str, Any]:
    return {
        "decision_id": grant.decision_id if grant else None,
        "person_id": grant.person_id if grant else None,
    }
