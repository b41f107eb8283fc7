"""The protocol of frame sources, which the capture loop uses. Each source has a module of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True)
class SourceInfo:
    """Properties of an open source: pixels before rotation; `fps` is 0 when unknown."""

    width: int
    height: int
    fps: float


@dataclass(frozen=True, eq=False)
class RawFrame:
    """One picture of a source, before rotation and mirroring.

    Attributes:
        image: height x width x 3 uint8 BGR.
        cut: does not continue the picture before.
        due_s: when to show it, seconds after the first frame at normal speed; None: at once.
        captured_s: monotonic time at which it left the camera; None: the moment of its release counts.
    """

    image: np.ndarray
    cut: bool = False
    due_s: float | None = None
    captured_s: float | None = None


def _no_wait_hook() -> None:
    """Stands in until the capture loop sets its own."""


class FrameSource(Protocol):
    """Delivers pictures to one thread, for one connection; another connection takes another source.

    Sub-classes inherit the defaults below.
    """

    has_end: bool = True
    """A file or a scene: `read()` gives None after the last frame. Other sources last."""

    live: bool = False
    """The source stamps its frames and sets their pace; the capture loop does not wait."""

    stale: int = 0
    """Discarded frames so far that were old when they arrived."""

    missed: int = 0
    """Discarded frames so far for which a newer one was there already."""

    defect: str = ""
    """After the end: the missing or unusable part, one sentence; empty when nothing is missing."""

    on_wait: Callable[[], None] = staticmethod(_no_wait_hook)
    """The capture loop sets it. A source that blocks in `open()` or `read()` calls it at least every 0.3 s
    and passes on what it raises: so the loop stops a blocked source."""

    def open(self) -> SourceInfo:
        """Get ready to deliver. Raises an `EdgedError` with code and hint when that cannot be done."""
        ...

    def read(self) -> RawFrame | None:
        """The next frame; None after the last one. Raises `RetryLater` when a lasting source broke off."""
        ...

    def close(self) -> None:
        """Free everything. Harmless at any time, also twice, also after a failed `open()`."""
        ...
