"""The handle of one reader process: start, listen, kill. The reading itself is in `edged.camera.reader`."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import subprocess
import sys
from collections.abc import Callable
from typing import IO

from edged.camera.reader import Order, Report

_OPTIONS = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
# TCP: no torn pictures from lost packets. nobuffer, low_delay: the first picture is 50-90 ms old instead of
# 950 ms (docs/reference/relay-boards.md 7.2). An installer's own setting of the variable wins.
_DEFAULT_OPTIONS = "rtsp_transport;tcp|fflags;nobuffer|flags;low_delay"
_LOG_WARNINGS = "24"  # at the default level FFmpeg does not say that the password was refused
_SAID_LIMIT = 4096
_REAP_S = 0.5


class ReaderProcess:
    """Starts a reader process at once.

    Args:
        make_order: makes the order from the status fd, the memory fd and FFmpeg's options.
    """

    def __init__(self, make_order: Callable[[int, int, str], Order]) -> None:
        environment = _environment()
        self.memory_fd = os.memfd_create("edged-camera")
        self._status_fd, status_end = os.pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "edged.camera.reader"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                bufsize=0,
                pass_fds=(self.memory_fd, status_end),  # and no other: not the relay's port, not the journal
                env=environment,
                start_new_session=True,  # Ctrl-C in a terminal is for the daemon only
            )
        except OSError:
            os.close(self._status_fd)
            os.close(self.memory_fd)
            raise
        finally:
            os.close(status_end)
        self._input, self._output = _pipes(self._process)
        self.ended = False
        self._partial = b""
        self._said = b""
        self._selector = selectors.DefaultSelector()
        for fd in (self._status_fd, self._output.fileno()):
            os.set_blocking(fd, False)
            self._selector.register(fd, selectors.EVENT_READ)
        order = make_order(status_end, self.memory_fd, environment[_OPTIONS])
        self._write(order.to_line())

    @property
    def pid(self) -> int:
        """Process id of the reader."""
        return self._process.pid

    def events(self, timeout_s: float) -> list[Report]:
        """Reports of the reader; waits up to `timeout_s` for the first. Sets `ended` at its end."""
        lines: list[bytes] = []
        for key, _ in self._selector.select(timeout_s):
            data = os.read(key.fd, 65536)
            if not data:
                self._selector.unregister(key.fd)
                self.ended = self.ended or key.fd == self._status_fd
            elif key.fd == self._status_fd:
                *lines, self._partial = (self._partial + data).split(b"\n")
            else:
                self._said = (self._said + data)[-_SAID_LIMIT:]
        return [json.loads(line) for line in lines]

    def said(self) -> str:
        """The last output of OpenCV and FFmpeg. May hold the password of the camera: not for people."""
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self._output.fileno(), 65536):
                self._said = (self._said + data)[-_SAID_LIMIT:]
        return self._said.decode(errors="replace")

    def give_back(self, slot: int) -> None:
        """Let the reader write to `slot` again."""
        self._write(bytes([slot]))

    def kill(self) -> None:
        """End the process at once and free everything. Call it only once."""
        self._process.kill()
        self._selector.close()
        self._input.close()
        self._output.close()
        os.close(self._status_fd)
        os.close(self.memory_fd)
        # One that hangs in a driver dies later; the subprocess module reaps it when the next one is started.
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_REAP_S)

    def _write(self, data: bytes) -> None:
        with contextlib.suppress(BrokenPipeError):  # it has died; `events()` reports that
            self._input.write(data)


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    """Its standard input and output, which `Popen` leaves open only when asked for."""
    assert process.stdin is not None
    assert process.stdout is not None
    return process.stdin, process.stdout


def _environment() -> dict[str, str]:
    environment = dict(os.environ)
    environment.setdefault(_OPTIONS, _DEFAULT_OPTIONS)
    environment.setdefault("OPENCV_FFMPEG_LOGLEVEL", _LOG_WARNINGS)
    # The reader finds this very edged, also in a checkout (-P leaves out the working directory).
    environment["PYTHONPATH"] = os.pathsep.join(os.path.abspath(entry) for entry in sys.path)
    return environment
