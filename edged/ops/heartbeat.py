"""Heartbeats: notices which thread has stopped moving, and feeds the watchdog only while none has.

A thread that hangs raises nothing that anybody could catch: systemd restarts the whole process, and the relay
boards go to their safe state. Nothing restarts here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from edged.clock import Clock
from edged.ops.systemd import Notifier

UNWATCHED_INTERVAL_S = 5.0  # without a watchdog, hung parts are still looked for and reported


@dataclass
class _Beat:
    limit_s: float
    beaten_s: float


class Heartbeats:
    """When each part last moved. Safe to use from any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._parts: dict[str, _Beat] = {}

    def register(self, name: str, limit_s: float) -> Callable[[], None]:
        """Watch a part from now on.

        Args:
            name: shown when it hangs; registering a name again starts it anew.
            limit_s: the part counts as hung when it did not beat for longer than this.

        Returns:
            The function the part calls each time round its loop.
        """
        if limit_s <= 0:
            raise ValueError("limit_s must be above 0")
        part = _Beat(limit_s, self._clock.monotonic())
        with self._lock:
            self._parts[name] = part

        def beat() -> None:
            part.beaten_s = self._clock.monotonic()

        return beat

    def forget(self, name: str) -> None:
        """Stop watching a part that ends as intended. Unknown names are fine."""
        with self._lock:
            self._parts.pop(name, None)

    @property
    def names(self) -> list[str]:
        """The watched parts, in order of registration."""
        with self._lock:
            return list(self._parts)

    def stale(self) -> list[str]:
        """Names of the parts that have not moved within their limit, in order of registration."""
        now_s = self._clock.monotonic()
        with self._lock:
            return [name for name, part in self._parts.items() if now_s - part.beaten_s > part.limit_s]


class WatchdogFeeder:
    """A thread that feeds the watchdog at half its time while nothing hangs, and names the parts that do.

    Args:
        heartbeats: of all parts.
        notifier: where WATCHDOG=1 and the status go.
        timeout_s: as `watchdog_s()` gives it; None without a watchdog.
        on_change: gets the names of hung parts whenever that list changes, `[]` when all move again.
    """

    def __init__(
        self,
        heartbeats: Heartbeats,
        notifier: Notifier,
        timeout_s: float | None,
        on_change: Callable[[list[str]], None],
    ) -> None:
        self._heartbeats = heartbeats
        self._notifier = notifier
        self.interval_s = UNWATCHED_INTERVAL_S if timeout_s is None else timeout_s / 2
        self._on_change = on_change
        self._hung: list[str] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def start(self) -> None:
        """Begin; the first round is at once."""
        self._thread.start()

    def stop(self, timeout_s: float = 1.0) -> None:
        """End the thread, which feeds the watchdog no longer: send STOPPING before."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def check(self) -> list[str]:
        """One round: feed, or withhold and report. Returns the names of the hung parts."""
        hung = self._heartbeats.stale()
        if not hung:
            self._notifier.alive()
        if hung != self._hung:
            self._hung = hung
            self._notifier.status(f"hung: {', '.join(hung)}" if hung else "running again")
            self._on_change(hung)
        return hung

    def _run(self) -> None:
        self.check()
        while not self._stop.wait(self.interval_s):
            self.check()
