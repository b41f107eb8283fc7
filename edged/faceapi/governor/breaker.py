"""Stops asking a service that does not answer, and finds out when it does again. Times are passed in."""

from __future__ import annotations

from enum import Enum

from edged.backoff import Backoff, PauseRule


class Circuit(Enum):
    """Whether calls pass to the service."""

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
        trial_s: after this time without a result another call may be the trial.
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
        self._trial_s = trial_s
        self._failures = 0
        self._pauses = Backoff(PauseRule(first_pause_s, longest_pause_s))
        self._trial_until_s: float | None = None

    def state(self, now: float) -> Circuit:
        """The state at monotonic `now`."""
        if not self._pauses.failures:
            return Circuit.CLOSED
        return Circuit.OPEN if self._pauses.left_s(now) > 0 else Circuit.HALF_OPEN

    def refused_for_s(self, now: float) -> float:
        """0: a call may be sent. Else the time after which it is worth asking again."""
        state = self.state(now)
        if state is Circuit.OPEN:
            return self._pauses.left_s(now)
        if state is Circuit.HALF_OPEN and self._trial_until_s is not None and now < self._trial_until_s:
            return min(self._pauses.pause_s, self._trial_until_s - now)
        return 0.0

    def sent(self, now: float) -> None:
        """A call that was not refused is sent now; in the half-open state it is the trial."""
        if self.state(now) is Circuit.HALF_OPEN:
            self._trial_until_s = now + self._trial_s

    def inconclusive(self) -> None:
        """A call ended without evidence about the service. If it was the trial, another call may try."""
        self._trial_until_s = None

    def success(self) -> None:
        """The service answered: close the circuit, whatever its state."""
        self._failures = 0
        self._pauses.reset()
        self._trial_until_s = None

    def failure(self, now: float, *, at_once: bool = False) -> None:
        """No usable answer came. Calls that were in flight when the circuit opened change nothing.

        Args:
            now: monotonic time.
            at_once: repeating will not help for long: open for the longest pause, without further failures.
        """
        if self.state(now) is Circuit.OPEN:
            return
        self._failures += 1
        if at_once:
            self._pauses.failed_for_long(now)
        elif self._pauses.failures or self._failures >= self._failures_to_open:
            self._pauses.failed(now)
        else:
            return
        self._trial_until_s = None
