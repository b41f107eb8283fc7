"""A mailbox for one frame: the newest replaces an untaken one. Without a queue no frame gets old."""

from __future__ import annotations

import threading
from dataclasses import replace

from edged.frame import Frame


class Mailbox:
    """Hands frames from one putting thread to one taking thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._frame: Frame | None = None
        self._closed = False
        self._dropped = 0

    @property
    def dropped(self) -> int:
        """Frames that a newer one replaced before they were taken."""
        with self._changed:
            return self._dropped

    @property
    def closed(self) -> bool:
        """It accepts no more frames; one may still be inside."""
        with self._changed:
            return self._closed

    @property
    def finished(self) -> bool:
        """Closed and empty: `take()` will never give a frame again."""
        with self._changed:
            return self._closed and self._frame is None

    def put(self, frame: Frame) -> bool:
        """Leave `frame` as the newest. It takes over the `cut` of the frame it replaces.

        Returns:
            False when the mailbox is closed; the frame is then discarded.
        """
        with self._changed:
            if self._closed:
                return False
            if self._frame is not None:
                self._dropped += 1
                if self._frame.cut and not frame.cut:
                    frame = replace(frame, cut=True)
            self._frame = frame
            self._changed.notify_all()
            return True

    def wait_empty(self, timeout_s: float | None = None) -> bool:
        """Lossless mode: call before each `put()`, and no frame replaces another.

        Returns:
            True when the slot is free; False when the mailbox was closed or `timeout_s` passed.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._frame is None, timeout_s)
            return not self._closed and self._frame is None

    def take(self, timeout_s: float | None = None) -> Frame | None:
        """The newest frame, each one once; None when `timeout_s` passed or the mailbox is finished."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._frame is not None, timeout_s)
            frame, self._frame = self._frame, None
            if frame is not None:
                self._changed.notify_all()
            return frame

    def close(self) -> None:
        """Accept no more frames and wake all waiting threads. A frame still inside can be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
