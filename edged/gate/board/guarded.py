"""The line to a board whose port the gate guard owns: what pyserial offers, through the guard's socket.

Only what `SerialPort` needs of it. Every error is an OSError, as with a port that was unplugged.
"""

from __future__ import annotations

import errno
import json
import socket
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edged.clock import Clock

MAX_PACKET = 64 * 1024
ANSWER_S = 0.5
"""Seconds. The guard answers within a millisecond; one that does not answer by then is stopped or gone."""


class GuardedLine:
    """A connection to the guard that listens at `path`, with its board opened.

    Args:
        path: the guard's socket (`gate.guard`).
        baud: speed of the board's port.
        safe: commands that switch the relay off, which the guard sends when a lease runs out.
        clock: for the deadlines.

    Raises:
        OSError: no guard, one that serves another daemon, or the board is not there.
    """

    def __init__(self, path: Path, baud: int, safe: Sequence[bytes], clock: Clock) -> None:
        self._clock = clock
        self._data = b""
        self._answers: deque[dict[str, Any]] = deque()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
        try:
            self._socket.settimeout(ANSWER_S)
            self._socket.connect(str(path))
            self._ask({"op": "open", "baud": baud, "safe": [frame.hex() for frame in safe]})
        except BaseException:
            self._socket.close()
            raise

    # -- as in pyserial

    @property
    def in_waiting(self) -> int:
        """Bytes that can be read at once."""
        while self._take(0.0):
            pass
        return len(self._data)

    def fileno(self) -> int:
        """Descriptor that can be waited for; afterwards `in_waiting` may still be 0."""
        return self._socket.fileno()

    def read(self, size: int = 1) -> bytes:
        """Up to `size` of the bytes that came; does not wait."""
        if not self._data:
            self._take(0.0)
        data, self._data = self._data[:size], self._data[size:]
        return data

    def write(self, data: bytes) -> int:
        """Hand bytes to the guard; they are on the board's line on return."""
        self._ask({"op": "write", "data": data.hex()})
        return len(data)

    def reset_input_buffer(self) -> None:
        """Discard received bytes."""
        while self._take(0.0):
            pass
        self._data = b""

    def close(self) -> None:
        """Hang up. A lease that was not released runs out and switches off."""
        self._socket.close()

    # -- beyond pyserial

    def lease(self, seconds: float) -> None:
        """The relay may be on for `seconds` from now; then the guard switches it off."""
        self._ask({"op": "lease", "seconds": seconds})

    def release(self) -> None:
        """The relay has been switched off."""
        self._ask({"op": "release"})

    # -- packets

    def _ask(self, question: dict[str, Any]) -> None:
        self._socket.settimeout(ANSWER_S)
        try:
            self._socket.send(json.dumps(question).encode())
        except (BrokenPipeError, ConnectionResetError) as error:
            raise _hung_up() from error
        until_s = self._clock.monotonic() + ANSWER_S
        while not self._answers:
            left_s = until_s - self._clock.monotonic()
            if left_s <= 0 or not self._take(left_s):
                raise OSError(errno.ETIMEDOUT, "the gate guard does not answer")
        answer = self._answers.popleft()
        if "error" in answer:
            raise OSError(int(answer.get("errno", errno.EIO)), f"gate guard: {answer['error']}")

    def _take(self, within_s: float) -> bool:
        """Receive one packet. False: none came in time."""
        if not self._clock.wait_readable(self._socket.fileno(), within_s):
            return False
        try:
            packet = self._socket.recv(MAX_PACKET)
        except ConnectionResetError:
            packet = b""
        if not packet:
            raise _hung_up()
        message = json.loads(packet)
        if "data" in message:
            self._data += bytes.fromhex(message["data"])
        elif "lost" in message:
            raise OSError(errno.EIO, message["lost"])
        elif "lapsed" in message:
            raise OSError(errno.EPERM, "the lease ran out and the gate guard has switched off")
        else:
            self._answers.append(message)
        return True


def _hung_up() -> OSError:
    return OSError(errno.EPIPE, "the gate guard has hung up; it may serve another daemon")
