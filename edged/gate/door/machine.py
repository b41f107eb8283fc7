"""The door as a pure state machine: inputs and time go in, relay commands and facts come out. No I/O.

Behaviour: docs/reference/relay-boards.md 3.1. What always holds, whatever the order of inputs:

- locked or forced: the relay is off; fire or free: the relay is on;
- fire and free excepted the relay is never on longer than `max_on_s`, in pulse mode than `pulse_s`;
- only a grant, a request to exit (REX), fire, or the mode `free` (unlocked) switches it on;
- in the mode `locked` (lockdown) no grant moves it; REX and fire work as in every mode;
- an expired or already used grant moves nothing; offline, the door accepts nothing.

Every input first applies the time that has passed, so a late `tick` never makes a grant see an old state.
"""

from __future__ import annotations

import math

from edged.gate.door.memory import RELEASED, STANDS_OPEN, DoorMemory
from edged.gate.door.model import (
    AcknowledgedAlarm,
    Action,
    ChangedMode,
    CountedPassage,
    DoorMode,
    DoorState,
    ExecutedGrant,
    ExpectedExit,
    Grant,
    QueuedGrant,
    UnusedGrant,
)


class Door(DoorMemory):
    """One door or lane. Starts offline, in the mode `normal`; `now` is monotonic seconds, never going back.

    Every input returns the actions that follow from it, commands before the facts that report them.
    """

    # -- inputs

    def tick(self, now: float) -> list[Action]:
        """Apply the time that has passed."""
        self._settle(now)
        return self._flush()

    def grant(self, now: float, grant: Grant) -> list[Action]:
        """Execute a grant. Answers with ExecutedGrant, QueuedGrant or RefusedGrant."""
        self._settle(now)
        refused = self._grants.take(now, grant)
        if refused:
            self._say(refused)
        else:
            self._execute(now, grant)
            self._settle(now)
        return self._flush()

    def rex(self, now: float) -> list[Action]:
        """Request to exit. Works in every mode."""
        self._settle(now)
        if not self._rules.rex_unlocks and self._state in (DoorState.LOCKED, DoorState.UNLOCKED):
            self._exit_until = now + self._rules.hold_s
            self._say(ExpectedExit())
        elif self._state not in (DoorState.OFFLINE, DoorState.FORCED, *RELEASED):
            self._execute(now, None)
            self._settle(now)
        return self._flush()

    def contact(self, now: float, is_open: bool, *, first: bool = False) -> list[Action]:
        """The door contact reads open or closed; `first`: its state was unknown before."""
        self._settle(now)
        if is_open != self._contact_open:
            self._contact_open = is_open
            if is_open:
                self._opened(now, by_force=not first)
            else:
                self._closed()
            self._settle(now)
        return self._flush()

    def contact_unknown(self, now: float) -> list[Action]:
        """The door contact has become unreadable; the door counts as closed until it is read again."""
        self._settle(now)
        self._contact_open = False
        self._forced_at = None
        if self._state in (*STANDS_OPEN, DoorState.FORCED):
            self._window_ends = self._relay.off_at
            self._go(DoorState.UNLOCKED if self._relay.on else DoorState.LOCKED)
        return self._flush()

    def passage(self, now: float, *, out: bool = False) -> list[Action]:
        """The lane reports the passage of one person; `out`: in the other direction."""
        self._settle(now)
        authorised = self._state in RELEASED or (out and self._rules.free_exit) or self._is_open_for(out)
        self._say(CountedPassage(authorised, out, None if out or not authorised else self._current))
        if not authorised and out:
            self._alarm(now, "passage_reverse", "Somebody went through in the wrong direction.")
        elif not authorised:
            self._alarm(now, "passage_unauthorised", "Somebody went through without a grant.")
        elif self._state is DoorState.UNLOCKED and self._is_open_for(out):
            self._relay.switch_off("passed")
            self._go(DoorState.LOCKED)
            self._settle(now)
        return self._flush()

    def fire(self, now: float, active: bool) -> list[Action]:
        """The fire contact. While active the relay is on and no other input has an effect."""
        self._settle(now)
        if active != self._fire:
            self._fire = active
            if self._state is not DoorState.OFFLINE:
                self._rest(now, "fire_over")
            if active:
                self._alarm(now, "fire", "The fire contact is active; everybody may pass.", lasting=True)
            else:
                self._alarm_over("fire")
        return self._flush()

    def tamper(self, now: float, active: bool) -> list[Action]:
        """The tamper contact: a housing is open."""
        return self.trouble(now, "tamper", "A housing at the door was opened." if active else None)

    def trouble(self, now: float, code: str, reason: str | None) -> list[Action]:
        """Raise an alarm that moves nothing; reason None: clear it."""
        if reason is None:
            self._alarm_over(code)
        else:
            self._alarm(now, code, reason, lasting=True)
        return self._flush()

    def acknowledge(self, by: str) -> list[Action]:
        """Acknowledge the alarms. Answers with AcknowledgedAlarm for each new acknowledgement."""
        for alarm in self._alarms.acknowledge(by):
            self._say(AcknowledgedAlarm(alarm.code, by, alarm.active))
        return self._flush()

    def set_mode(self, now: float, mode: DoorMode, source: str = "") -> list[Action]:
        """Set the mode; `source`: what set it, for the record."""
        self._settle(now)
        if mode is not self._mode:
            previous, self._mode = self._mode, mode
            self._say(ChangedMode(previous, mode, source))
            if self._state not in (DoorState.OFFLINE, DoorState.FIRE):
                self._mode_changed(now, previous)
        return self._flush()

    def board_lost(self, now: float) -> list[Action]:
        """The board is lost: refuse waiting grants, accept nothing until `board_back`."""
        self._refuse_waiting("board_offline", "The relay board was lost.")
        self._relay.lost()
        self._forced_at = None
        self._go(DoorState.OFFLINE)
        return self._flush()

    def board_back(self, now: float, relay_on: bool | None) -> list[Action]:
        """The board answers again. `relay_on`: the state of its relay; None: it cannot be read.

        Always answers with the SwitchRelay that sets the relay to the wanted state.
        """
        self._refuse_waiting("board_offline", "The relay board was lost.")
        self._forced_at = None
        self._relay.lost()
        if not (self._fire or self._mode is DoorMode.FREE):
            self._relay.switch_off("reconciled", surely=True)  # it may be on whatever the board reads
            if relay_on:
                what = "The relay was found on when the board came back; it was switched off."
                self._alarm(now, "relay_was_on", what)
        self._rest(now, "reconciled")
        return self._flush()

    # -- time

    def _settle(self, now: float) -> None:
        if self._state is DoorState.OFFLINE:
            return
        if self._state in RELEASED:
            self._relay.assert_again(now)
            return
        self._end_on_time(now)
        if self._state is DoorState.UNLOCKED and now >= self._window_ends:
            if self._rules.has_contact or self._rules.has_passage:
                self._say(UnusedGrant(self._current))
            self._go(DoorState.LOCKED)
        self._watch_contact(now)
        self._out += self._grants.drop_expired(now)
        if self._state is DoorState.LOCKED and self._grants and not self._too_soon(now):
            self._unlock(now, self._grants.next())
            self._watch_contact(now)  # the door may already have been open for longer than allowed

    def _end_on_time(self, now: float) -> None:
        relay = self._relay
        if now < relay.deadline:
            return
        if relay.cut_at < relay.off_at:
            self._window_ends = now
            relay.switch_off("max_on_cutoff")
            what = f"The relay was on for {self._rules.max_on_s:g} s and was cut off."
            self._alarm(now, "max_on_cutoff", what)
        else:
            relay.switch_off("time_over")

    def _watch_contact(self, now: float) -> None:
        if self._forced_at is not None and now >= self._forced_at:
            self._forced_at = None
            self._go(DoorState.FORCED)
            self._alarm(now, "door_forced", "The door was opened without a grant.", lasting=True)
        if self._state in (DoorState.OPEN, DoorState.HELD):
            alarm_s = self._rules.held_alarm_s * self._factor
            if now >= self._opened_at + alarm_s:
                self._go(DoorState.ALARM_HELD)
                self._alarm(now, "door_held", f"The door is open for {alarm_s:g} s.", lasting=True)
            elif now >= self._opened_at + self._rules.held_warn_s * self._factor:
                self._go(DoorState.HELD)

    # -- grants

    def _execute(self, now: float, grant: Grant | None) -> None:
        """Act on an accepted grant, or (None) on a REX."""
        state = self._state
        if state is DoorState.OFFLINE:
            self._refuse(grant, "board_offline", "The relay board is not connected.")
        elif state is DoorState.FIRE:
            self._refuse(grant, "fire", "Fire release is active; everybody may pass.")
        elif state is DoorState.FREE:
            self._say(ExecutedGrant(grant, extended=True))
        elif grant and self._mode is DoorMode.LOCKED:
            self._refuse(grant, "door_locked_down", "The door is locked down; grants do not open it.")
        elif state is DoorState.FORCED:
            self._refuse(grant, "door_forced", "The door was forced and is still open.")
        elif state in STANDS_OPEN:
            self._stays_open_longer(now, grant)
            self._refuse(grant, "door_already_open", "The door is open; the relay was left as it is.")
        elif state is DoorState.UNLOCKED and self._rules.mode == "hold":
            self._extend(now, grant)
        elif state is DoorState.UNLOCKED:
            self._wait_for_lane(grant, "door_busy", "The lane is open for somebody else.")
        elif self._too_soon(now) or self._grants:
            seconds = f"{self._rules.min_interval_s:g} s"
            self._wait_for_lane(grant, "too_soon", f"Less than {seconds} after the last opening.")
        else:
            self._unlock(now, grant)

    def _wait_for_lane(self, grant: Grant | None, code: str, reason: str) -> None:
        if grant and self._grants.wait(grant):
            self._say(QueuedGrant(grant))
        else:
            self._refuse(grant, code, reason)

    def _stays_open_longer(self, now: float, grant: Grant | None) -> None:
        if self._state is not DoorState.ALARM_HELD:
            self._opened_at = now
            self._factor = max(self._factor, self._factor_of(grant))
            self._go(DoorState.OPEN)

    def _extend(self, now: float, grant: Grant | None) -> None:
        self._factor = max(self._factor, self._factor_of(grant))
        off_at = min(now + self._rules.hold_s * self._factor_of(grant), self._relay.cut_at)
        self._relay.off_at = self._window_ends = max(self._relay.off_at, off_at)
        self._current = grant
        self._say(ExecutedGrant(grant, extended=True))

    def _unlock(self, now: float, grant: Grant | None) -> None:
        if self._interlock and not self._interlock.take(self._door_id):
            self._refuse(grant, "interlocked", "The other door of the interlock is not locked.")
            return
        rules, self._factor = self._rules, self._factor_of(grant)
        self._current = grant
        if rules.mode == "pulse":
            off_at = self._window_ends = now + rules.pulse_s
            if rules.has_contact or rules.has_passage:
                self._window_ends = max(off_at, now + rules.passage_window_s * self._factor)
            self._relay.switch_on(now, off_at, round(rules.pulse_s * 1000))
        else:
            on_s = max(rules.hold_s, min(rules.hold_s * self._factor, rules.max_on_s))
            self._window_ends = now + on_s
            self._relay.switch_on(now, now + on_s, None)
        self._say(ExecutedGrant(grant))
        if self._contact_open:  # it opened within the debounce time of a forced door
            self._forced_at = None
            self._go(DoorState.OPEN)
        else:
            self._go(DoorState.UNLOCKED)

    # -- contact, lane, fire, mode

    def _opened(self, now: float, *, by_force: bool) -> None:
        self._opened_at = now
        if self._state is DoorState.UNLOCKED:
            if self._rules.mode == "hold" and self._rules.relock_on == "open":
                self._relay.switch_off("door_opened")
            self._go(DoorState.OPEN)
        elif self._state is DoorState.LOCKED and (now < self._exit_until or not by_force):
            self._factor = 1.0
            self._go(DoorState.OPEN)
        elif self._state is DoorState.LOCKED:
            self._forced_at = now + self._rules.forced_debounce_s

    def _closed(self) -> None:
        self._forced_at = None
        self._exit_until = -math.inf
        if self._state in (*STANDS_OPEN, DoorState.FORCED):
            self._relay.switch_off("door_closed")
            self._go(DoorState.LOCKED)

    def _mode_changed(self, now: float, previous: DoorMode) -> None:
        if self._mode is DoorMode.FREE or previous is DoorMode.FREE:
            self._rest(now, "free_over")
        elif self._mode is DoorMode.LOCKED:
            self._refuse_waiting("door_locked_down", "The door is locked down; grants do not open it.")
            if self._relay.on and self._current:  # a REX may finish
                self._relay.switch_off("locked_down")
                if self._state is DoorState.UNLOCKED and self._rules.mode == "hold":
                    self._go(DoorState.LOCKED)

    def _rest(self, now: float, why_off: str) -> None:
        """Go to the state that holds without a granted passage."""
        self._opened_at = now
        self._factor = 1.0
        if self._fire or self._mode is DoorMode.FREE:
            code = DoorState.FIRE if self._fire else DoorState.FREE
            self._refuse_waiting("fire" if self._fire else "door_free", "Everybody may pass.")
            self._forced_at = None
            self._relay.hold(now)
            self._go(code)
        else:
            self._relay.switch_off(why_off)
            self._go(DoorState.OPEN if self._contact_open else DoorState.LOCKED)
