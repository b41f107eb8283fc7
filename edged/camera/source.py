"""What a frame source is, as the capture loop sees it. The sources themselves are in modules of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True)
class SourceInfo:
    """What a source says of itself after opening: pixels before rotation; `fps` 0 when it does not say."""

    width: int
    height: int
    fps: float


@dataclass(frozen=True, eq=False)
class RawFrame:
    """One picture as the source gives it, before rotation and mirroring.

    Attributes:
        image: height x width x 3 uint8 BGR.
        cut: does not continue the picture before.
        due_s: when to show it, seconds after the first frame at normal speed; None: at once.
        captured_s: monotonic time at which it left the camera; None: stamped when it is released.
    """

    image: np.ndarray
    cut: bool = False
    due_s: float | None = None
    captured_s: float | None = None


def _no_wait_hook() -> None:
    """Stands in until the capture loop sets its own."""


class FrameSource(Protocol):
    """Delivers pictures. Used by one thread, for one connection: after `close()` a new one is made.

    Sub-class it to inherit the defaults below.
    """

    has_end: bool = True
    """A file or a scene: `read()` gives None after the last frame. Otherwise the source is meant to last."""

    live: bool = False
    """Frames come when they come and are stamped by the source; nothing is paced, nothing waits."""

    stale: int = 0
    """Frames discarded so far because they were old when they arrived."""

    missed: int = 0
    """Frames discarded so far because a newer one was there already."""

    defect: str = ""
    """After the end: what was missing or unusable, one sentence; empty when all of it was delivered."""

    on_wait: Callable[[], None] = staticmethod(_no_wait_hook)
    """Set by the capture loop. Whatever blocks in `open()` or `read()` calls it at least every 0.3 s and
    lets through what it raises: that is how a blocked source is stopped."""

    def open(self) -> SourceInfo:
        """Get ready to deliver. Raises an `EdgedError` with code and hint when that cannot be done."""
        ...

    def read(self) -> RawFrame | None:
        """The next frame; None after the last one. Raises `RetryLater` when a lasting source broke off."""
        ...

    def close(self) -> None:
        """Free everything. May be called at any time, also twice, also when `open()` failed."""
        ...
