"""Live cameras (V4L2, RTSP, HTTP MJPEG): the daemon's side of the reader process.

Starts the process, takes frames out of the shared memory, and turns silence, death and failure into errors
with a remedy. `edged.camera.reader` reads; the capture loop repeats attempts.
"""

from __future__ import annotations

import mmap
import os
import stat
from pathlib import Path

import numpy as np

from edged.camera.process import ReaderProcess
from edged.camera.reader import SLOTS, Order, Report
from edged.camera.source import FrameSource, RawFrame, SourceInfo
from edged.clock import Clock
from edged.config import CameraConfig
from edged.config.mask import mask_url
from edged.errors import EdgedError, Misconfigured, NeedsOperator, NotFound, RetryLater

_START_LIMIT_S = 20.0  # a fresh interpreter with OpenCV takes 0.3 s, on a busy small board several seconds
_WAIT_SLICE_S = 0.25
_SHORTEST_TIMEOUT_S = 0.2  # FFmpeg takes 0 for "wait for ever"
BY_ID = Path("/dev/v4l/by-id")

# What FFmpeg prints when it cannot open an address -> (class, code, what it means, what to do).
_OPEN_FAILURES: tuple[tuple[tuple[str, ...], type[EdgedError], str, str, str], ...] = (
    (
        ("401 unauthorized", "403 forbidden", "authorization failed"),
        NeedsOperator,
        "camera_unauthorized",
        "refuses the user name or password",
        "Correct them in camera.source; write @ : / in a password as %40 %3A %2F.",
    ),
    (
        ("404 not found", "server returned 4"),
        NeedsOperator,
        "camera_stream_unknown",
        "has no stream at this address",
        "Look up the path of the stream in the camera's manual.",
    ),
    (
        ("connection refused",),
        RetryLater,
        "camera_refused",
        "is reachable, but nothing answers at this port",
        "Check the port, and that the camera has finished starting.",
    ),
    (
        ("no route to host", "network is unreachable", "resolve hostname", "name or service not known"),
        RetryLater,
        "camera_unreachable",
        "cannot be reached",
        "Check power, network cable and address of the camera.",
    ),
)
_FAILURES = {
    "camera_open_failed": ("cannot be opened", "Check the address; another program may be using the camera."),
    "camera_silent": ("stopped sending pictures", "Check power and network or USB cable of the camera."),
    "camera_ended": ("ended the stream", "The camera may be restarting; check its cable if it stays away."),
    "camera_size_changed": ("changed the size of its pictures", "Nothing to do: it is opened again."),
    "camera_reader_died": ("was lost: its reader process died", "If it repeats, look for memory shortage."),
    "camera_slow": (
        "sends its pictures too late to open a door",
        "Set it to at least 10 pictures a second; check the network.",
    ),
    "camera_reader_stuck": (
        "cannot be read: its reader process does not start",
        "Look at the load of the machine.",
    ),
}


class LiveSource(FrameSource):
    """One connection to a live camera.

    Args:
        config: the camera, without its `source`.
        address: a URL or the path of a device.
        backend: `v4l2` or `ffmpeg`.
        clock: the machine's monotonic clock, which the reader process shares.
    """

    has_end = False
    live = True

    def __init__(self, config: CameraConfig, address: str, backend: str, clock: Clock) -> None:
        self._config = config
        self._address = address
        self._backend = backend
        self._clock = clock
        self._read_timeout_s = max(config.read_timeout_s, _SHORTEST_TIMEOUT_S)
        self._process: ReaderProcess | None = None
        self._memory: mmap.mmap | None = None
        self._shape = (0, 0, 3)
        self._reached: dict[str, Report] = {}
        self._waiting: Report | None = None
        self._heard_s = 0.0
        self._stale_when_heard = 0
        self._first = True
        self.stale = 0
        self.missed = 0

    def open(self) -> SourceInfo:
        """Start the reader and wait for the first picture. Raises an EdgedError with a `camera_…` code."""
        if self._backend == "v4l2":
            check_device(Path(self._address))
        self._process = ReaderProcess(self._order)
        self._await("started", _START_LIMIT_S, "camera_reader_stuck")
        limit_s = max(self._config.open_timeout_s, _SHORTEST_TIMEOUT_S) + self._read_timeout_s
        opened = self._await("opened", limit_s, "camera_open_failed")
        self._shape = (opened["height"], opened["width"], 3)
        self._memory = mmap.mmap(self._process.memory_fd, SLOTS * int(np.prod(self._shape)))
        self._heard()
        return SourceInfo(opened["width"], opened["height"], opened["fps"])

    def read(self) -> RawFrame:
        """The newest fresh picture. Raises RetryLater when none comes within `read_timeout_s`."""
        assert self._process is not None, "open() comes first"
        self._take_in(0)
        while self._waiting is None:
            left_s = self._heard_s + self._read_timeout_s - self._clock.monotonic()
            if left_s <= 0:
                raise self._failure("camera_slow" if self.stale > self._stale_when_heard else "camera_silent")
            self._take_in(min(left_s, _WAIT_SLICE_S))
            self.on_wait()
        announced, self._waiting = self._waiting, None
        image = self._image(announced["slot"])
        self._process.give_back(announced["slot"])
        self._heard()
        cut, self._first = self._first, False
        return RawFrame(image, cut=cut, captured_s=announced["captured_s"])

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process = None
        if self._memory is not None:
            self._memory.close()
            self._memory = None

    def _order(self, status_fd: int, memory_fd: int, options: str) -> Order:
        return Order(
            address=self._address,
            backend=self._backend,
            width=self._config.width,
            height=self._config.height,
            fps=self._config.fps,
            open_timeout_s=max(self._config.open_timeout_s, _SHORTEST_TIMEOUT_S),
            read_timeout_s=self._read_timeout_s,
            warm_up=self._address.startswith("rtsp") and "nobuffer" not in options,
            status_fd=status_fd,
            memory_fd=memory_fd,
        )

    def _await(self, event: str, limit_s: float, code: str) -> Report:
        """Wait for this report of the reader. Raises the failure `code` when it does not come in time."""
        deadline_s = self._clock.monotonic() + limit_s
        while event not in self._reached:
            left_s = deadline_s - self._clock.monotonic()
            if left_s <= 0:
                raise self._failure(code)
            self._take_in(min(left_s, _WAIT_SLICE_S))
            self.on_wait()
        return self._reached[event]

    def _take_in(self, timeout_s: float) -> None:
        assert self._process is not None
        events = self._process.events(timeout_s)
        for seen in events:
            self._note(self._process, seen)
        if not events and self._process.ended:
            raise self._failure("camera_reader_died")

    def _note(self, process: ReaderProcess, seen: Report) -> None:
        """Keep the newest frame; older ones of the same batch go back unread."""
        if seen["event"] == "failed":
            raise self._failure(seen["code"])
        if seen["event"] == "stale":
            self.stale += 1
        elif seen["event"] == "frame":
            self.missed += seen["missed"]
            if self._waiting is not None:
                self.missed += 1
                process.give_back(self._waiting["slot"])
            self._waiting = seen
        else:
            self._reached[seen["event"]] = seen

    def _heard(self) -> None:
        self._heard_s = self._clock.monotonic()
        self._stale_when_heard = self.stale

    def _image(self, slot: int) -> np.ndarray:
        assert self._memory is not None, "open() comes first"
        size = int(np.prod(self._shape))
        return np.frombuffer(self._memory, np.uint8, size, slot * size).reshape(self._shape).copy()

    def _failure(self, code: str) -> EdgedError:
        who = f"camera {mask_url(self._address)}"
        if code == "camera_open_failed":
            said = self._process.said().lower() if self._process else ""
            for marks, kind, known, meaning, hint in _OPEN_FAILURES:
                if any(mark in said for mark in marks):
                    return kind(f"{who} {meaning}.", code=known, hint=hint)
        meaning, hint = _FAILURES[code]
        return RetryLater(f"{who} {meaning}.", code=code, hint=hint)


def check_device(path: Path, by_id: Path = BY_ID) -> None:
    """Check that `path` is a device this user may open.

    Raises:
        NotFound: `camera_missing`; the hint lists the connected cameras.
        NeedsOperator: `camera_permission`.
        Misconfigured: `camera_not_a_device`.
    """
    try:
        mode = path.stat().st_mode
    except OSError:
        raise NotFound(f"camera {path} is not there.", code="camera_missing", hint=_found(by_id)) from None
    if not stat.S_ISCHR(mode):
        raise Misconfigured(f"{path} is not a camera.", code="camera_not_a_device", hint=_found(by_id))
    if not os.access(path, os.R_OK | os.W_OK):
        raise NeedsOperator(
            f"camera {path} may not be opened by this user.",
            code="camera_permission",
            hint="Add the user that runs edged to the group video: usermod -aG video edged.",
        )


def _found(by_id: Path) -> str:
    """Index 0 carries pictures, the others only metadata (docs/reference/relay-boards.md 7.3 rule 6)."""
    there = sorted(str(p) for p in by_id.glob("*-video-index0")) if by_id.is_dir() else []
    if not there:
        return "No USB camera is connected: check its cable."
    return f"Found {', '.join(there)}: set camera.source to that path."
