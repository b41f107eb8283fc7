"""A bounded queue with a thread of its own that handles one item after the other. Knows nothing of events."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

T = TypeVar("T")


class Overflow(Enum):
    """What happens to an item that finds the queue full."""

    WAIT = "wait"
    """The producer waits for room, at most `wait_s`; then the queue refuses the item and says so."""
    DROP_OLDEST = "drop_oldest"
    """The oldest waiting item makes room."""
    DROP_NEWEST = "drop_newest"
    """The queue drops the new item."""


@dataclass(frozen=True)
class Counters:
    """Items of one queue so far.

    Attributes:
        delivered: handled without an error.
        failed: the handler raised.
        lost: dropped or refused, because the queue was full.
        waiting: in the queue now.
    """

    delivered: int
    failed: int
    lost: int
    waiting: int


class WorkQueue(Generic[T]):
    """Hands items from any thread to one handler, in order, in the thread of the queue.

    Items may be offered before `start()`; they wait for it. Every item that an overflow costs is counted.

    Args:
        handle: takes one item. An exception ends this item only.
        name: name of the thread.
        capacity: items that may wait, at least 1.
        on_failure: gets the item and the exception that `handle` raised, in the queue's thread.
        overflow: what happens to an item that finds `capacity` others waiting.
        wait_s: longest time that `offer_waiting` waits for room.
        on_loss: gets the number of items lost since its last call, in the queue's thread.

    Raises:
        ValueError: `capacity` is below 1.
    """

    def __init__(
        self,
        handle: Callable[[T], object],
        *,
        name: str,
        capacity: int,
        on_failure: Callable[[T, Exception], object],
        overflow: Overflow = Overflow.DROP_OLDEST,
        wait_s: float = 0.0,
        on_loss: Callable[[int], object] = lambda lost: None,
    ) -> None:
        if capacity < 1:
            raise ValueError("capacity must be at least 1")
        self._handle = handle
        self._on_failure = on_failure
        self._on_loss = on_loss
        self._capacity = capacity
        self._overflow = overflow
        self._wait_s = wait_s
        self._items: deque[T] = deque()
        self._changed = threading.Condition()
        self._stopping = self._busy = self._stalled = False
        self._delivered = self._failed = self._lost = self._lost_unreported = 0
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to handle items."""
        self._thread.start()

    def counters(self) -> Counters:
        """A consistent copy of the counters."""
        with self._changed:
            return Counters(self._delivered, self._failed, self._lost, len(self._items))

    # -- producer's side

    def offer(self, item: T) -> bool:
        """Queue `item` without waiting; a closed queue ignores it.

        Returns:
            False when there is no room now and the policy is to wait for it.
        """
        with self._changed:
            if self._stopping:
                return True
            if len(self._items) >= self._capacity:
                if self._overflow is Overflow.WAIT:
                    return False
                self._count_lost()
                if self._overflow is Overflow.DROP_NEWEST:
                    return True
                self._items.popleft()
            self._add(item)
            return True

    def offer_waiting(self, item: T) -> bool:
        """Queue `item`, waiting up to `wait_s` for room; a closed queue ignores it.

        A queue that let one producer wait in vain makes nobody wait again until it has made progress, so a
        dead handler delays its producers only once.

        Returns:
            False when the queue refused and counted the item.
        """
        with self._changed:
            room = self._changed.wait_for(
                lambda: self._stopping or len(self._items) < self._capacity,
                0 if self._stalled else self._wait_s,
            )
            if self._stopping:
                return True
            if not room:
                self._stalled = True
                self._count_lost()
                return False
            self._add(item)
            return True

    def wait_idle(self, timeout_s: float) -> bool:
        """Wait until nothing is queued or in the handler. False: `timeout_s` passed first."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._items and not self._busy, timeout_s)

    def close(self, timeout_s: float) -> bool:
        """Take no more items, handle those already queued, end the thread.

        Returns:
            True when the thread has ended within `timeout_s`, or was never started.
        """
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread.ident is not None and threading.current_thread() is not self._thread:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _add(self, item: T) -> None:
        self._items.append(item)
        self._changed.notify_all()

    def _count_lost(self) -> None:
        self._lost += 1
        self._lost_unreported += 1

    # -- handler's side

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._items or self._stopping)
                if not self._items:
                    return
                item = self._items.popleft()
                self._busy, self._stalled = True, False
                lost, self._lost_unreported = self._lost_unreported, 0
                self._changed.notify_all()
            if lost:
                self._on_loss(lost)
            handled = self._contained(item)
            with self._changed:
                self._delivered += handled
                self._busy = False
                self._changed.notify_all()

    def _contained(self, item: T) -> bool:
        try:
            self._handle(item)
        except Exception as error:  # noqa: BLE001 - the one place where the failure of a handler is contained
            with self._changed:
                self._failed += 1
            self._on_failure(item, error)
            return False
        return True
