"""A clock that leaps over the time in which nothing happens. For tests whose threads wait a lot.

While every thread of the process sleeps, the clock leaps to the next moment that a thread waits for. So
time-outs, pulses and beats cost no real time. While any thread has work, time passes `SLOWER` times slower
than in reality, so a busy machine makes no answer late. Tests with another process need a `SystemClock`.

All threads sleep when two looks in a row find each of them asleep with the same number of context switches:
then none has run in between, and there was a moment at which none could wake another. One look is not enough.
It reads one thread after the other; and a thread that has work looks asleep while it waits for the GIL, which
the thread of the clock itself may hold (it gives the GIL away between two looks, which wakes such a thread).
"""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

SLOWER = 100
LOOK_S = 0.0005
"""Seconds between two looks at the threads."""
BUSY_NS = 30_000
"""Threads that took more processor time than this since the last look need no other look at them."""
LINGER_S = 0.05
"""The thread of the clock ends when nobody has waited for so long."""


class LeapingClock:
    """A `Clock` for one test process."""

    def __init__(self) -> None:
        self._began = datetime.now(UTC)
        self._began_s = time.monotonic()
        self._leapt_s = 0.0
        self._changed = threading.Condition()
        self._waiting: dict[object, tuple[float, Callable[[], None]]] = {}
        self._thread: threading.Thread | None = None

    def now(self) -> datetime:
        return self._began + timedelta(seconds=self.monotonic() - self._began_s)

    def monotonic(self) -> float:
        return self._began_s + (time.monotonic() - self._began_s) / SLOWER + self._leapt_s

    def sleep(self, seconds: float) -> None:
        over = threading.Event()
        with _Wait(self, self.monotonic() + seconds, over.set):
            over.wait()

    def wait_until(self, changed: threading.Condition, deadline_s: float | None) -> None:
        def wake() -> None:
            if changed.acquire(blocking=False):  # else at the next look
                changed.notify_all()
                changed.release()

        if deadline_s is None:
            changed.wait()
        elif deadline_s > self.monotonic():
            with _Wait(self, deadline_s, wake):
                changed.wait()

    def wait_readable(self, descriptor: int, seconds: float) -> bool:
        ready = select.select([descriptor], [], [], 0.0)[0]
        if ready or seconds <= 0:
            return bool(ready)
        over = os.eventfd(0)
        try:
            with _Wait(self, self.monotonic() + seconds, lambda: os.eventfd_write(over, 1)):
                return descriptor in select.select([descriptor, over], [], [])[0]
        finally:
            os.close(over)

    # -- for _Wait

    def expect(self, who: object, deadline_s: float, wake: Callable[[], None]) -> None:
        """Call `wake`, which must not block, when `deadline_s` has come, again and again until `forget`."""
        with self._changed:
            self._waiting[who] = (deadline_s, wake)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="leaping clock", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def forget(self, who: object) -> None:
        """`who` waits no more; its `wake` is not called after this returns."""
        with self._changed:
            self._waiting.pop(who, None)

    # -- the thread

    def _run(self) -> None:
        worked, asleep = 0, None
        while self._is_needed():
            time.sleep(LOOK_S)
            before, worked = worked, _work_of_others()
            asleep_before, asleep = asleep, _all_asleep() if worked - before < BUSY_NS else None
            if asleep is not None and asleep == asleep_before:
                self._leap()
            elif asleep is not None:
                _deliver()
            self._wake_due()

    def _is_needed(self) -> bool:
        with self._changed:
            needed = self._changed.wait_for(lambda: self._waiting, LINGER_S)
            if not needed:
                self._thread = None
            return bool(needed)

    def _leap(self) -> None:
        """Leap to the next deadline; nowhere when it has come already and its thread is still to be woken."""
        with self._changed:
            now = self.monotonic()
            next_s = min((deadline_s for deadline_s, _ in self._waiting.values()), default=now)
            self._leapt_s += max(0.0, next_s - now)

    def _wake_due(self) -> None:
        with self._changed:
            now = self.monotonic()
            for deadline_s, wake in self._waiting.values():
                if deadline_s <= now:
                    wake()


class _Wait:
    """One thread waits for one moment."""

    def __init__(self, clock: LeapingClock, deadline_s: float, wake: Callable[[], None]) -> None:
        self._clock, self._deadline_s, self._wake = clock, deadline_s, wake

    def __enter__(self) -> None:
        self._clock.expect(self, self._deadline_s, self._wake)

    def __exit__(self, *exc: object) -> None:
        self._clock.forget(self)


def _work_of_others() -> int:
    """Processor time of all other threads so far, nanoseconds."""
    return time.process_time_ns() - time.thread_time_ns()


def _all_asleep() -> dict[str, bytes] | None:
    """Every other thread of this process, with its context switches so far. None: one is not asleep."""
    own = str(threading.get_native_id())
    switches = {}
    for thread in os.listdir("/proc/self/task"):
        if thread != own:
            try:
                with open(f"/proc/self/task/{thread}/status", "rb", buffering=0) as file:
                    status = file.read()
            except (FileNotFoundError, ProcessLookupError):  # it has just ended
                return None
            if b"\nState:\tS" not in status:
                return None
            switches[thread] = status[status.rindex(b"\nvoluntary_ctxt_switches:") :]
    return switches


def _deliver() -> None:
    """Let the kernel deliver the bytes it still carries from one end of a pty to the other: a poll does."""
    ptys = select.poll()
    for name in os.listdir("/proc/self/fd"):
        try:
            if os.readlink(f"/proc/self/fd/{name}").startswith(("/dev/pt", "/dev/tty")):
                ptys.register(int(name), select.POLLIN)
        except FileNotFoundError:  # it has just been closed
            continue
    ptys.poll(0)
