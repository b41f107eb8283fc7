"""A serial port for relay drivers: exclusive, with deadlines, with errors that say what to do.

pyserial reports an unplugged device in three unrelated ways; they end here as one
(docs/reference/relay-boards.md 5).
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import select
import stat
import termios
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import serial

from edged.clock import Clock
from edged.errors import EdgedError, NeedsOperator, RetryLater
from edged.gate.board.guarded import GuardedLine
from edged.gate.sim.url import is_simulated, parse_url

if TYPE_CHECKING:
    from edged.config import GateConfig

WRITE_TIMEOUT_S = 0.2
"""A line that takes no byte for so long will take none."""
BY_ID = Path("/dev/serial/by-id")
_UNPLUGGED = (OSError, termios.error, ValueError)


class SerialPort:
    """One serial line, 8N1. Used by one thread.

    Args:
        path: device node, best one below /dev/serial/by-id.
        baud: bits per second.
        clock: for the deadlines.
        guard: socket of the gate guard that owns the device; None: it is opened here.
    """

    def __init__(self, path: str, baud: int, clock: Clock, guard: Path | None = None) -> None:
        self.path = path
        self.clock = clock
        self.safe: Sequence[bytes] = ()
        """Frames that the guard sends to switch off when a lease runs out."""
        self.heard = False
        """Whether the last `read` got any byte."""
        self.baud = baud
        self.turn: AbstractContextManager[None] = contextlib.nullcontext()
        """Lock held over exchanges that belong together, where several doors share the port."""
        self._guard = guard
        self._serial: serial.Serial | GuardedLine | None = None

    def open(self) -> None:
        """Open the port for us alone.

        Raises:
            RetryLater: `relay_port_missing`.
            NeedsOperator: `relay_port_busy`, `relay_port_denied`.
        """
        self.close()
        try:
            if self._guard is not None:
                self._serial = GuardedLine(self._guard, self.baud, self.safe, self.clock)
                return
            self._serial = serial.Serial(
                self.path,
                self.baud,
                timeout=0.0,
                exclusive=True,
            )
            fcntl.ioctl(self._serial.fileno(), termios.TIOCEXCL)
            with contextlib.suppress(*_UNPLUGGED):
                self._serial.set_low_latency_mode(
                    True
                )  # FTDI: 1 ms instead of 16; most others have no such mode
        except _UNPLUGGED as error:
            self.close()
            if self._guard is not None:
                raise _guard_error(self._guard, self.path, error) from error
            raise open_error(self.path, error) from error

    @property
    def guarded(self) -> bool:
        """The gate guard owns the device: switching on needs a lease."""
        return self._guard is not None

    def lease(self, seconds: float) -> None:
        """With a guard: the relay may be on for `seconds` from now, then the guard switches it off."""
        with self._reporting_loss() as port:
            port.lease(seconds)

    def release(self) -> None:
        """With a guard: the relay has been switched off."""
        with self._reporting_loss() as port:
            port.release()

    def close(self) -> None:
        """Close the port; harmless when closed or unplugged."""
        port, self._serial = self._serial, None
        if port is None:
            return
        if isinstance(port, serial.Serial):
            # the mark outlives the descriptor while anybody else has the device open
            with contextlib.suppress(*_UNPLUGGED):
                fcntl.ioctl(port.fileno(), termios.TIOCNXCL)
        with contextlib.suppress(*_UNPLUGGED):
            port.close()

    def write(self, data: bytes) -> float:
        """Hand `data` to the line. Returns the monotonic time at which it was handed over."""
        with self._reporting_loss() as port:
            if isinstance(port, serial.Serial):
                _put(port.fileno(), data)
            else:
                port.write(data)
        return self.clock.monotonic()

    def read(self, done: Callable[[bytes], bool], within_s: float, *, quiet_s: float | None = None) -> bytes:
        """Collect bytes until `done(bytes so far)`, at most `within_s`.

        Args:
            quiet_s: also stop at a silence of this length after the first byte; the read then takes at most
                `within_s` + 2 * `quiet_s`.

        Returns:
            The received bytes, possibly none.
        """
        data = b""
        began_s = last_s = self.clock.monotonic()
        with self._reporting_loss() as port:
            while not done(data):
                until_s = began_s + within_s
                if data and quiet_s is not None:
                    until_s = min(last_s + quiet_s, until_s + 2 * quiet_s)
                left_s = until_s - self.clock.monotonic()
                if left_s <= 0:
                    break
                if more := self._next(port, left_s):
                    data += more
                    last_s = self.clock.monotonic()
        self.heard = bool(data)
        return data

    def _next(self, port: Any, within_s: float) -> bytes:
        """The bytes that came, else those that come first within this time, possibly none."""
        if not port.in_waiting:
            self.clock.wait_readable(port.fileno(), within_s)
        return bytes(port.read(max(1, port.in_waiting)))

    def modem_lines(self) -> tuple[bool, ...]:
        """CTS, DSR, DCD and RI, True: raised.

        Raises:
            RetryLater: `relay_port_lost`.
            NeedsOperator: `relay_no_lines`: this port has none.
        """
        with self._reporting_loss() as port:
            try:
                return (port.cts, port.dsr, port.cd, port.ri)
            except OSError as error:
                if error.errno not in (errno.ENOTTY, errno.EINVAL):
                    raise
        raise NeedsOperator(
            f"The port {self.path} has no lines for contacts.",
            code="relay_no_lines",
            hint="Use a serial port or USB adapter with CTS, DSR, DCD and RI, or inputs of the relay board.",
        )

    def discard(self) -> None:
        """Discard received bytes; does not wait."""
        with self._reporting_loss() as port:
            if port.in_waiting:
                port.reset_input_buffer()

    def discard_until_quiet(self, quiet_s: float, limit_s: float) -> None:
        """Discard bytes until the line is silent for `quiet_s`, at most for `limit_s`."""
        now = self.clock.monotonic()
        until_s, limit_at = now + quiet_s, now + limit_s
        with self._reporting_loss() as port:
            while now < min(until_s, limit_at):
                if self._next(port, min(until_s, limit_at) - now):
                    until_s = self.clock.monotonic() + quiet_s
                now = self.clock.monotonic()

    @contextlib.contextmanager
    def _reporting_loss(self) -> Iterator[Any]:
        if self._serial is None:
            raise self._lost("it is not open")
        try:
            yield self._serial
        except _UNPLUGGED as error:
            raise self._lost(str(error)) from error

    def _lost(self, what: str) -> RetryLater:
        return RetryLater(
            f"The relay board at {self.path} is gone: {what}.",
            code="relay_port_lost",
            hint="Check its plug and cable; it is tried again by itself.",
        )


def _put(descriptor: int, data: bytes) -> None:
    """Hand all of `data` to the line.

    The clock of pyserial runs on while this process has no processor, so it reports bytes as not written that
    the line took at once. Here only a line that takes none is an error.

    Raises:
        OSError: the line takes no more bytes, or is gone.
    """
    line = select.poll()
    line.register(descriptor, select.POLLOUT)
    while data:
        if not line.poll(WRITE_TIMEOUT_S * 1000):
            raise OSError(errno.EAGAIN, "it takes no more bytes")
        data = data[os.write(descriptor, data) :]


def _guard_error(guard: Path, path: str, error: Exception) -> EdgedError:
    """The error for a failed opening through the guard."""
    if isinstance(error, PermissionError):
        return NeedsOperator(
            f"The gate guard's socket {guard} may not be used by this user.",
            code="gate_guard_denied",
            hint="Run guard and daemon as the same user, or with a common group.",
        )
    if isinstance(error, FileNotFoundError | ConnectionRefusedError):
        return RetryLater(
            f"No gate guard listens at {guard}.",
            code="gate_guard_missing",
            hint="Start it (systemctl start edged-gate-guard@NAME), or leave gate.guard empty.",
        )
    if getattr(error, "errno", None) in (errno.EPIPE, errno.ETIMEDOUT):
        return RetryLater(
            f"The gate guard at {guard} is of no use: {getattr(error, 'strerror', error)}.",
            code="gate_guard_missing",
            hint="It may serve a second edged, or be stopped: systemctl status edged-gate-guard@NAME.",
        )
    return RetryLater(
        f"The gate guard at {guard} cannot open {path}: {error}.",
        code="relay_port_missing",
        hint="Its own log names the port; check plug and cable. It is tried again by itself.",
    )


def open_error(path: str, error: Exception, by_id: Path = BY_ID) -> EdgedError:
    """The error for a failed open: RetryLater when the port may come back by itself, else NeedsOperator."""
    number = getattr(error, "errno", None)
    if number in (errno.EBUSY, errno.EAGAIN):
        return NeedsOperator(
            f"The relay port {path} is used by another program.",
            code="relay_port_busy",
            hint=f"Stop the other program (`fuser -v {path}` names it); "
            "often it is a second edged, or ModemManager.",
        )
    if number in (errno.EACCES, errno.EPERM):
        return NeedsOperator(
            f"The relay port {path} may not be opened by this user.",
            code="relay_port_denied",
            hint="Add the user to the group that owns the device, usually dialout.",
        )
    if number in (errno.ENOENT, errno.ENXIO, errno.ENODEV):
        return RetryLater(
            f"The relay port {path} is not there.", code="relay_port_missing", hint=_found(by_id)
        )
    return RetryLater(
        f"The relay port {path} cannot be opened as a serial port: {error}.",
        code="relay_port_missing",
        hint=_found(by_id),
    )


def _found(by_id: Path) -> str:
    found = sorted(str(path) for path in by_id.glob("*"))
    if not found:
        return "No serial device is plugged in: check the plug and cable, and that brltty is not installed."
    return f"Found {', '.join(found)}: set gate.port to the board's path."


def check_port_free(config: GateConfig) -> None:
    """Refuse to start beside another program on the same port. A missing port is no error, and one behind a
    gate guard belongs to the guard.

    Raises:
        NeedsOperator: `relay_port_busy`.
    """
    path = config.port
    if config.family.switched_by == "nothing" or config.guard is not None:
        return
    if is_simulated(path):
        path = parse_url(path).link or ""
    if not _is_device(path):
        return
    try:
        fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        _raise_if_busy(path, error)
        return
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        _raise_if_busy(path, error)
    finally:
        os.close(fd)


def _raise_if_busy(path: str, error: OSError) -> None:
    meaning = open_error(path, error)
    if meaning.code == "relay_port_busy":
        raise meaning from error


def _is_device(path: str) -> bool:
    try:
        return stat.S_ISCHR(os.stat(path).st_mode)
    except OSError:
        return False
