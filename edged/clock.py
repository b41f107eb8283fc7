"""Wall and monotonic time as a value that is passed in. Nothing else in edged asks the system for the time.

Durations and deadlines use `monotonic()`, records use `now()` (aware UTC). Tests pass a `ManualClock`
and move it, so no test has to sleep.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> datetime:
        """Wall time, aware, UTC. May step backwards when the system clock is set."""
        ...

    def monotonic(self) -> float:
        """Seconds since an arbitrary start; never goes backwards."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


class ManualClock:
    """A clock that moves only when told to: `advance()` moves both times, `step_wall()` only the wall."""

    def __init__(
        self, now: datetime = datetime(2026, 1, 1, 8, 0, tzinfo=UTC), monotonic: float = 1000.0
    ) -> None:
        self._now = now
        self._monotonic = monotonic

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass on both clocks. `seconds` must not be negative."""
        if seconds < 0:
            raise ValueError("time passes forwards; use step_wall() for a clock that is set back")
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds

    def step_wall(self, seconds: float) -> None:
        """Set the wall clock forwards or back, as NTP or a person would; monotonic time is untouched."""
        self._now += timedelta(seconds=seconds)


def iso(at: datetime) -> str:
    """`at` as UTC ISO 8601 with milliseconds, e.g. `2026-11-21T08:30:00.125Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
