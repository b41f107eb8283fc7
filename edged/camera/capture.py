"""The capture loop: one thread that reads a source, keeps its pace, reconnects, and fills the mailbox.

The sources obtain the pictures; `edged.vision` looks at what they show.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import cv2
import numpy as np

from edged.backoff import Backoff, PauseRule
from edged.bus import EventBus
from edged.camera.mailbox import Mailbox
from edged.camera.source import FrameSource, RawFrame, SourceInfo
from edged.clock import Clock
from edged.config import CameraConfig
from edged.config.mask import mask_url
from edged.errors import EdgedError, NeedsOperator
from edged.events import CameraConnected, CameraLost, SourceEnded
from edged.frame import Frame

_WAIT_SLICE_S = 0.25  # how often a waiting loop says it is alive, and the longest it takes to notice stop()
_SHORTEST_RETRY_S = 0.05
_ROTATIONS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


@dataclass(frozen=True)
class CaptureCounters:
    """Counts of one camera since `start()`.

    Attributes:
        read: new and fresh frames, analysed or not.
        dropped: frames that a newer one replaced before they were analysed.
        stale: frames that were old when they arrived, and were discarded.
        reconnects: times the source delivered again after an outage.
        last_frame_age_s: time since the newest frame left the camera; None before the first one.
    """

    read: int
    dropped: int
    stale: int
    reconnects: int
    last_frame_age_s: float | None


class _Stopped(Exception):
    """Unwinds the reader thread after `stop()` or when the mailbox is closed."""


class CaptureLoop:
    """Reads one camera in a thread of its own and publishes its connections, outages and end.

    Args:
        config: the camera.
        source_factory: makes a fresh source for every connection; see `edged.camera.registry.open_source`.
        mailbox: gets the frames; the loop closes it at the end of the source or on `stop()`.
        bus: gets CameraConnected, CameraLost and SourceEnded.
        clock: for pacing and time stamps.
        speed: for sources with an end: 2 plays at double pace; 0 plays as fast as frames are taken, and loses
            none.
        loop: play a source with an end again and again.
        on_beat: the thread calls it at least every 0.3 s while it is healthy.
    """

    def __init__(
        self,
        config: CameraConfig,
        source_factory: Callable[[], FrameSource],
        mailbox: Mailbox,
        bus: EventBus,
        clock: Clock,
        *,
        speed: float = 1.0,
        loop: bool = False,
        on_beat: Callable[[], None] | None = None,
    ) -> None:
        if speed < 0:
            raise ValueError("speed must not be negative")
        self._config = config
        self._factory = source_factory
        self._mailbox = mailbox
        self._bus = bus
        self._clock = clock
        self._speed = speed
        self._loop = loop
        self._on_beat = on_beat
        self._name = mask_url(config.source)
        self._backoff = Backoff(retry_rule(config))
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._source: FrameSource | None = None
        self._connected = False
        self._ever_connected = False
        self._reported: set[str] = set()
        self._cut = True
        self._read = self._missed = self._stale = self._reconnects = 0
        self._last_captured_s: float | None = None

    def start(self) -> None:
        """Start reading. Publishes failures instead of raising them: a camera may be plugged in later."""
        self._thread = threading.Thread(target=self._run, name=f"camera:{self._config.id}", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 1.0) -> bool:
        """Stop reading and close the mailbox, without waiting for a frame.

        Returns:
            True when the thread has ended within `timeout_s`.
        """
        self._stopping.set()
        self._mailbox.close()
        if self._thread is None:
            return True
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    @property
    def connected(self) -> bool:
        """The source has delivered a frame since it was last lost."""
        return self._connected

    def counters(self) -> CaptureCounters:
        """A copy of the counters. Thread-safe."""
        source, last_s = self._source, self._last_captured_s
        return CaptureCounters(
            read=self._read,
            dropped=self._mailbox.dropped + self._missed + (source.missed if source else 0),
            stale=self._stale + (source.stale if source else 0),
            reconnects=self._reconnects,
            last_frame_age_s=None if last_s is None else self._clock.monotonic() - last_s,
        )

    # -- the reader thread

    def _run(self) -> None:
        try:
            while self._session():
                self._beat()
        except _Stopped:
            pass
        finally:
            self._mailbox.close()

    def _session(self) -> bool:
        """One connection from open to close. False at the end of a source that plays once."""
        first = self._read
        source: FrameSource | None = None
        try:
            source = self._factory()
            source.on_wait = self._beat
            self._source = source
            self._play(source, source.open())
            failure = None
        except EdgedError as error:
            failure = error
        except (cv2.error, OSError, MemoryError, ValueError) as error:
            failure = NeedsOperator(
                f"reading failed: {type(error).__name__}: {error}", code="camera_failed", hint="See the log."
            )
        finally:
            self._retire(source)
        if failure is not None and not (source is not None and source.has_end):
            self._lose(failure)
            return True
        frames = self._read - first
        if failure is None and self._loop and frames:
            return True
        defect = source.defect if source is not None else ""
        self._end(frames, str(failure) if failure is not None else defect)
        return False

    def _retire(self, source: FrameSource | None) -> None:
        if source is None:
            return
        source.close()
        self._source = None
        self._missed += source.missed
        self._stale += source.stale

    def _play(self, source: FrameSource, info: SourceInfo) -> None:
        self._cut = True
        start_s: float | None = None
        while (raw := source.read()) is not None:
            self._beat()
            now_s = self._clock.monotonic()
            start_s = now_s if start_s is None else start_s
            if source.has_end:
                self._wait_until_due(raw, start_s)
            self._connect(info)
            self._release(raw)
            if source.live and now_s - start_s >= self._config.retry_max_s:
                self._backoff.reset()  # not earlier: a source that breaks off at once must not be hammered

    def _wait_until_due(self, raw: RawFrame, start_s: float) -> None:
        if self._speed == 0:
            while not self._mailbox.wait_empty(_WAIT_SLICE_S):
                self._beat()
                if self._mailbox.closed:
                    raise _Stopped
        elif raw.due_s is not None:
            self._wait_until(start_s + raw.due_s / self._speed)

    def _wait_until(self, deadline_s: float) -> None:
        while (left_s := deadline_s - self._clock.monotonic()) > 0:
            self._stopping.wait(min(left_s, _WAIT_SLICE_S))
            self._beat()

    def _release(self, raw: RawFrame) -> None:
        now_s = self._clock.monotonic()
        captured_s = now_s if raw.captured_s is None else min(raw.captured_s, now_s)
        self._read += 1
        self._last_captured_s = captured_s
        frame = Frame(
            image=orient(raw.image, self._config.rotate, self._config.mirror),
            number=self._read,
            captured_s=captured_s,
            captured_at=self._clock.now() - timedelta(seconds=now_s - captured_s),
            cut=raw.cut or self._cut,
        )
        self._cut = False
        if not self._mailbox.put(frame):
            raise _Stopped

    def _beat(self) -> None:
        """Report that the thread is alive; end it after `stop()`."""
        if self._stopping.is_set():
            raise _Stopped
        if self._on_beat is not None:
            self._on_beat()

    # -- connections, outages, the end

    def _connect(self, info: SourceInfo) -> None:
        if self._connected:
            return
        self._connected = True
        self._reported.clear()
        self._reconnects += self._ever_connected
        self._ever_connected = True
        turned = self._config.rotate in (90, 270)
        self._bus.publish(
            CameraConnected(
                at=self._clock.now(),
                camera_id=self._config.id,
                source=self._name,
                width=info.height if turned else info.width,
                height=info.width if turned else info.height,
                fps=info.fps,
            )
        )

    def _lose(self, failure: EdgedError) -> None:
        """Report once per outage and cause, then wait before the next attempt."""
        retry_s = self._backoff.failed(self._clock.monotonic())
        self._connected = False
        if failure.code not in self._reported:
            self._reported.add(failure.code)
            self._bus.publish(
                CameraLost(
                    at=self._clock.now(),
                    camera_id=self._config.id,
                    source=self._name,
                    code=failure.code,
                    reason=mask_url(failure.message),
                    hint=mask_url(failure.hint),
                    retry_s=round(retry_s, 2),
                )
            )
        self._wait_until(self._clock.monotonic() + retry_s)

    def _end(self, frames: int, reason: str) -> None:
        self._bus.publish(
            SourceEnded(
                at=self._clock.now(),
                camera_id=self._config.id,
                source=self._name,
                frames=frames,
                complete=not reason,
                reason=mask_url(reason),
            )
        )


def retry_rule(config: CameraConfig) -> PauseRule:
    """How long to wait before a lost camera is opened again: doubled each time, give or take a fifth.

    The spread keeps many boxes from knocking together (docs/reference/relay-boards.md 7.3).
    """
    first_s = max(config.retry_min_s, _SHORTEST_RETRY_S)
    return PauseRule(first_s, max(config.retry_max_s, first_s), spread=(0.8, 1.2))


def orient(image: np.ndarray, rotate: int, mirror: bool) -> np.ndarray:
    """`image` turned clockwise by `rotate` degrees (0, 90, 180, 270), then left-right flipped if `mirror`."""
    if rotate:
        image = cv2.rotate(image, _ROTATIONS[rotate])
    return cv2.flip(image, 1) if mirror else image
