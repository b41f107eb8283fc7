"""Between keeper and driver: believe a relay only when it was read back, and remember when it may be on.

No door logic, no events, no threads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edged.clock import Clock
from edged.errors import EdgedError
from edged.gate.drivers.base import RelayDriver

READBACK_ROOM_S = 0.2
"""Least time before the next command for a readback in between; one unanswered question costs so much."""


@dataclass(frozen=True)
class Switched:
    """What became of a command. Times are monotonic; `acknowledged_s` is None when nothing was heard."""

    written_s: float
    acknowledged: bool | None
    acknowledged_s: float | None


class RelayLink:
    """One channel of one board."""

    def __init__(self, driver: RelayDriver, channel: int, clock: Clock) -> None:
        self._driver = driver
        self._channel = channel
        self._clock = clock
        self.may_be_on = False
        """The relay was switched on and has not been known to be off since."""

    @property
    def readback(self) -> bool:
        """Whether the board can be read."""
        return self._driver.capabilities.readback

    @property
    def written_s(self) -> float | None:
        """Monotonic time of the last command on the line."""
        return self._driver.written_s

    def connect(self) -> bool | None:
        """Open the board and read its relay, changing nothing. None: it cannot be read, or not yet."""
        self._driver.open()
        state = self._driver.read_output(self._channel)
        self.may_be_on = self.may_be_on or bool(state)
        return state

    def switch(self, on: bool, room_s: float) -> Switched:
        """Command the relay, and read it back if there are `room_s` seconds for it.

        Raises what the driver raises; `written_s` tells whether the command went out before that.
        """
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

    def switch_surely(self, on: bool, give_up: Callable[[], bool]) -> Switched:
        """Repeat an absolute command until the board says what it made of it; the driver ends it after three
        misses in a row. `give_up` is asked between the attempts."""
        while True:
            switched = self.switch(on, room_s=READBACK_ROOM_S)
            if switched.acknowledged is not None or not self.readback or give_up():
                return switched

    def read(self, expected: bool) -> bool | None:
        """The relay's state; asked for twice when it is not as expected, because an answer can be late."""
        state = self._driver.read_output(self._channel)
        if state is not None and state is not expected:
            state = self._driver.read_output(self._channel)
        self.may_be_on = self.may_be_on or bool(state)
        return state

    def make_safe(self) -> Switched | None:
        """Switch off, read back where possible, close. Never raises; `may_be_on` tells the outcome.

        Returns:
            What became of the command; None when the board could not be reached.
        """
        try:
            return self.switch(False, room_s=READBACK_ROOM_S)
        except EdgedError:
            return None  # connecting begins with reading the relay and switching it off
        finally:
            self._driver.close()
