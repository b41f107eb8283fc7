"""Planned actions of a simulated board's own clockwork: pulses and watchdogs that no host has to end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable

from edged.clock import Clock


class Timers:
    """Runs planned actions in a thread of its own, which starts with the first plan.

    Args:
        lock: held while an action runs, and by callers of `plan` and `cancel`.
    """

    def __init__(self, clock: Clock, lock: threading.RLock) -> None:
        self._clock = clock
        self._changed = threading.Condition(lock)
        self._plans: dict[Hashable, tuple[float, Callable[[], None]]] = {}
        self._thread: threading.Thread | None = None
        self._closed = False

    def plan(self, name: Hashable, seconds: float, action: Callable[[], None]) -> None:
        """Plan `action` in `seconds`, in place of an earlier plan of this name."""
        with self._changed:
            self._plans[name] = (self._clock.monotonic() + seconds, action)
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="gate:sim:timers", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def cancel(self, name: Hashable) -> None:
        """Cancel the plan of this name."""
        with self._changed:
            self._plans.pop(name, None)

    def clear(self) -> None:
        """Cancel all plans, as a power cut does."""
        with self._changed:
            self._plans.clear()

    def close(self) -> None:
        """Cancel all plans and end the thread."""
        with self._changed:
            self._plans.clear()
            self._closed = True
            self._changed.notify_all()
        if self._thread:
            self._thread.join()

    def _run(self) -> None:
        with self._changed:
            while not self._closed:
                now = self._clock.monotonic()
                due = [name for name, (at_s, _) in self._plans.items() if at_s <= now]
                for name in due:
                    _, action = self._plans.pop(name)
                    action()
                if not due:
                    next_s = min((at_s for at_s, _ in self._plans.values()), default=None)
                    self._clock.wait_until(self._changed, next_s)
