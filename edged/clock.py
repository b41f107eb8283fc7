"""Wall and monotonic time as an object that callers pass in. No other module asks the system for the time.

Durations and deadlines use `monotonic()`, records use `now()` (aware UTC). Code that waits for a time calls
`sleep()`, `wait_until()` or `wait_readable()`. Tests pass a `ManualClock` and move it, so no test sleeps.
ruff refuses every other look at the time (`banned-api` in pyproject.toml).
"""

from __future__ import annotations

import select
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> datetime:
        """Wall time, aware, UTC. Steps, also backwards, when the system clock is set."""
        ...

    def monotonic(self) -> float:
        """Seconds since an arbitrary start; never goes backwards."""
        ...

    def wait_until(self, changed: threading.Condition, deadline_s: float | None) -> None:
        """Wait, holding `changed`, until it is notified or the monotonic time is reached.

        May return early, so the caller checks again. None: wait for the notification only.
        """
        ...

    def sleep(self, seconds: float) -> None:
        """Let `seconds` pass; zero or less returns at once."""
        ...

    def wait_readable(self, descriptor: int, seconds: float) -> bool:
        """Wait until the file descriptor has something to read or was hung up, at most `seconds`.

        Returns:
            Whether it has; zero or less only looks.

        Raises:
            OSError, ValueError: the descriptor is closed.
        """
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def wait_until(self, changed: threading.Condition, deadline_s: float | None) -> None:
        changed.wait(None if deadline_s is None else max(0.0, deadline_s - self.monotonic()))

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            time.sleep(seconds)

    def wait_readable(self, descriptor: int, seconds: float) -> bool:
        return bool(select.select([descriptor], [], [], max(0.0, seconds))[0])


class ManualClock:
    """A clock that stands still until a test moves it: `advance()` moves both times, `step_wall()` one.

    A sleep, and a wait for a descriptor that has nothing to read, moves it by itself.
    """

    def __init__(
        self, now: datetime = datetime(2026, 1, 1, 8, 0, tzinfo=UTC), monotonic: float = 1000.0
    ) -> None:
        self._now = now
        self._monotonic = monotonic
        self._waiting: list[threading.Condition] = []
        self._arrived = threading.Condition()

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass on both clocks. `seconds` must not be negative."""
        if seconds < 0:
            raise ValueError("time passes forwards; use step_wall() for a clock that is set back")
        with self._arrived:
            self._now += timedelta(seconds=seconds)
            self._monotonic += seconds
            waiting = list(self._waiting)
        for changed in waiting:
            with changed:
                changed.notify_all()

    def wait_until(self, changed: threading.Condition, deadline_s: float | None) -> None:
        with self._arrived:
            if deadline_s is not None and self._monotonic >= deadline_s:
                return
            self._waiting.append(changed)
            self._arrived.notify_all()
        try:
            changed.wait()
        finally:
            with self._arrived:
                self._waiting.remove(changed)

    def sleep(self, seconds: float) -> None:
        self.advance(max(0.0, seconds))

    def wait_readable(self, descriptor: int, seconds: float) -> bool:
        ready = bool(select.select([descriptor], [], [], 0.0)[0])
        if not ready:
            self.sleep(seconds)
        return ready

    def someone_waits(self, how_many: int = 1, timeout_s: float = 30.0) -> bool:
        """Wait in real time until `how_many` threads are inside `wait_until()`. False: they never came."""
        with self._arrived:
            return self._arrived.wait_for(lambda: len(self._waiting) >= how_many, timeout_s)

    def step_wall(self, seconds: float) -> None:
        """Set the wall clock forwards or back, as NTP or a person does; monotonic time stays."""
        self._now += timedelta(seconds=seconds)


def iso(at: datetime) -> str:
    """`at` as UTC ISO 8601 with milliseconds, e.g. `2026-11-21T08:30:00.125Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
