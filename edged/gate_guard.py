"""A small process that owns a relay board's port, so that no door stays open when the daemon cannot act.

It knows no protocol: the daemon connects through a unix socket, names the bytes that switch the relay off,
and passes all bytes through here. Before it switches a relay on it takes a lease. When the lease runs out
(the daemon was killed, stopped, hangs, or has no processor time) the guard writes the off bytes as soon as it
reaches the board; a file keeps them for a guard that was killed itself. One packet of JSON asks, one answers:
`open`, `write`, `lease`, `release`; in between come {"data": hex}, {"lost": why}, and {"lapsed": true}, after
which nothing is written until `open`. Standard library and pyserial only.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import fcntl
import json
import os
import selectors
import signal
import socket
import sys
import termios
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import serial

MAX_PACKET = 16 * 1024
FASTEST = 4_000_000  # bits per second
LONGEST_LEASE_S = 600.0  # longer ones are cut: a typing mistake must not leave a door open for ever
REPEATS, REPEAT_S = 3, 0.05  # off is an absolute command, and a board without readback may miss one
RETRY_S = 0.2  # between two attempts to reach a board that is owed its off bytes
_GONE = (OSError, termios.error, ValueError)
_KIND = (socket.AF_UNIX, socket.SOCK_SEQPACKET)


class Board:
    """The serial port of one board, and the off bytes still owed to it. Opens it on the first `open`."""

    def __init__(self, port: str, memory: Path) -> None:
        self._port, self._memory = port, memory
        self._serial: serial.Serial | None = None
        self._baud, self._safe = _recall(memory)
        self._until: float | None = None  # end of the lease, monotonic
        self._owed = REPEATS if self._safe else 0  # how often the off bytes are still to be written
        self._next_try = 0.0
        self._shut = True  # nothing may be written until the daemon opens (again)

    @property
    def descriptor(self) -> int | None:
        """To wait for bytes on; None while the port is closed."""
        return self._serial.fileno() if self._serial else None

    def open(self, baud: int, safe: tuple[bytes, ...]) -> None:
        """Open the port anew and remember the bytes that switch the relay off. Raises OSError."""
        self._baud, self._safe = baud, safe
        fresh = self._memory.with_name(self._memory.name + ".new")
        with contextlib.suppress(OSError):
            fresh.write_text(json.dumps({"baud": baud, "safe": [frame.hex() for frame in safe]}), "ascii")
            fresh.replace(self._memory)
        self._connect()
        self._pay_now()
        self._shut = False

    def write(self, data: bytes, *, owed: bool = False) -> None:
        """Write bytes of the daemon, or `owed` off bytes. Raises OSError."""
        if self._shut and not owed:
            raise OSError(errno.EPERM, "the lease ran out; open the board again")
        if self._serial is None:
            raise OSError(errno.ENODEV, "the board is not connected")
        try:
            if os.write(self._serial.fileno(), data) < len(data):  # pyserial's own: an error after a stall
                raise OSError(errno.EAGAIN, "the line takes no more bytes")
        except _GONE as error:
            self.close()
            raise OSError(errno.EIO, str(error)) from error

    def read(self) -> bytes:
        """The bytes that have arrived; empty: the board is gone."""
        with contextlib.suppress(*_GONE):
            if self._serial and (data := os.read(self._serial.fileno(), 4096)):
                return data
        self.close()
        return b""

    def lease(self, seconds: float) -> None:
        """The off bytes are owed in `seconds` from now, unless released or leased again before."""
        if not seconds >= 0:  # NaN, too
            raise ValueError("seconds")
        self._until = time.monotonic() + min(seconds, LONGEST_LEASE_S)

    def release(self) -> None:
        """The daemon has switched off itself; ignored after a lapsed lease."""
        if not self._shut:
            self._until, self._owed = None, 0

    def close(self) -> None:
        """Close the port; owed bytes stay owed."""
        port, self._serial = self._serial, None
        if port is not None:
            with contextlib.suppress(*_GONE), contextlib.closing(port):
                fcntl.ioctl(port.fileno(), termios.TIOCNXCL)

    def wait_s(self) -> float:
        """Seconds until `settle` has work, at most half a second."""
        due = self._next_try if self._owed else self._until
        return 0.5 if due is None else min(0.5, max(0.0, due - time.monotonic()))

    def settle(self) -> bool:
        """Do what is due. True when a lease ran out just now."""
        now = time.monotonic()
        lapsed = self._until is not None and now >= self._until
        if lapsed:
            self._until, self._owed, self._next_try, self._shut = None, REPEATS, now, True
            _say("the lease ran out: switching off")
        if self._owed and now >= self._next_try:
            try:
                self._pay()
            except OSError as error:
                self._next_try = now + RETRY_S
                if lapsed:
                    _say(f"the board cannot be reached, it is tried again: {error}")
        return lapsed

    def make_safe(self) -> None:
        """Safe state at the end of the guard: write the off bytes now, whatever the lease."""
        if self._safe and (self._until is not None or self._owed):
            with contextlib.suppress(OSError):
                self._owed = REPEATS
                self._pay_now()
        self.close()

    def _pay_now(self) -> None:
        while self._owed:
            self._pay()
            time.sleep(REPEAT_S)

    def _pay(self) -> None:
        if self._serial is None:
            self._connect()
        for frame in self._safe:
            self.write(frame, owed=True)
        self._owed -= 1
        self._next_try = time.monotonic() + REPEAT_S

    def _connect(self) -> None:
        self.close()
        try:
            self._serial = serial.Serial(self._port, self._baud, timeout=0, exclusive=True)
            fcntl.ioctl(self._serial.fileno(), termios.TIOCEXCL)
        except _GONE as error:
            self.close()
            raise OSError(getattr(error, "errno", None) or errno.EIO, str(error)) from error


class Guard:
    """Serves one daemon at a time and hangs up on a second one."""

    def __init__(self, board: Board, listener: socket.socket) -> None:
        self._board, self._listener = board, listener
        self._client: socket.socket | None = None
        self._ending = False

    def end(self, *_: object) -> None:
        """Leave `run` after the turn at hand; a signal handler."""
        self._ending = True

    def run(self) -> None:
        """Serve until `end`; then switch off as far as the off bytes can."""
        try:
            while not self._ending:
                self._turn()
        finally:
            self._board.make_safe()

    def _turn(self) -> None:
        with selectors.PollSelector() as selector:
            if self._client is not None:  # first: one that has gone makes room for the next
                selector.register(self._client, selectors.EVENT_READ, self._serve)
            if self._board.descriptor is not None:
                selector.register(self._board.descriptor, selectors.EVENT_READ, self._forward)
            selector.register(self._listener, selectors.EVENT_READ, self._accept)
            ready = selector.select(self._board.wait_s())
        if self._board.settle():
            self._tell({"lapsed": True})
        for key, _ in ready:
            key.data()

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        if self._client is not None:
            client.close()
            return
        client.settimeout(0.2)  # a daemon that does not read must not block the guard
        self._client = client

    def _forward(self) -> None:
        data = self._board.read()
        self._tell({"data": data.hex()} if data else {"lost": "the device reports its end"})

    def _serve(self) -> None:
        packet = b""
        with contextlib.suppress(OSError):
            packet = self._client.recv(MAX_PACKET) if self._client else b""
        if not packet:
            self._hang_up()  # a running lease keeps its end
            return
        try:
            self._obey(json.loads(packet))
            answer: dict[str, Any] = {"ok": True}
        except OSError as error:
            answer = {"error": error.strerror or str(error), "errno": error.errno or errno.EIO}
        except (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError) as error:
            answer = {"error": f"not understood: {type(error).__name__}", "errno": errno.EINVAL}
        self._tell(answer)

    def _obey(self, message: dict[str, Any]) -> None:
        match message["op"]:
            case "write":
                self._board.write(bytes.fromhex(message["data"]))
            case "lease":
                self._board.lease(float(message["seconds"]))
            case "release":
                self._board.release()
            case "open":
                self._board.open(*_settings(message))
            case operation:
                raise ValueError(operation)

    def _tell(self, message: dict[str, Any]) -> None:
        try:
            if self._client is not None:
                self._client.send(json.dumps(message).encode())
        except OSError:
            self._hang_up()

    def _hang_up(self) -> None:
        if self._client is not None:
            self._client.close()
        self._client = None


def _listen(path: Path) -> socket.socket:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_socket():  # left behind by a guard that was killed, or somebody's
        with contextlib.suppress(ConnectionRefusedError), socket.socket(*_KIND) as probe:
            probe.connect(str(path))
            raise OSError(errno.EADDRINUSE, "another guard listens there")
        path.unlink()
    listener = socket.socket(*_KIND)
    listener.bind(str(path))
    path.chmod(0o660)
    listener.listen(2)
    return listener


def _say(text: str) -> None:
    print(f"gate-guard: {text}", file=sys.stderr, flush=True)


def _recall(memory: Path) -> tuple[int, tuple[bytes, ...]]:
    try:
        return _settings(json.loads(memory.read_text("ascii")))
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return 9600, ()


def _settings(message: dict[str, Any]) -> tuple[int, tuple[bytes, ...]]:
    baud = int(message["baud"])
    if not 0 < baud <= FASTEST:
        raise ValueError("baud")
    return baud, tuple(bytes.fromhex(frame) for frame in message["safe"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM (exit code 0); 69 when the socket cannot be made."""
    parser = argparse.ArgumentParser(prog="edged gate-guard", description="Own a relay board's port.")
    parser.add_argument("--port", required=True, help="device of the board, best below /dev/serial/by-id")
    parser.add_argument("--socket", required=True, type=Path, help="where the daemon connects (gate.guard)")
    options = parser.parse_args(arguments)
    try:
        listener = _listen(options.socket)
    except OSError as error:
        _say(f"the socket {options.socket} cannot be made: {error.strerror or error}; choose another.")
        return 69
    guard = Guard(Board(options.port, options.socket.with_suffix(".off")), listener)
    signal.signal(signal.SIGTERM, guard.end)
    signal.signal(signal.SIGINT, guard.end)
    _say(f"guarding {options.port}; the daemon connects to {options.socket}")
    with listener:
        guard.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
