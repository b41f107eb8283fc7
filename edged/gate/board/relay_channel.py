"""One relay between controller and driver: trusts only readback, and remembers when the relay may be on.

No door logic, no events, no threads.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol

from edged.clock import Clock
from edged.errors import EdgedError
from edged.gate.drivers.base import RelayDriver

READBACK_ROOM_S = 0.2
"""Least time, seconds, before the next command for a readback in between: one unanswered question."""
PULSE_LAG_S = 0.02
"""A board begins and ends its pulse a little after the command was handed to the line: 8 bytes at 9600 baud
take 9 ms, its firmware some more. An earlier question would find it still on."""

FIRST_LEASE_S = 2.0
"""First lease requested from the guard before switching on; extended once the on-time is known."""


@dataclass(frozen=True)
class Switched:
    """Result of a command. Times are monotonic; `acknowledged_s` is None when no answer came."""

    written_s: float
    acknowledged: bool | None
    acknowledged_s: float | None


class Lease(Protocol):
    """Permission of the gate guard to have a relay on (see edged/gate_guard.py)."""

    def lease(self, seconds: float) -> None:
        """The relay may be on for `seconds` from now."""
        ...

    def release(self) -> None:
        """The relay has been switched off."""
        ...


class RelayChannel:
    """One channel of one board.

    Args:
        guard: lease of the gate guard, which switches off when this program cannot; None: there is no guard.
        turn: lock of the port (`SerialPort.turn`).
    """

    def __init__(
        self,
        driver: RelayDriver,
        channel: int,
        clock: Clock,
        guard: Lease | None = None,
        turn: AbstractContextManager[None] | None = None,
    ) -> None:
        self.turn = turn or nullcontext()
        """Held from the decision on a command to its end: its on-time begins when the line is free."""
        self._driver = driver
        self._guard = guard
        self._leased = False
        self._channel = channel
        self._clock = clock
        self._answered = True  # until an attempt to connect shows otherwise
        self.may_be_on = False
        """The relay was switched on and has not been proven off since."""
        self._pulse_ends_s: float | None = None  # end of the running pulse that the board itself ends

    @property
    def readback(self) -> bool:
        """Whether the board can be read."""
        return self._driver.capabilities.readback

    @property
    def inputs(self) -> int:
        """Number of contacts the board can read."""
        return self._driver.capabilities.inputs

    def times_pulse(self, seconds: float) -> bool:
        """Whether the board itself can end a pulse of this length."""
        pulse = self._driver.capabilities.pulse
        return pulse is not None and pulse.fits(seconds)

    @property
    def written_s(self) -> float | None:
        """Monotonic time of the last command on the line."""
        return self._driver.written_s

    def connect(self) -> bool | None:
        """Open the board and read its relay; changes nothing. None: the relay cannot be read, or not yet."""
        self._answered = False
        self._driver.open()
        self._answered = True
        state = self._driver.read_output(self._channel)
        self.may_be_on = self.may_be_on or bool(state)
        return state

    def switch(self, on: bool, room_s: float, timer_s: float | None = None) -> Switched:
        """Command the relay, and read it back if there are `room_s` seconds for it.

        Args:
            timer_s: with `on`, on a board with a timer: the board itself switches off after this time. An off
                command at about that time goes out only if the relay does not read back off; an earlier one
                always does.

        Raises what the driver raises; `written_s` tells whether the command went out before that.
        """
        if on and self._guard is not None:
            self._guard.lease(FIRST_LEASE_S)
            self._leased = True
        if on and timer_s is not None and self.times_pulse(timer_s):
            return self._start_timer(timer_s, room_s)
        ended_s, self._pulse_ends_s = self._pulse_ends_s, None
        if not on and ended_s is not None and self._ended_by_itself(ended_s):
            return Switched(ended_s, True, self._clock.monotonic())
        self.may_be_on = self.may_be_on or on
        answer = self._driver.set(self._channel, on)
        written_s = self._driver.written_s or self._clock.monotonic()
        if answer is not True and self.readback and room_s >= READBACK_ROOM_S:
            state = self._driver.read_output(self._channel)
            answer = None if state is None else state is on
        if not on and answer is not None:
            self.may_be_on = not answer
        elif not on and not self.readback:
            self.may_be_on = False  # nothing better than the written command will ever be known
        return Switched(written_s, answer, None if answer is None else self._clock.monotonic())

    def renew_lease(self, seconds: float) -> None:
        """With a guard: extend its lease to `seconds` from now, or end it when the relay is off. Raises what
        the port raises."""
        if self._guard is None or not self._leased:
            return
        if self.may_be_on:
            self._guard.lease(seconds)
        else:
            self._guard.release()
            self._leased = False

    def _start_timer(self, seconds: float, room_s: float) -> Switched:
        """On for `seconds` by the board's own timer. Sent once: a lost answer does not mean a lost pulse."""
        self.may_be_on = True
        self._pulse_ends_s = self._clock.monotonic() + seconds
        answer = self._driver.pulse(self._channel, seconds)
        written_s = self._driver.written_s or self._clock.monotonic()
        self._pulse_ends_s = written_s + seconds
        if answer is not True and self.readback and room_s >= READBACK_ROOM_S:
            answer = self.read(expected=True)
            if self._clock.monotonic() >= self._pulse_ends_s:
                answer = answer or None  # the pulse is over by now, so off proves nothing
        return Switched(written_s, answer, None if answer is None else self._clock.monotonic())

    def _ended_by_itself(self, ends_s: float) -> bool:
        """Whether a pulse that should be over reads back off."""
        early_s = ends_s - self._clock.monotonic()
        if early_s > PULSE_LAG_S or not self.readback:
            return False
        self._clock.sleep(max(0.0, early_s + PULSE_LAG_S))
        over = self._driver.read_output(self._channel) is False
        self.may_be_on = self.may_be_on and not over
        return over

    def switch_surely(self, on: bool, give_up: Callable[[], bool]) -> Switched:
        """Repeat an absolute command until readback shows its result; the driver raises after three misses
        in a row. `give_up` True ends the attempts."""
        while True:
            switched = self.switch(on, room_s=READBACK_ROOM_S)
            if switched.acknowledged is not None or not self.readback or give_up():
                return switched

    def read(self, expected: bool) -> bool | None:
        """The relay's state; read twice when it is not as expected, because an answer can be late."""
        state = self._driver.read_output(self._channel)
        if state is not None and state is not expected:
            state = self._driver.read_output(self._channel)
        self.may_be_on = self.may_be_on or bool(state)
        return state

    def feed_watchdog(self) -> None:
        """Feed the watchdog of a board that has one."""
        if self._driver.capabilities.watchdog:
            self._driver.feed_watchdog()

    def make_safe(self) -> Switched | None:
        """Safe state: switch off, read back unless the board never answered, close. Never raises; `may_be_on`
        shows the outcome.

        Returns:
            The result of the command; None when the board could not be reached.
        """
        try:
            switched = self.switch(False, room_s=READBACK_ROOM_S if self._answered else 0.0)
            self.renew_lease(FIRST_LEASE_S)
            return switched
        except EdgedError:
            return None  # connecting begins with reading the relay and switching it off
        finally:
            self._driver.close()
