"""Publish and subscribe: typed events, one bounded queue and one thread per subscriber (see `work_queue`).

What the bus promises:

- each subscriber gets the events it asked for in the order they were published;
- a subscriber that raises or hangs is its own problem: the bus publishes the failure as `SubscriberFailed`,
  the others go on, and those whose queues have room get an event before the publisher waits for anyone;
- a full queue is handled by the policy its subscriber stated; the bus counts every lost event and reports it
  as `SubscriberOverflowed`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TypeVar

from edged.clock import Clock
from edged.events import Event, SubscriberFailed, SubscriberOverflowed, event_name
from edged.work_queue import Counters, Overflow, WorkQueue

__all__ = ["Counters", "EventBus", "Overflow", "Subscription"]

E = TypeVar("E", bound=Event)


class Subscription:
    """One subscriber: what it asked for and its queue. Made by `EventBus.subscribe`."""

    def __init__(
        self, bus: EventBus, kinds: tuple[type[Event], ...], queue: WorkQueue[Event], name: str
    ) -> None:
        self.name = name
        self.kinds = kinds
        self.queue = queue
        self._bus = bus

    def counters(self) -> Counters:
        """A consistent copy of the counters."""
        return self.queue.counters()

    def close(self, timeout_s: float = 1.0) -> bool:
        """Take no more events, handle those already queued, end the thread.

        Returns:
            True when everything queued was handled within `timeout_s`.
        """
        self._bus._remove(self)
        return self.queue.close(timeout_s)


class EventBus:
    """Carries events from publishers to subscribers. Safe to use from any thread."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._lock = threading.Lock()
        self._subscriptions: tuple[Subscription, ...] = ()

    def subscribe(
        self,
        kinds: type[E] | Iterable[type[E]],
        handler: Callable[[E], object],
        *,
        name: str,
        capacity: int = 256,
        overflow: Overflow = Overflow.DROP_OLDEST,
        wait_s: float = 1.0,
    ) -> Subscription:
        """Call `handler` in a thread of its own for every later event of the given kind (or kinds).

        Args:
            kinds: an event class or several; a base class stands for all of its subclasses.
            handler: takes one event. The bus publishes what it raises as `SubscriberFailed`.
            name: appears in counters, failures and the thread's name.
            capacity: events that may wait, at least 1.
            overflow: what happens to an event that finds `capacity` others waiting.
            wait_s: longest time a publisher waits under `Overflow.WAIT`.

        Returns:
            The subscription; its `close()` ends it.
        """
        wanted = (kinds,) if isinstance(kinds, type) else tuple(kinds)

        def handle(event: Event) -> None:
            if isinstance(event, wanted):  # always: `publish` asks first; this tells the type checker
                handler(event)

        queue: WorkQueue[Event] = WorkQueue(
            handle,
            name=f"bus:{name}",
            capacity=capacity,
            on_failure=lambda event, error: self._report_failure(name, event, error),
            overflow=overflow,
            wait_s=wait_s,
            on_loss=lambda lost: self._report(
                SubscriberOverflowed(at=self.clock.now(), subscriber=name, lost=lost)
            ),
        )
        subscription = Subscription(self, wanted, queue, name)
        queue.start()
        with self._lock:
            self._subscriptions = (*self._subscriptions, subscription)
        return subscription

    def outgoing(self, name: str, capacity: int) -> WorkQueue[Event]:
        """A queue in front of the bus for one publisher that must never wait, not even for the journal.

        Its thread publishes the events in order; the oldest gives way when `capacity` are waiting. The caller
        starts it, offers events and closes it.
        """
        return WorkQueue(
            self.publish,
            name=name,
            capacity=capacity,
            on_failure=lambda event, error: self._report_failure(name, event, error),
            overflow=Overflow.DROP_OLDEST,
        )

    def publish(self, event: Event) -> tuple[str, ...]:
        """Give `event` to every subscriber of its kind.

        Returns:
            The names of WAIT subscribers that had no room in time and did not get the event; empty is good.
        """
        full = [s for s in self._subscriptions if isinstance(event, s.kinds) and not s.queue.offer(event)]
        return tuple(s.name for s in full if not s.queue.offer_waiting(event))

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
                if not subscription.queue.wait_idle(max(0.0, deadline - self.clock.monotonic())):
                    return False
            if all(s.queue.wait_idle(0) for s in self._subscriptions):
                return True

    def close(self, timeout_s: float = 2.0) -> bool:
        """Drain, then end all subscribers. Returns True when nothing was left unhandled."""
        drained = self.drain(timeout_s)
        return all([s.close(timeout_s=0.2) for s in self._subscriptions]) and drained

    def _report_failure(self, name: str, event: Event, error: Exception) -> None:
        """A failure over a failure ends here, or a subscriber of failures would feed itself."""
        if not isinstance(event, SubscriberFailed):
            self._report(
                SubscriberFailed(
                    at=self.clock.now(),
                    passage_id=event.passage_id,
                    subscriber=name,
                    failed_event=event_name(type(event)),
                    error=f"{type(error).__name__}: {error}",
                )
            )

    def _report(self, event: Event) -> None:
        """Publish news about a subscriber from that subscriber's own thread: never waits."""
        for s in self._subscriptions:
            if isinstance(event, s.kinds):
                s.queue.offer(event)

    def _remove(self, subscription: Subscription) -> None:
        with self._lock:
            self._subscriptions = tuple(s for s in self._subscriptions if s is not subscription)
