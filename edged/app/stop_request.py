"""The wish that the daemon stops, from a signal handler or any thread, and the wait for it."""

from __future__ import annotations

import math
from contextlib import suppress
from queue import Empty, SimpleQueue

LOOK_S = 0.5
"""Python handles a signal that comes just before a system call only when that call returns, so the call must
not last for ever."""


class StopRequest:
    """Safe to use from any thread and from a signal handler.

    A handler runs in the middle of `wait` of the same thread. It would wait for ever for the lock of a
    `threading.Event`; `SimpleQueue.put` is made for that.
    """

    def __init__(self) -> None:
        self._asked = False
        self._reason = ""
        self._news: SimpleQueue[None] = SimpleQueue()

    def ask(self, reason: str) -> None:
        """Ask; the first reason counts."""
        self._reason = self._reason or reason
        self._asked = True
        self._news.put(None)

    def wait(self, timeout_s: float | None = None) -> bool:
        """True once somebody has asked; False when `timeout_s` passed first."""
        left_s = math.inf if timeout_s is None else timeout_s
        while not self._asked and left_s > 0:
            with suppress(Empty):
                self._news.get(timeout=min(LOOK_S, left_s))
            left_s -= LOOK_S
        return self._asked

    @property
    def reason(self) -> str:
        """The first reason; empty while nobody has asked."""
        return self._reason
