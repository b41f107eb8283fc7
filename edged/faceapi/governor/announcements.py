"""Tells the bus once when a call is held back and once when it works again. Decides nothing."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from edged.clock import Clock
from edged.events import CloudDegraded, CloudRecovered, Event
from edged.faceapi.governor.call_backoff import Hold

ALL_CALLS = "*"


@dataclass(frozen=True)
class _Said:
    code: str
    needs_operator: bool
    since_s: float
    by_us: bool


class Announcements:
    """What was said last about every call, so that nothing is said twice.

    Events are made under the lock of the owner and published outside it, in the same order: a slow subscriber
    must not hold up the calls.
    """

    def __init__(self, clock: Clock, publish: Callable[[Event], object]) -> None:
        self._clock = clock
        self._publish = publish
        self._said: dict[str, _Said] = {}
        self._waiting: deque[Event] = deque()
        self._publishing = threading.Lock()

    def held_back(self, call: str, hold: Hold, *, by_us: bool = False) -> None:
        """`call` (or `*`) is held back. `by_us`: by our own allowance, not by an answer of the service."""
        said = self._said.get(call)
        if said and said.needs_operator == hold.needs_operator and call == ALL_CALLS:
            return  # how exactly the way is closed varies from trial to trial
        if said and (said.code, said.needs_operator) == (hold.code, hold.needs_operator):
            return
        now = self._clock.monotonic()
        since_s = said.since_s if said else now
        self._said[call] = _Said(hold.code, hold.needs_operator, since_s, by_us)
        self._waiting.append(
            CloudDegraded(
                at=self._clock.now(),
                call=call,
                code=hold.code,
                reason=hold.reason,
                hint=hold.hint,
                retry_s=hold.until_s - now,
                needs_operator=hold.needs_operator,
            )
        )

    def works_again(self, call: str) -> None:
        """`call` was answered. Our own allowance may be used up all the same: it was the last call."""
        said = self._said.get(call)
        if said and not said.by_us:
            self._recovered(call, said)

    def allowance_is_back(self, call: str) -> None:
        """`call` got a turn, so our own allowance is not used up."""
        said = self._said.get(call)
        if said and said.by_us:
            self._recovered(call, said)

    def publish(self) -> None:
        """Publish what is waiting, not under the owner's lock; one thread at a time, nobody waits for it."""
        while self._waiting and self._publishing.acquire(blocking=False):
            try:
                while self._waiting:
                    self._publish(self._waiting.popleft())
            finally:
                self._publishing.release()

    def _recovered(self, call: str, said: _Said) -> None:
        del self._said[call]
        after_s = self._clock.monotonic() - said.since_s
        self._waiting.append(CloudRecovered(at=self._clock.now(), call=call, after_s=after_s))
