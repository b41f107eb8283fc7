"""The door as a pure state machine: facts and time go in, relay commands and facts come out. No I/O.

Behaviour: gate hardware reference 3.1. What always holds, whatever the order of inputs:

- locked or forced: the relay is off; fire: the relay is on;
- the relay is never on longer than `max_on_s`, fire excepted, nor longer than `pulse_s` in pulse mode;
- it is only switched on by a grant, a request to exit, or fire;
- an expired grant, or one taken up before, moves nothing; offline, nothing is accepted.

Every input first lets the time pass that has passed, so a late `tick` never makes a grant see an old state.
"""

from __future__ import annotations

import math
from collections import deque

from edged.gate.facts import (
    Action,
    AlarmRaised,
    DoorRules,
    DoorState,
    Grant,
    GrantExecuted,
    GrantQueued,
    GrantRefused,
    GrantUnused,
    PassageCounted,
    StateChanged,
    SwitchRelay,
)

MAX_REMEMBERED = 1024
"""Unexpired decisions kept in mind; at two seconds of life each, far beyond what one door can see."""


class Door:
    """One door or lane. Starts offline; `now` is monotonic seconds and never goes backwards.

    Every input returns the actions that follow from it, commands before the facts that report them.
    """

    def __init__(self, rules: DoorRules) -> None:
        self._rules = rules
        self._state = DoorState.OFFLINE
        self._relay_on = False
        self._fire = False
        self._contact_open = False
        self._on_at = -math.inf  # last off-to-on edge
        self._off_at = math.inf  # planned end of the on-time
        self._window_ends = math.inf
        self._opened_at = 0.0
        self._forced_at: float | None = None
        self._exit_until = -math.inf
        self._current: Grant | None = None
        self._queue: deque[Grant] = deque()
        self._taken: dict[str, float] = {}
        self._out: list[Action] = []

    @property
    def state(self) -> DoorState:
        """Where the door is."""
        return self._state

    @property
    def relay_on(self) -> bool:
        """What the relay was last told to be; offline, False."""
        return self._relay_on

    def next_deadline(self) -> float | None:
        """Monotonic time at which `tick` has something to do; None: not before the next input."""
        if self._state in (DoorState.OFFLINE, DoorState.FIRE):
            return None
        due = [grant.expires_s for grant in self._queue]
        if self._relay_on:
            due.append(min(self._off_at, self._cut_at))
        if self._state is DoorState.UNLOCKED:
            due.append(self._window_ends)
        if self._state is DoorState.LOCKED and self._queue:
            due.append(self._on_at + self._rules.min_interval_s)
        if self._forced_at is not None:
            due.append(self._forced_at)
        if self._state is DoorState.OPEN:
            due.append(self._opened_at + self._rules.held_warn_s)
        if self._state in (DoorState.OPEN, DoorState.HELD):
            due.append(self._opened_at + self._rules.held_alarm_s)
        return min(due, default=None)

    # -- inputs

    def tick(self, now: float) -> list[Action]:
        """Let time pass."""
        self._settle(now)
        return self._flush()

    def grant(self, now: float, grant: Grant) -> list[Action]:
        """Somebody may pass. Answers with GrantExecuted, GrantQueued or GrantRefused."""
        self._settle(now)
        if self._take(now, grant):
            self._execute(now, grant)
            self._settle(now)
        return self._flush()

    def rex(self, now: float) -> list[Action]:
        """Somebody inside asks to exit."""
        self._settle(now)
        if not self._rules.rex_unlocks and self._state in (DoorState.LOCKED, DoorState.UNLOCKED):
            self._exit_until = now + self._rules.hold_s
        elif self._state not in (DoorState.OFFLINE, DoorState.FIRE, DoorState.FORCED):
            self._execute(now, None)
            self._settle(now)
        return self._flush()

    def contact(self, now: float, is_open: bool) -> list[Action]:
        """The door contact says open or closed."""
        self._settle(now)
        if is_open != self._contact_open:
            self._contact_open = is_open
            if is_open:
                self._opened(now)
            else:
                self._closed()
            self._settle(now)
        return self._flush()

    def passage(self, now: float) -> list[Action]:
        """The lane reports that one person went through."""
        self._settle(now)
        if self._state is DoorState.UNLOCKED:
            self._switch_off("passed")
            self._say(PassageCounted(authorised=True))
            self._go(DoorState.LOCKED)
            self._settle(now)
        elif self._state in (DoorState.OPEN, DoorState.HELD, DoorState.FIRE):
            self._say(PassageCounted(authorised=True))
        else:
            self._say(PassageCounted(authorised=False))
            self._alarm("passage_unauthorised", "Somebody went through without a grant.")
        return self._flush()

    def fire(self, now: float, active: bool) -> list[Action]:
        """The fire contact. While active the relay is on and everything else is ignored."""
        self._settle(now)
        if active != self._fire:
            self._fire = active
            if self._state is not DoorState.OFFLINE:
                self._fire_changed(now)
        return self._flush()

    def board_lost(self, now: float) -> list[Action]:
        """The relay cannot be commanded any more: nothing waits, nothing is accepted."""
        self._refuse_waiting("board_offline", "The relay board was lost.")
        self._relay_on = False
        self._forced_at = None
        self._go(DoorState.OFFLINE)
        return self._flush()

    def board_back(self, now: float, relay_on: bool | None) -> list[Action]:
        """The board answers again. `relay_on`: what its relay was found to be; None: it cannot be read.

        Always answers with the SwitchRelay that makes the relay what it should be.
        """
        self._refuse_waiting("board_offline", "The relay board was lost.")
        self._forced_at = None
        if self._fire:
            self._switch_on(now, pulse_ms=None)
            self._go(DoorState.FIRE)
            return self._flush()
        self._relay_on = True  # it may be: the off command is wanted whatever was read
        self._switch_off("reconciled")
        if relay_on:
            self._alarm(
                "relay_was_on", "The relay was found on when the board came back; it was switched off."
            )
        self._rest(now)
        return self._flush()

    # -- time

    @property
    def _cut_at(self) -> float:
        return self._on_at + self._rules.max_on_s

    def _settle(self, now: float) -> None:
        if self._state in (DoorState.OFFLINE, DoorState.FIRE):
            return
        self._end_on_time(now)
        if self._state is DoorState.UNLOCKED and now >= self._window_ends:
            if self._rules.has_contact or self._rules.has_passage:
                self._say(GrantUnused(self._current))
            self._go(DoorState.LOCKED)
        self._watch_contact(now)
        self._drop_expired(now)
        if self._state is DoorState.LOCKED and self._queue and not self._too_soon(now):
            self._unlock(now, self._queue.popleft())
            self._watch_contact(now)  # it may stand open already, and longer than it may

    def _end_on_time(self, now: float) -> None:
        if not self._relay_on or now < min(self._off_at, self._cut_at):
            return
        if self._cut_at < self._off_at:
            self._window_ends = now
            self._switch_off("max_on_cutoff")
            self._alarm("max_on_cutoff", f"The relay was on for {self._rules.max_on_s:g} s and was cut off.")
        else:
            self._switch_off("time_over")

    def _watch_contact(self, now: float) -> None:
        if self._forced_at is not None and now >= self._forced_at:
            self._forced_at = None
            self._go(DoorState.FORCED)
            self._alarm("door_forced", "The door was opened without a grant.")
        if self._state in (DoorState.OPEN, DoorState.HELD):
            if now >= self._opened_at + self._rules.held_alarm_s:
                self._go(DoorState.ALARM_HELD)
                self._alarm("door_held", f"The door is open for {self._rules.held_alarm_s:g} s.")
            elif now >= self._opened_at + self._rules.held_warn_s:
                self._go(DoorState.HELD)

    def _drop_expired(self, now: float) -> None:
        for grant in [g for g in self._queue if now >= g.expires_s]:
            self._queue.remove(grant)
            self._refuse(grant, "grant_expired", "The lane did not get free in time.")

    # -- grants

    def _take(self, now: float, grant: Grant) -> bool:
        """Whether this grant may be looked at at all; it is remembered until it cannot be used any more."""
        self._taken = {known: until for known, until in self._taken.items() if now < until}
        if not now < grant.expires_s < math.inf:
            self._refuse(grant, "grant_expired", "The grant came too late.")
        elif grant.decision_id in self._taken:
            self._refuse(grant, "grant_already_spent", "This decision was taken up before.")
        elif len(self._taken) >= MAX_REMEMBERED:
            self._refuse(grant, "door_busy", f"More than {MAX_REMEMBERED} grants at once.")
        else:
            self._taken[grant.decision_id] = grant.expires_s
            return True
        return False

    def _execute(self, now: float, grant: Grant | None) -> None:
        """Act on a grant that may be used, or (None) on a request to exit."""
        state = self._state
        if state is DoorState.OFFLINE:
            self._refuse(grant, "board_offline", "The relay board is not connected.")
        elif state is DoorState.FIRE:
            self._refuse(grant, "fire", "Fire release is active; everybody may pass.")
        elif state is DoorState.FORCED:
            self._refuse(grant, "door_forced", "The door was forced and is still open.")
        elif state in (DoorState.OPEN, DoorState.HELD, DoorState.ALARM_HELD):
            if state is not DoorState.ALARM_HELD:
                self._opened_at = now
                self._go(DoorState.OPEN)
            self._refuse(grant, "door_already_open", "The door is open; the relay was left as it is.")
        elif state is DoorState.UNLOCKED and self._rules.mode == "hold":
            self._extend(now, grant)
        elif state is DoorState.UNLOCKED:
            self._wait_for_lane(grant, "door_busy", "The lane is open for somebody else.")
        elif self._too_soon(now) or self._queue:
            self._wait_for_lane(
                grant, "too_soon", f"Less than {self._rules.min_interval_s:g} s after the last opening."
            )
        else:
            self._unlock(now, grant)

    def _too_soon(self, now: float) -> bool:
        return now < self._on_at + self._rules.min_interval_s

    def _wait_for_lane(self, grant: Grant | None, code: str, reason: str) -> None:
        if grant and self._rules.mode == "pulse" and len(self._queue) < self._rules.queue:
            self._queue.append(grant)
            self._say(GrantQueued(grant))
        else:
            self._refuse(grant, code, reason)

    def _extend(self, now: float, grant: Grant | None) -> None:
        self._off_at = max(self._off_at, min(now + self._rules.hold_s, self._cut_at))
        self._window_ends = self._off_at
        self._current = grant
        self._say(GrantExecuted(grant, extended=True))

    def _unlock(self, now: float, grant: Grant | None) -> None:
        rules = self._rules
        on_s = rules.pulse_s if rules.mode == "pulse" else rules.hold_s
        self._switch_on(now, pulse_ms=round(on_s * 1000) if rules.mode == "pulse" else None)
        self._off_at = self._window_ends = now + on_s
        if rules.mode == "pulse" and (rules.has_contact or rules.has_passage):
            self._window_ends = max(self._off_at, now + rules.passage_window_s)
        self._current = grant
        self._say(GrantExecuted(grant))
        if self._contact_open:  # it opened a moment ago and was not yet called forced
            self._forced_at = None
            self._go(DoorState.OPEN)
        else:
            self._go(DoorState.UNLOCKED)

    def _refuse(self, grant: Grant | None, code: str, reason: str) -> None:
        self._say(GrantRefused(grant, code, reason))

    def _refuse_waiting(self, code: str, reason: str) -> None:
        while self._queue:
            self._refuse(self._queue.popleft(), code, reason)

    # -- contact and fire

    def _opened(self, now: float) -> None:
        self._opened_at = now
        if self._state is DoorState.UNLOCKED:
            if self._rules.mode == "hold" and self._rules.relock_on == "open":
                self._switch_off("door_opened")
            self._go(DoorState.OPEN)
        elif self._state is DoorState.LOCKED and now < self._exit_until:
            self._go(DoorState.OPEN)
        elif self._state is DoorState.LOCKED:
            self._forced_at = now + self._rules.forced_debounce_s

    def _closed(self) -> None:
        self._forced_at = None
        self._exit_until = -math.inf
        if self._state in (DoorState.OPEN, DoorState.HELD, DoorState.ALARM_HELD, DoorState.FORCED):
            self._switch_off("door_closed")
            self._go(DoorState.LOCKED)

    def _fire_changed(self, now: float) -> None:
        if self._fire:
            self._refuse_waiting("fire", "Fire release is active; everybody may pass.")
            self._forced_at = None
            self._switch_on(now, pulse_ms=None)
            self._go(DoorState.FIRE)
        else:
            self._switch_off("fire_over")
            self._rest(now)

    def _rest(self, now: float) -> None:
        """Relay off: locked, or open if that is how the door stands."""
        self._opened_at = now
        self._go(DoorState.OPEN if self._contact_open else DoorState.LOCKED)

    # -- relay, state and answers

    def _switch_on(self, now: float, pulse_ms: int | None) -> None:
        if not self._relay_on:
            self._on_at = now
        self._relay_on = True
        self._say(SwitchRelay(True, pulse_ms))

    def _switch_off(self, reason: str) -> None:
        if self._relay_on:
            self._relay_on = False
            self._off_at = math.inf
            self._say(SwitchRelay(False, reason=reason))

    def _go(self, state: DoorState) -> None:
        if state is not self._state:
            previous, self._state = self._state, state
            self._say(StateChanged(previous, state))

    def _alarm(self, code: str, reason: str) -> None:
        self._say(AlarmRaised(code, reason))

    def _say(self, action: Action) -> None:
        self._out.append(action)

    def _flush(self) -> list[Action]:
        actions, self._out = self._out, []
        return actions
