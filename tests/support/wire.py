"""The other end of a serial line, for seeing the exact bytes a driver sends. It knows no protocol."""

from __future__ import annotations

import os
import select
import threading
import tty

DEADLINE_S = 30.0


class Wire:
    """A raw pty. Scripted answers go out when the bytes they wait for have come, in the order given.

    Used as a context manager; `path` is the end for the driver.

    Args:
        script: pairs of (bytes expected next, answer), both in hexadecimal or as bytes.
    """

    def __init__(self, *script: tuple[str | bytes, str | bytes]) -> None:
        self._script = [(_bytes(expected), _bytes(answer)) for expected, answer in script]
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        self._came = b""
        self._changed = threading.Condition()
        self._stop_r, self._stop_w = os.pipe()
        self._thread = threading.Thread(target=self._run, name="wire")

    def __enter__(self) -> Wire:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        os.write(self._stop_w, b"x")
        self._thread.join()
        for fd in (self._master, self._slave, self._stop_r, self._stop_w):
            os.close(fd)

    def carried(self, *expected: str | bytes) -> bytes:
        """All bytes that came, once there are as many as in `expected`; compare them with `sent`."""
        count = len(sent(*expected))
        with self._changed:
            self._changed.wait_for(lambda: len(self._came) >= count, DEADLINE_S)
            return self._came

    def _run(self) -> None:
        answered = 0
        while True:
            ready, _, _ = select.select([self._master, self._stop_r], [], [])
            if self._stop_r in ready:
                return
            data = os.read(self._master, 256)
            with self._changed:
                self._came += data
                self._changed.notify_all()
            while self._script and self._came[answered:].startswith(self._script[0][0]):
                expected, answer = self._script.pop(0)
                answered += len(expected)
                os.write(self._master, answer)


def sent(*parts: str | bytes) -> bytes:
    """The parts in one piece."""
    return b"".join(_bytes(part) for part in parts)


def _bytes(part: str | bytes) -> bytes:
    return part if isinstance(part, bytes) else bytes.fromhex(part)
