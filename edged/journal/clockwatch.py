"""The quality of the wall clock, and steps by which somebody has set it. Only reads; never sets a clock."""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Literal

from edged.clock import Clock
from edged.events import ClockStepped

Quality = Literal["synchronised", "holdover", "unknown"]

STEP_S = 1.0
"""Smallest change of wall against monotonic time that counts as a step. Slewing is at most 0.5 ms a second
(adjtimex(2)), 5 ms between two looks."""

LOOK_S = 10.0

TIMESYNC_FILE = Path("/run/systemd/timesync/synchronized")
TIMESYNC_FRESH_S = 2 * 3600.0
"""systemd-timesyncd touches its file at every answer of a server, every 2048 s at the latest."""

_TIME_ERROR = 5
_STA_UNSYNC = 0x40
_STATUS_OFFSET = 40 if ctypes.sizeof(ctypes.c_long) == 8 else 20  # offset of `status` in struct timex
_TIMEX_BYTES = 256  # the structure has 208 bytes on 64-bit systems


class ClockWatch:
    """Watches the wall clock of this machine. Safe to use from any thread.

    Args:
        synchronised: tells whether the clock follows a time server now; None when nobody knows.
        publish: gets `ClockStepped`.
    """

    def __init__(
        self,
        clock: Clock,
        publish: Callable[[ClockStepped], object],
        synchronised: Callable[[datetime], bool | None] | None = None,
    ) -> None:
        self._clock = clock
        self._publish = publish
        self._synchronised = synchronised or synchronised_now
        self._lock = threading.Lock()
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="clock-watch", daemon=True)
        self._offset_s = self._offset()
        self._was_synchronised = False
        self._quality: Quality = "unknown"
        self.check()

    @property
    def quality(self) -> Quality:
        """The quality at the last `check()`."""
        return self._quality

    def start(self) -> None:
        """Look every 10 s of monotonic time: a timer on the wall clock would sleep through an hour by which
        somebody has set it back."""
        self._thread.start()

    def stop(self, timeout_s: float = 1.0) -> bool:
        """End the looks. True when the thread has ended."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def check(self) -> Quality:
        """Look again. Publishes `ClockStepped` when somebody has set the clock since."""
        now = self._clock.now()
        state = self._synchronised(now)
        with self._lock:
            offset_s = self._offset()
            by_s, self._offset_s = offset_s - self._offset_s, offset_s
            self._was_synchronised = self._was_synchronised or bool(state)
            self._quality = _quality(state, self._was_synchronised)
        if abs(by_s) >= STEP_S:
            self._publish(ClockStepped(at=now, by_s=round(by_s, 3), clock=self._quality))
        return self._quality

    def _run(self) -> None:
        next_s = self._clock.monotonic() + LOOK_S
        while True:
            with self._changed:
                if self._stopping:
                    return
                self._clock.wait_until(self._changed, next_s)
                if self._stopping:
                    return
            if self._clock.monotonic() >= next_s:
                next_s = self._clock.monotonic() + LOOK_S
                self.check()

    def _offset(self) -> float:
        return self._clock.now().timestamp() - self._clock.monotonic()


def quality_now(now: datetime) -> Quality:
    """The quality of the clock at this moment, for a command that does not watch it."""
    return _quality(synchronised_now(now), was_synchronised=False)


def _quality(state: bool | None, was_synchronised: bool) -> Quality:
    if state:
        return "synchronised"
    return "holdover" if was_synchronised or state is False else "unknown"


def synchronised_now(now: datetime) -> bool | None:
    """Whether the clock follows a time server. False: it did, and runs on by itself; None: not known.

    The kernel knows it for every time service. A unit with `ProtectClock=yes` may not ask the kernel, so the
    file of systemd-timesyncd counts, too.
    """
    return _kernel_says_synchronised() or timesyncd_says_synchronised(now)


def timesyncd_says_synchronised(now: datetime, mark: Path = TIMESYNC_FILE) -> bool | None:
    """Whether a time server answered systemd-timesyncd lately; None: `mark`, which it touches, is missing."""
    try:
        age_s = now.timestamp() - mark.stat().st_mtime
    except OSError:
        return None
    return abs(age_s) < TIMESYNC_FRESH_S


def _kernel_says_synchronised() -> bool:
    """The answer of adjtimex(2) in its reading mode; False also when we may not ask."""
    buffer = ctypes.create_string_buffer(_TIMEX_BYTES)
    libc = ctypes.CDLL(None, use_errno=True)
    state = libc.adjtimex(buffer)
    if state < 0:
        return False
    status = int.from_bytes(buffer.raw[_STATUS_OFFSET : _STATUS_OFFSET + 4], sys.byteorder)
    return state != _TIME_ERROR and not status & _STA_UNSYNC
