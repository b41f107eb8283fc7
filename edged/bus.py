"""Publish and subscribe: typed events, one bounded queue and one thread per subscriber.

What the bus promises:

- each subscriber gets the events it asked for in the order they were published;
- a subscriber that raises or hangs is its own problem: the failure is published as `SubscriberFailed`, the
  others go on, and those whose queues have room get an event before anyone is waited for;
- a full queue is handled by the policy its subscriber stated, and every lost event is counted and reported
  as `SubscriberOverflowed`.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from edged.clock import Clock
from edged.events import Event, SubscriberFailed, SubscriberOverflowed, event_name

E = TypeVar("E", bound=Event)


class Overflow(Enum):
    """What happens to an event that finds a subscriber's queue full."""

    WAIT = "wait"
    """The publisher waits for room, at most `wait_s`; then the event is refused and the publisher told."""
    DROP_OLDEST = "drop_oldest"
    """The oldest waiting event makes room."""
    DROP_NEWEST = "drop_newest"
    """The new event is dropped."""


@dataclass(frozen=True)
class Counters:
    """What one subscriber has seen so far."""

    delivered: int
    failed: int
    lost: int
    waiting: int


class Subscription:
    """One subscriber: its queue, its thread, its counters. Made by `EventBus.subscribe`."""

    def __init__(
        self,
        bus: EventBus,
        kinds: tuple[type[Event], ...],
        handler: Callable[[Event], None],
        name: str,
        capacity: int,
        overflow: Overflow,
        wait_s: float,
    ) -> None:
        self.name = name
        self.kinds = kinds
        self._bus = bus
        self._handler = handler
        self._capacity = capacity
        self._overflow = overflow
        self._wait_s = wait_s
        self._queue: deque[Event] = deque()
        self._changed = threading.Condition()
        self._stopping = False
        self._busy = False
        self._stalled = False
        self._delivered = self._failed = self._lost = self._lost_unreported = 0
        self._thread = threading.Thread(target=self._run, name=f"bus:{name}", daemon=True)
        self._thread.start()

    def counters(self) -> Counters:
        """A consistent copy of the counters."""
        with self._changed:
            return Counters(self._delivered, self._failed, self._lost, len(self._queue))

    def close(self, timeout_s: float = 1.0) -> bool:
        """Take no more events, handle those already queued, end the thread.

        Returns:
            True when everything queued was handled within `timeout_s`.
        """
        self._bus._remove(self)
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    # -- publisher's side

    def offer(self, event: Event) -> bool:
        """Queue `event` without waiting. False: a WAIT subscriber has no room now."""
        with self._changed:
            if self._stopping:
                return True
            if len(self._queue) >= self._capacity:
                if self._overflow is Overflow.WAIT:
                    return False
                self._count_lost()
                if self._overflow is Overflow.DROP_NEWEST:
                    return True
                self._queue.popleft()
            self._queue.append(event)
            self._changed.notify_all()
            return True

    def offer_waiting(self, event: Event) -> bool:
        """Queue `event`, waiting up to `wait_s` for room. A subscriber that let one publisher wait in vain is
        not waited for again until it has made progress, so a dead one delays the house only once."""
        with self._changed:
            room = self._changed.wait_for(
                lambda: self._stopping or len(self._queue) < self._capacity,
                0 if self._stalled else self._wait_s,
            )
            if self._stopping:
                return True
            if not room:
                self._stalled = True
                self._count_lost()
                return False
            self._queue.append(event)
            self._changed.notify_all()
            return True

    def idle(self, timeout_s: float) -> bool:
        """Wait until nothing is queued or being handled. False: `timeout_s` passed first."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._queue and not self._busy, timeout_s)

    def _count_lost(self) -> None:
        self._lost += 1
        self._lost_unreported += 1

    # -- subscriber's side

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._stopping)
                if not self._queue:
                    return
                event = self._queue.popleft()
                self._busy = True
                self._stalled = False
                lost, self._lost_unreported = self._lost_unreported, 0
                self._changed.notify_all()
            if lost:
                self._bus._report(
                    SubscriberOverflowed(at=self._bus.clock.now(), subscriber=self.name, lost=lost)
                )
            self._handle(event)
            with self._changed:
                self._busy = False
                self._changed.notify_all()

    def _handle(self, event: Event) -> None:
        try:
            self._handler(event)
        except Exception as error:  # noqa: BLE001 - the one place where a subscriber's failure is contained
            with self._changed:
                self._failed += 1
            if not isinstance(event, SubscriberFailed):
                self._bus._report(
                    SubscriberFailed(
                        at=self._bus.clock.now(),
                        passage_id=event.passage_id,
                        subscriber=self.name,
                        failed_event=event_name(type(event)),
                        error=f"{type(error).__name__}: {error}",
                    )
                )
        else:
            with self._changed:
                self._delivered += 1


class EventBus:
    """Carries events from publishers to subscribers. Safe to use from any thread."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._lock = threading.Lock()
        self._subscriptions: tuple[Subscription, ...] = ()
        self._closed = False

    def subscribe(
        self,
        kinds: type[E] | Iterable[type[E]],
        handler: Callable[[E], None],
        *,
        name: str,
        capacity: int = 256,
        overflow: Overflow = Overflow.DROP_OLDEST,
        wait_s: float = 1.0,
    ) -> Subscription:
        """Call `handler` in a thread of its own for every later event of the given kind (or kinds).

        Args:
            kinds: an event class or several; a base class stands for all of its subclasses.
            handler: takes one event. What it raises is published as `SubscriberFailed`.
            name: appears in counters, failures and the thread's name.
            capacity: events that may wait, at least 1.
            overflow: what happens to an event that finds `capacity` others waiting.
            wait_s: longest time a publisher waits under `Overflow.WAIT`.

        Returns:
            The subscription; its `close()` ends it.
        """
        if capacity < 1:
            raise ValueError("capacity must be at least 1")
        wanted = (kinds,) if isinstance(kinds, type) else tuple(kinds)
        subscription = Subscription(self, wanted, handler, name, capacity, overflow, wait_s)  # type: ignore[arg-type]
        with self._lock:
            self._subscriptions = (*self._subscriptions, subscription)
        return subscription

    def publish(self, event: Event) -> tuple[str, ...]:
        """Give `event` to every subscriber of its kind.

        Returns:
            The names of WAIT subscribers that had no room in time and did not get the event; empty is good.
        """
        full = [s for s in self._subscriptions if isinstance(event, s.kinds) and not s.offer(event)]
        return tuple(s.name for s in full if not s.offer_waiting(event))

    def counters(self) -> dict[str, Counters]:
        """Counters of all subscribers by name."""
        return {s.name: s.counters() for s in self._subscriptions}

    def drain(self, timeout_s: float) -> bool:
        """Wait until every subscriber has handled what was published, follow-up events included.

        Returns:
            False when `timeout_s` passed first.
        """
        deadline = self.clock.monotonic() + timeout_s
        while True:
            for subscription in self._subscriptions:
                if not subscription.idle(max(0.0, deadline - self.clock.monotonic())):
                    return False
            if all(s.idle(0) for s in self._subscriptions):
                return True

    def close(self, timeout_s: float = 2.0) -> bool:
        """Drain, then end all subscribers. Returns True when nothing was left unhandled."""
        drained = self.drain(timeout_s)
        return all([s.close(timeout_s=0.2) for s in self._subscriptions]) and drained

    def _report(self, event: Event) -> None:
        """Publish news about a subscriber from that subscriber's own thread: never waits."""
        for s in self._subscriptions:
            if isinstance(event, s.kinds):
                s.offer(event)

    def _remove(self, subscription: Subscription) -> None:
        with self._lock:
            self._subscriptions = tuple(s for s in self._subscriptions if s is not subscription)
