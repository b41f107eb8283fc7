"""Work that another thread hands to the gate's thread, and its answer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

from edged.errors import RetryLater

if TYPE_CHECKING:
    from edged.gate.controller import GateController

T = TypeVar("T")


class Task(Generic[T]):
    """Runs once or not at all: the gate does not begin work whose caller has stopped waiting.

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
        """In the gate's thread: do the work, unless its caller has stopped waiting."""
        with self._lock:
            if self._dropped:
                return
            self._begun = True
        self._results.append(self._work(controller))
        self._done.set()

    def give_up(self) -> None:
        """Withdraw the work, unless it has begun."""
        with self._lock:
            if self._begun:
                return
            self._dropped = True
        self._done.set()

    def answer(self, timeout_s: float) -> T:
        """In the calling thread: wait for the result.

        Raises:
            RetryLater: `gate_busy`: the gate's thread is ending, or did not begin within `timeout_s`; the
                work is then withdrawn.
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
