"""Base of the door machine: state, deadlines, alarms and answers, without its inputs. No I/O."""

from __future__ import annotations

import math

from edged.gate.door.alarms import Alarm, AlarmBook
from edged.gate.door.grants import GrantBook
from edged.gate.door.interlock import Interlock
from edged.gate.door.model import (
    Action,
    ChangedState,
    DoorMode,
    DoorRules,
    DoorState,
    EndedAlarm,
    Grant,
    RaisedAlarm,
    RefusedGrant,
)
from edged.gate.door.relay import Relay

STANDS_OPEN = (DoorState.OPEN, DoorState.HELD, DoorState.ALARM_HELD)
RELEASED = (DoorState.FIRE, DoorState.FREE)
"""States in which everybody may pass and the relay is held on."""


class DoorMemory:
    """State of one door. `Door` adds the inputs."""

    def __init__(self, rules: DoorRules, *, interlock: Interlock | None = None, door_id: str = "") -> None:
        """Args: `interlock`: shared with the doors of which only one may be unlocked at a time; `door_id`:
        name of this door there."""
        self._rules = rules
        self._interlock = interlock
        self._door_id = door_id
        self._state = DoorState.OFFLINE
        self._mode = DoorMode.NORMAL
        self._out: list[Action] = []
        self._relay = Relay(rules.max_on_s, self._say)
        self._grants = GrantBook(rules.queue if rules.mode == "pulse" else 0)
        self._alarms = AlarmBook()
        self._fire = False
        self._contact_open = False
        self._window_ends = math.inf
        self._opened_at = 0.0
        self._forced_at: float | None = None
        self._exit_until = -math.inf
        self._current: Grant | None = None  # the grant that opened it; None: a REX
        self._factor = 1.0

    @property
    def state(self) -> DoorState:
        """The present state."""
        return self._state

    @property
    def mode(self) -> DoorMode:
        """The present mode."""
        return self._mode

    @property
    def relay_on(self) -> bool:
        """Last commanded state of the relay; False while offline."""
        return self._relay.on

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """Active or not yet acknowledged, oldest first."""
        return self._alarms.alarms

    @property
    def at_rest(self) -> bool:
        """No passage is under way: no grant waits, no on-time or passage window runs."""
        waiting = self._grants or self._state is DoorState.UNLOCKED
        return not waiting and self._relay.on is self._relay.held

    def next_deadline(self) -> float | None:
        """Monotonic time at which `tick` has work; None: not before the next input."""
        if self._state is DoorState.OFFLINE:
            return None
        due = [self._relay.deadline, self._grants.deadline]
        if self._state is DoorState.UNLOCKED:
            due.append(self._window_ends)
        if self._state is DoorState.LOCKED and self._grants:
            due.append(self._relay.on_at + self._rules.min_interval_s)
        if self._forced_at is not None:
            due.append(self._forced_at)
        if self._state is DoorState.OPEN:
            due.append(self._opened_at + self._rules.held_warn_s * self._factor)
        if self._state in (DoorState.OPEN, DoorState.HELD):
            due.append(self._opened_at + self._rules.held_alarm_s * self._factor)
        first = min(due)
        return None if first == math.inf else first

    # -- questions

    def _too_soon(self, now: float) -> bool:
        return now < self._relay.on_at + self._rules.min_interval_s

    def _is_open_for(self, out: bool) -> bool:
        """Whether the lane is open for a passage in this direction, where it distinguishes directions."""
        if self._state not in (DoorState.UNLOCKED, DoorState.OPEN, DoorState.HELD):
            return False
        return not self._rules.has_passage_out or out is (self._current is None)

    def _factor_of(self, grant: Grant | None) -> float:
        return self._rules.accessibility_factor if grant and grant.extra_time else 1.0

    # -- state and answers

    def _go(self, state: DoorState) -> None:
        if state is not self._state:
            previous, self._state = self._state, state
            if state is DoorState.LOCKED:
                self._current = None
            self._say(ChangedState(previous, state))
            if state not in (DoorState.OFFLINE, DoorState.FORCED):
                self._alarm_over("door_forced")
            if state not in (DoorState.OFFLINE, DoorState.ALARM_HELD):
                self._alarm_over("door_held")

    def _alarm(self, now: float, code: str, reason: str, *, lasting: bool = False) -> None:
        if self._alarms.raise_(now, code, reason, lasting=lasting):
            self._say(RaisedAlarm(code, reason))

    def _alarm_over(self, code: str) -> None:
        if self._alarms.over(code):
            self._say(EndedAlarm(code))

    def _say(self, action: Action) -> None:
        self._out.append(action)

    def _flush(self) -> list[Action]:
        if self._interlock:
            locked = self._state is DoorState.LOCKED and not self._contact_open
            self._interlock.report(self._door_id, locked, self._fire)
        actions, self._out = self._out, []
        return actions

    def _refuse(self, grant: Grant | None, code: str, reason: str) -> None:
        self._say(RefusedGrant(grant, code, reason))

    def _refuse_waiting(self, code: str, reason: str) -> None:
        self._out += self._grants.drop_all(code, reason)
