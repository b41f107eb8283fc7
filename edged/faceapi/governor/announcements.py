"""Publishes one event when a call is held back and one when it works again. Decides nothing."""

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
class _Announced:
    code: str
    needs_operator: bool
    since_s: float
    by_us: bool


class Announcements:
    """The latest announcement for every call, so that each state is announced once.

    The owner creates events under its lock and publishes them outside it, in the same order: a slow
    subscriber must not hold up the calls.
    """

    def __init__(self, clock: Clock, publish: Callable[[Event], object]) -> None:
        self._clock = clock
        self._publish = publish
        self._announced: dict[str, _Announced] = {}
        self._waiting: deque[Event] = deque()
        self._publishing = threading.Lock()

    def held_back(self, call: str, hold: Hold, *, by_us: bool = False) -> None:
        """`call` (or `*`) is held back. `by_us`: by the local allowance, not by an answer of the service."""
        before = self._announced.get(call)
        if before and before.needs_operator == hold.needs_operator and call == ALL_CALLS:
            return  # the code of a service that is down varies from trial to trial
        if before and (before.code, before.needs_operator) == (hold.code, hold.needs_operator):
            return
        now = self._clock.monotonic()
        since_s = before.since_s if before else now
        self._announced[call] = _Announced(hold.code, hold.needs_operator, since_s, by_us)
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
        """The service answered `call`. The local allowance may still be used up: it may have been the last
        call."""
        before = self._announced.get(call)
        if before and not before.by_us:
            self._recovered(call, before)

    def allowance_is_back(self, call: str) -> None:
        """`call` got a turn, so the local allowance is not used up."""
        before = self._announced.get(call)
        if before and before.by_us:
            self._recovered(call, before)

    def publish(self) -> None:
        """Publish waiting events, outside the owner's lock. One thread publishes at a time; others return at
        once."""
        while self._waiting and self._publishing.acquire(blocking=False):
            try:
                while self._waiting:
                    self._publish(self._waiting.popleft())
            finally:
                self._publishing.release()

    def _recovered(self, call: str, before: _Announced) -> None:
        del self._announced[call]
        after_s = self._clock.monotonic() - before.since_s
        self._waiting.append(CloudRecovered(at=self._clock.now(), call=call, after_s=after_s))
