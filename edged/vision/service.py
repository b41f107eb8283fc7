"""The vision thread of one camera: newest frame in, events about faces out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Protocol

from edged.bus import EventBus
from edged.events import ComponentFailed, Event
from edged.frame import Frame
from edged.vision.analyser import Analyser

_IDLE_S = 0.2


class FrameQueue(Protocol):
    """Source of frames for the vision thread."""

    @property
    def finished(self) -> bool:
        """No frame will ever come again."""
        ...

    def take(self, timeout_s: float | None = None) -> Frame | None:
        """The newest frame, waited for up to `timeout_s`."""
        ...


class VisionService:
    """Runs an Analyser in a thread of its own.

    Args:
        frames: source of frames, e.g. a camera's mailbox. The thread ends when it is finished.
        analyser_factory: called in the thread, because networks belong to the thread that uses them.
        on_beat: called at least every 0.2 s while the thread is alive and working.
    """

    def __init__(
        self,
        frames: FrameQueue,
        analyser_factory: Callable[[], Analyser],
        bus: EventBus,
        *,
        on_beat: Callable[[], None],
    ) -> None:
        self._frames = frames
        self._analyser_factory = analyser_factory
        self._bus = bus
        self._on_beat = on_beat
        self._stopping = threading.Event()
        self._analysed = 0
        self._thread = threading.Thread(target=self._run, name="vision", daemon=True)

    @property
    def analysed(self) -> int:
        """Frames analysed so far."""
        return self._analysed

    def start(self) -> None:
        self._thread.start()

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread to end by itself, because no more frames come. True when it has."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def stop(self, timeout_s: float) -> bool:
        """End after the frame at hand, with its tracks. True when that took less than `timeout_s`."""
        self._stopping.set()
        return self.join(timeout_s)

    def _run(self) -> None:
        analyser = self._analyser_factory()
        while not self._stopping.is_set() and not self._frames.finished:
            self._on_beat()
            frame = self._frames.take(_IDLE_S)
            if frame is not None:
                self._analyse(analyser, frame)
        self._publish(analyser.end_all())

    def _analyse(self, analyser: Analyser, frame: Frame) -> None:
        try:
            self._publish(analyser.analyse(frame))
        except Exception as error:  # noqa: BLE001 - one bad frame must not end the thread; an event reports it
            failed = ComponentFailed(
                at=frame.captured_at,
                component="vision",
                error=f"{type(error).__name__}: {error}",
                hint="The frame was dropped. If this repeats, report it with `edged inspect` output.",
            )
            self._publish([failed])
        else:
            self._analysed += 1

    def _publish(self, events: Iterable[Event]) -> None:
        for event in events:
            self._bus.publish(event)
