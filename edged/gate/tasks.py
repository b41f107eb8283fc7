"""Work that another thread wants done by the gate's thread, and the way its answer comes back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

from edged.errors import RetryLater

if TYPE_CHECKING:
    from edged.gate.controller import GateController

T = TypeVar("T")


class Task(Generic[T]):
    """Done once, or not at all: work whose asker has gone away is not begun.

    Args:
        work: runs in the gate's thread; raises nothing but faults.
    """

    def __init__(self, work: Callable[[GateController], T]) -> None:
        self._work = work
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._begun = self._dropped = False
        self._results: list[T] = []

    def run(self, controller: GateController) -> None:
        """In the gate's thread: do it, unless nobody waits any more."""
        with self._lock:
            if self._dropped:
                return
            self._begun = True
        self._results.append(self._work(controller))
        self._done.set()

    def give_up(self) -> None:
        """It will not be done, unless it was begun."""
        with self._lock:
            if self._begun:
                return
            self._dropped = True
        self._done.set()

    def answer(self, timeout_s: float) -> T:
        """In the asking thread: wait for the result.

        Raises:
            RetryLater: `gate_busy`: the gate's thread is ending, or did not come to it within `timeout_s`.
                What was not begun by then is not done later.
        """
        if not self._done.wait(timeout_s):
            self.give_up()
        if self._dropped or not self._done.wait(timeout_s):
            raise RetryLater(
                "The gate did not take up the order in time.",
                code="gate_busy",
                hint="Try again; `edged door status` tells what it is doing.",
            )
        return self._results[0]
