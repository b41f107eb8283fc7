"""Publishes the gate's events from a thread of its own, in order, so that no subscriber can delay the relay.

A journal that is slow makes `EventBus.publish` wait; the thread that has to end a pulse must not.
"""

from __future__ import annotations

import threading
from collections import deque

from edged.bus import EventBus
from edged.events import Event

CAPACITY = 1024
"""A passage makes about four events, so this is some minutes of a busy lane with a stuck journal."""


class Announcer:
    """A bounded queue in front of the bus. When it is full the oldest event is lost and counted."""

    def __init__(self, bus: EventBus) -> None:
        self._bus = bus
        self._queue: deque[Event] = deque()
        self._changed = threading.Condition()
        self._stopping = self._busy = False
        self._lost = 0
        self._thread = threading.Thread(target=self._run, name="gate:events", daemon=True)

    @property
    def lost(self) -> int:
        """Events that found the queue full so far."""
        return self._lost

    def start(self) -> None:
        """Begin to publish."""
        self._thread.start()

    def say(self, event: Event) -> None:
        """Publish soon. Never waits."""
        with self._changed:
            if len(self._queue) >= CAPACITY:
                self._queue.popleft()
                self._lost += 1
            self._queue.append(event)
            self._changed.notify_all()

    def wait_idle(self, timeout_s: float) -> bool:
        """Wait until everything said so far is published. False: `timeout_s` passed first."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._queue and not self._busy, timeout_s)

    def close(self, timeout_s: float) -> bool:
        """Publish what is queued and end. False: `timeout_s` passed first."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._stopping)
                if not self._queue:
                    return
                event = self._queue.popleft()
                self._busy = True
            self._bus.publish(event)
            with self._changed:
                self._busy = False
                self._changed.notify_all()
