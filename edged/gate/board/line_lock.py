"""Lock of a line that several doors share. Knows no port and no board."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Iterator


class LineTurn:
    """A re-entrant lock, given in the order of asking.

    A door that looks for a lost board waits until no other door wants the line: boards that do not answer
    cost the other doors one time-out at most, however many such boards there are.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._asked: deque[object] = deque()
        self._patient = 0
        self._owner: int | None = None
        self._depth = 0

    def __enter__(self) -> None:
        self._take(patient=False)

    def __exit__(self, *exc: object) -> None:
        self._give()

    @contextlib.contextmanager
    def patiently(self) -> Iterator[None]:
        """Take the lock after all other waiting threads."""
        self._take(patient=True)
        try:
            yield
        finally:
            self._give()

    @property
    def waiting(self) -> int:
        """Number of waiting threads."""
        return len(self._asked) + self._patient

    def _take(self, *, patient: bool) -> None:
        me = threading.get_ident()
        with self._changed:
            if self._owner != me:
                (self._wait_patiently if patient else self._wait)()
            self._owner = me
            self._depth += 1

    def _wait(self) -> None:
        ticket = object()
        self._asked.append(ticket)
        try:
            self._changed.wait_for(lambda: self._owner is None and self._asked[0] is ticket)
        finally:
            self._asked.remove(ticket)

    def _wait_patiently(self) -> None:
        self._patient += 1
        try:
            self._changed.wait_for(lambda: self._owner is None and not self._asked)
        finally:
            self._patient -= 1

    def _give(self) -> None:
        with self._changed:
            self._depth -= 1
            if not self._depth:
                self._owner = None
                self._changed.notify_all()
