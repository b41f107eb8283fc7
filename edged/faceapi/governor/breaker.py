"""Stops asking a service that does not answer, and finds out when it does again. Times are passed in."""

from __future__ import annotations

from enum import Enum


class Circuit(Enum):
    """The state of the way to the service."""

    CLOSED = "closed"
    """Calls pass."""
    OPEN = "open"
    """Nothing passes until the pause is over."""
    HALF_OPEN = "half_open"
    """The pause is over: one call may try."""


class Breaker:
    """Circuit breaker for one service.

    Args:
        failures_to_open: failures in a row that open it.
        first_pause_s, longest_pause_s: how long it stays open; each failed trial doubles the pause.
        trial_s: a trial that has not reported for this long is given up and another may try.
    """

    def __init__(
        self,
        *,
        failures_to_open: int = 3,
        first_pause_s: float = 1.0,
        longest_pause_s: float = 60.0,
        trial_s: float = 60.0,
    ) -> None:
        self._failures_to_open = failures_to_open
        self._first_pause_s = first_pause_s
        self._longest_pause_s = longest_pause_s
        self._trial_s = trial_s
        self._failures = 0
        self._pause_s = 0.0
        self._open_until_s: float | None = None
        self._trial_until_s: float | None = None

    def state(self, now: float) -> Circuit:
        """How it stands at `now`."""
        if self._open_until_s is None:
            return Circuit.CLOSED
        return Circuit.OPEN if now < self._open_until_s else Circuit.HALF_OPEN

    def refused_for_s(self, now: float) -> float:
        """0: a call may be sent. Else the time after which it is worth asking again."""
        state = self.state(now)
        if state is Circuit.OPEN:
            return (self._open_until_s or now) - now
        if state is Circuit.HALF_OPEN and self._trial_until_s is not None and now < self._trial_until_s:
            return min(self._pause_s, self._trial_until_s - now)
        return 0.0

    def sent(self, now: float) -> None:
        """A call that was not refused is sent now; in the half-open state it is the trial."""
        if self.state(now) is Circuit.HALF_OPEN:
            self._trial_until_s = now + self._trial_s

    def inconclusive(self) -> None:
        """A call ended without saying anything about the service: if it was the trial, another may try."""
        self._trial_until_s = None

    def success(self) -> None:
        """The service answered: closed, whatever it was."""
        self._failures = 0
        self._pause_s = 0.0
        self._open_until_s = None
        self._trial_until_s = None

    def failure(self, now: float, *, at_once: bool = False) -> None:
        """No usable answer came. Calls that were under way when it opened change nothing.

        Args:
            now: monotonic time.
            at_once: repeating is pointless for long: open without waiting for more, for the longest pause.
        """
        if self.state(now) is Circuit.OPEN:
            return
        self._failures += 1
        reopens = self._open_until_s is not None
        if not reopens and not at_once and self._failures < self._failures_to_open:
            return
        longer_s = max(self._first_pause_s, 2 * self._pause_s)
        self._pause_s = self._longest_pause_s if at_once else min(self._longest_pause_s, longer_s)
        self._open_until_s = now + self._pause_s
        self._trial_until_s = None
