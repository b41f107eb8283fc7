"""A simulated board on a pseudo-terminal: cable, power, speed and faults. The protocols are elsewhere.

Closing the master end of the pty gives the client the same errors as pulling a USB plug, and the symlink
plays /dev/serial/by-id, so a board that is plugged in again has its old name
(docs/reference/relay-boards.md 6.1).
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import tempfile
import threading
import tty
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from pathlib import Path

from edged.clock import Clock
from edged.errors import Misconfigured
from edged.gate.sim.firmware import make_firmware
from edged.gate.sim.timers import Timers
from edged.gate.sim.url import SimUrl

LOG_ENTRIES = 10_000


@dataclass(frozen=True)
class Edge:
    """A relay moved: monotonic time, channel from 1, new state."""

    at_s: float
    channel: int
    on: bool


@dataclass(frozen=True)
class Traffic:
    """Bytes on the line: monotonic time at their end, `rx` (to the board) or `tx`, and the bytes."""

    at_s: float
    direction: str
    data: bytes


class SimBoard:
    """One board, plugged in from the start. The faults of the URL are attributes that may change at any time.

    Attributes:
        link: path of the device node.
        relays: the coils, index 0 is channel 1.
        inputs: the contacts, index 0 is input 1; `set_input` changes them.
        edges, log: movements and bytes so far, oldest first, the last 10,000 of each.
        silent, garbage, delay_s, split_s, cut, bad_sum, echo, deaf, stuck: as in `SimUrl`; `stuck` is a set
            of channels here.
        firmware: the protocol; some give tests access to the board's settings.
    """

    def __init__(self, url: SimUrl, clock: Clock) -> None:
        self._clock = clock
        self._baud = url.baud
        self._self_powered = url.self_powered
        self._own_dir = None if url.link else tempfile.mkdtemp(prefix="edged-sim-")
        self.link = Path(url.link or f"{self._own_dir}/{url.board}")
        self.silent, self.garbage, self.delay_s = url.silent, url.garbage, url.delay_s
        self.split_s, self.cut, self.bad_sum, self.echo = url.split_s, url.cut, url.bad_sum, url.echo
        self.stuck = {url.stuck} - {0}
        self.deaf = url.deaf
        self.relays = [False] * url.channels
        self.inputs = list(url.inputs)
        self.edges: deque[Edge] = deque(maxlen=LOG_ENTRIES)
        self.log: deque[Traffic] = deque(maxlen=LOG_ENTRIES)
        lock = threading.RLock()
        self._changed = threading.Condition(lock)
        self._timers = Timers(clock, lock)
        self.firmware = make_firmware(url, self)
        self._thread: threading.Thread | None = None
        self._cable = threading.RLock()
        self._closing = False
        self._puller: threading.Thread | None = None
        self.plug()
        if url.unplug_s is not None:
            self._puller = threading.Thread(
                target=self._pull, args=(url.unplug_s, url.replug_s), name="gate:sim:plug", daemon=True
            )
            self._puller.start()

    # -- cable and power

    def plug(self) -> None:
        """Put the plug in: the device node appears. Raises Misconfigured (`sim_link`) when it cannot."""
        with self._cable:
            if self._thread is None:
                self._connect()

    def unplug(self) -> None:
        """Pull the plug: the node vanishes, open files fail, a bus-powered board's relays drop."""
        with self._cable:
            if self._thread is not None:
                self._disconnect(self._thread)

    def power_off(self) -> None:
        """Cut the supply: every relay drops, a stuck one as well, and the firmware starts again."""
        with self._changed:
            self._timers.clear()
            for channel, on in enumerate(self.relays, start=1):
                if on:
                    self.force(channel, False)
            self.firmware.reset()

    def close(self) -> None:
        """Unplug and leave nothing behind."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._puller:
            self._puller.join()
        self.unplug()
        self._timers.close()
        if self._own_dir:
            shutil.rmtree(self._own_dir, ignore_errors=True)

    def force(self, channel: int, on: bool) -> None:
        """Move a relay by hand, past the firmware."""
        with self._changed:
            self.relays[channel - 1] = on
            self.edges.append(Edge(self._clock.monotonic(), channel, on))
            self._changed.notify_all()

    def set_input(self, number: int, active: bool) -> None:
        """Close or open the contact at an input, counted from 1."""
        with self._changed:
            self.inputs[number - 1] = active
            self._changed.notify_all()

    def wait_for(self, condition: Callable[[SimBoard], bool], timeout_s: float) -> bool:
        """Wait until `condition(self)`, checked at every movement and byte. False: `timeout_s` passed."""
        with self._changed:
            return self._changed.wait_for(lambda: condition(self), timeout_s)

    def received(self) -> bytes:
        """All bytes that came to the board so far."""
        with self._changed:
            return b"".join(entry.data for entry in self.log if entry.direction == "rx")

    # -- for the firmware (`Electronics`)

    def switch(self, channel: int, on: bool) -> None:
        """Move a relay; a stuck one stays."""
        if channel not in self.stuck and self.relays[channel - 1] is not on:
            self.force(channel, on)

    def later(self, name: Hashable, seconds: float, action: Callable[[], None]) -> None:
        """Plan `action` in `seconds`, in place of an earlier plan of this name."""
        self._timers.plan(name, seconds, action)

    def cancel(self, name: Hashable) -> None:
        """Cancel the plan of this name."""
        self._timers.cancel(name)

    def say(self, data: bytes) -> None:
        """Send unsolicited bytes, if the plug is in."""
        with self._changed:
            if self._thread is not None and not self.silent:
                self._put(data)

    # -- inside

    def _connect(self) -> None:
        self._master, self._slave = os.openpty()
        self._wake_r, self._wake_w = os.pipe()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._thread = threading.Thread(target=self._run, name="gate:sim", daemon=True)
        self._thread.start()
        try:
            self._appear()
        except OSError as error:
            self.unplug()
            raise Misconfigured(
                f"The simulated board cannot make its device node {self.link}: {error}.",
                code="sim_link",
                hint="Give a path that does not exist yet, in a directory this user may write to.",
            ) from error

    def _disconnect(self, line: threading.Thread) -> None:
        if self.link.is_symlink():
            self.link.unlink()
        os.write(self._wake_w, b"x")
        line.join()
        self._thread = None
        with self._changed:
            for fd in (self._slave, self._master, self._wake_r, self._wake_w):
                os.close(fd)
        if not self._self_powered:
            self.power_off()

    def _pull(self, after_s: float, back_s: float | None) -> None:
        """Pull the plug, and put it back, when the URL says so."""
        if not self._time_passes(after_s):
            return
        self.unplug()
        if back_s is not None and self._time_passes(back_s):
            self.plug()

    def _time_passes(self, seconds: float) -> bool:
        """Whether so much time passed before the board was closed."""
        until_s = self._clock.monotonic() + seconds
        with self._changed:
            while not self._closing and self._clock.monotonic() < until_s:
                self._clock.wait_until(self._changed, until_s)
            return not self._closing

    def _appear(self) -> None:
        if self.link.exists() and not self.link.is_symlink():
            raise FileExistsError("there is something else under this name")
        fresh = self.link.with_name(f"{self.link.name}.{os.getpid()}.new")
        fresh.symlink_to(os.ttyname(self._slave))
        fresh.replace(self.link)

    def _run(self) -> None:
        while True:
            ready, _, _ = select.select([self._master, self._wake_r], [], [])
            if self._wake_r in ready:
                return
            data = os.read(self._master, 256)
            if not self._takes_time(len(data)):
                return
            if self.echo:
                self._put(data)
            for answer in self._understand(data):
                if not (self.silent or self._answer(answer)):
                    return

    def _understand(self, data: bytes) -> list[bytes]:
        with self._changed:
            self._note("rx", data)
            return [] if self.deaf else self.firmware.feed(data)

    def _answer(self, answer: bytes) -> bool:
        data = self.garbage + (self.firmware.spoil(answer) if self.bad_sum else answer)
        data = data[: len(data) - self.cut]
        first = data[: len(data) // 2] if self.split_s else data
        if not self._takes_time(len(first), extra_s=self.delay_s):
            return False
        self._put(first)
        rest = data[len(first) :]
        if rest:
            if not self._takes_time(len(rest), extra_s=self.split_s):
                return False
            self._put(rest)
        return True

    def _put(self, data: bytes) -> None:
        self._note("tx", data)
        with contextlib.suppress(BlockingIOError):  # without a reader: a UART loses the bytes as well
            os.write(self._master, data)

    def _takes_time(self, byte_count: int, extra_s: float = 0.0) -> bool:
        """Let the bytes' time on the line pass (10 bits each). False: the plug was pulled meanwhile."""
        return not self._clock.wait_readable(self._wake_r, byte_count * 10 / self._baud + extra_s)

    def _note(self, direction: str, data: bytes) -> None:
        with self._changed:
            self.log.append(Traffic(self._clock.monotonic(), direction, data))
            self._changed.notify_all()
