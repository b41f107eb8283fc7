"""The reader process of one live camera: opens it, reads it, puts frames into shared memory. Nothing else.

It is a process because nothing can cancel a hung `read()` in a thread: it blocks for up to 90 s, and
releasing the camera from another thread crashes the interpreter (docs/reference/relay-boards.md 7.2). A
process can be killed.

It runs in a fresh interpreter (`python -m edged.camera.reader`), which inherits none of the daemon's threads,
locks and files. The two exchange:

- standard input: one line of JSON, the `Order` (not the command line, where everybody on the machine could
  read the camera's password), then single bytes: free slots of the shared memory. At its end the daemon is
  gone, and the reader exits;
- `status_fd`: one line of JSON per event, a `Report`: `started`, `opened` (width, height, fps), `frame`
  (slot, captured_s, missed), `stale`, `failed` (code);
- `memory_fd`: anonymous shared memory of `SLOTS` frames. It leaves no name behind. A slot belongs to the
  reader until a `frame` line names it, then to the daemon until that gives it back: nobody reads a frame
  while the reader writes it.
"""

from __future__ import annotations

import ctypes
import json
import mmap
import os
import queue
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Required, TypedDict

import cv2
import numpy as np

from edged.clock import Clock, SystemClock

SLOTS = 3  # one being read by the daemon, one announced, one being written
WARM_UP_S = 1.0  # docs/reference/relay-boards.md 7.3 rule 4


@dataclass(frozen=True)
class Order:
    """Camera and settings. `warm_up` discards the first second, which a buffering stream delivers late."""

    address: str
    backend: str
    width: int
    height: int
    fps: float
    open_timeout_s: float
    read_timeout_s: float
    warm_up: bool
    status_fd: int
    memory_fd: int

    def to_line(self) -> bytes:
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Order:
        return cls(**json.loads(line))


class Report(TypedDict, total=False):
    """One line on `status_fd`; which keys come with which `event` is in the module's description."""

    event: Required[str]
    code: str
    width: int
    height: int
    fps: float
    slot: int
    captured_s: float
    missed: int


class ReadFailed(Exception):
    """The camera cannot be opened or has stopped delivering, by its `code`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def stale_limit_s(fps: float) -> float:
    """A read that took longer than this gave an old frame (docs/reference/relay-boards.md 7.3 rule 3)."""
    return max(0.5, 5 / fps)


def open_capture(order: Order) -> cv2.VideoCapture:
    """Open the camera with the settings of docs/reference/relay-boards.md 7.3. Raises ReadFailed."""
    if order.backend == "v4l2":
        capture = cv2.VideoCapture(order.address, cv2.CAP_V4L2)
        # MJPG before the size: raw 720p30 needs more than USB 2 carries, so a larger size would be refused.
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, order.width)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, order.height)
        capture.set(cv2.CAP_PROP_FPS, order.fps)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    else:
        limits = [
            *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, int(order.open_timeout_s * 1000)),
            *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, int(order.read_timeout_s * 1000)),
            *(cv2.CAP_PROP_N_THREADS, 1),  # 78 -> 46 ms latency
        ]
        capture = cv2.VideoCapture(order.address, cv2.CAP_FFMPEG, limits)
    if not capture.isOpened():
        raise ReadFailed("camera_open_failed")
    return capture


class Reader:
    """Reads one camera until it fails.

    Args:
        order: camera and settings.
        tell: sends one report to the daemon.
        returned: slots that the daemon has given back.
    """

    def __init__(
        self, order: Order, tell: Callable[[Report], None], returned: queue.SimpleQueue[int], clock: Clock
    ) -> None:
        self._order = order
        self._tell = tell
        self._returned = returned
        self._clock = clock
        self._missed = 0

    def run(self) -> None:
        """Read for ever. Raises ReadFailed: the camera cannot be opened, breaks off or changes its size."""
        capture = open_capture(self._order)
        fps = capture.get(cv2.CAP_PROP_FPS)
        fps = fps if 0 < fps <= 240 else self._order.fps
        slots: np.ndarray | None = None
        for captured_s in self._fresh_grabs(capture, stale_limit_s(fps)):
            if slots is None:
                image = self._retrieve(capture)
                slots = self._make_slots(image, fps)
                self._deliver(slots, image, captured_s)
            elif self._returned.empty():
                self._missed += 1
            else:
                self._deliver(slots, self._retrieve(capture), captured_s)

    def _fresh_grabs(self, capture: cv2.VideoCapture, limit_s: float) -> Iterator[float]:
        """When each fresh frame was grabbed. The first read may be slow: it waits for a whole picture."""
        usable_from_s = None
        while True:
            before_s = self._clock.monotonic()
            ok = capture.grab()
            now_s = self._clock.monotonic()
            took_s = now_s - before_s
            if not ok:
                silent = took_s >= 0.9 * self._order.read_timeout_s
                raise ReadFailed("camera_silent" if silent else "camera_ended")
            if usable_from_s is None:
                usable_from_s = now_s + WARM_UP_S if self._order.warm_up else now_s
            elif took_s > limit_s:
                self._tell({"event": "stale"})
                continue
            if now_s < usable_from_s:
                self._tell({"event": "stale"})
                continue
            yield now_s

    def _retrieve(self, capture: cv2.VideoCapture) -> np.ndarray:
        ok, image = capture.retrieve()
        if not ok:
            raise ReadFailed("camera_ended")
        return image if image.ndim == 3 else cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)

    def _make_slots(self, image: np.ndarray, fps: float) -> np.ndarray:
        os.ftruncate(self._order.memory_fd, SLOTS * image.nbytes)
        memory = mmap.mmap(self._order.memory_fd, SLOTS * image.nbytes)
        for slot in range(SLOTS):
            self._returned.put(slot)
        height, width = image.shape[:2]
        self._tell({"event": "opened", "width": width, "height": height, "fps": fps})
        return np.frombuffer(memory, np.uint8).reshape(SLOTS, *image.shape)

    def _deliver(self, slots: np.ndarray, image: np.ndarray, captured_s: float) -> None:
        if image.shape != slots.shape[1:]:
            raise ReadFailed("camera_size_changed")
        slot = self._returned.get()
        slots[slot] = image
        self._tell({"event": "frame", "slot": slot, "captured_s": captured_s, "missed": self._missed})
        self._missed = 0


def main() -> None:
    """Entry point of the process; the module's docstring describes it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the daemon, which ends this process
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            return
        line += byte
    order = Order.from_line(line)

    def tell(event: Report) -> None:
        os.write(order.status_fd, json.dumps(event).encode() + b"\n")

    returned: queue.SimpleQueue[int] = queue.SimpleQueue()
    threading.Thread(target=_serve_input, args=(returned,), daemon=True).start()
    cv2.setNumThreads(1)
    tell({"event": "started"})
    try:
        Reader(order, tell, returned, SystemClock()).run()
    except ReadFailed as failure:
        ctypes.CDLL(None).fflush(None)  # what FFmpeg printed about it must be there before the news
        tell({"event": "failed", "code": failure.code})
    except cv2.error:
        tell({"event": "failed", "code": "camera_ended"})
    except BrokenPipeError:
        pass  # the daemon is gone


def _serve_input(returned: queue.SimpleQueue[int]) -> None:
    while data := os.read(0, 64):
        for slot in data:
            returned.put(slot)
    os._exit(0)  # nothing to save, and the other thread may be stuck in a read


if __name__ == "__main__":
    main()
    os._exit(0)  # skips the destructors of OpenCV, which may hang on a camera that does not answer
