"""Decides whether to search a frame for faces: by movement, open tracks and elapsed time.

Looks at every sixteenth pixel or so, which costs next to nothing. Finds no faces itself.
"""

from __future__ import annotations

import cv2
import numpy as np

SMALL = (80, 45)
"""Width and height of the copy that is compared."""

BLOCK = 5
"""Side of a block, whose mean is compared: 80 pixels of a 1280-pixel picture, a face at the door."""

NOISE_FACTOR = 6.0
"""A block has changed when it differs by more than this many times its usual difference: 4.8 standard
deviations, because there are 144 blocks 25 times a second."""

LEAST_CHANGE = 2.0
"""Grey levels below which a difference is never a change: rounding, compression."""

_NOISE_SHARE = 0.05
_NOISE_START = 1.0


class ChangeDetector:
    """Compares a frame with the reference frame, block by block.

    Each block has its own usual difference as the yardstick, so that a noisy camera, a flickering lamp or a
    tree in the window cease to count as changes.
    """

    def __init__(self) -> None:
        self._kept: np.ndarray | None = None
        self._shape: tuple[int, ...] = ()
        self._noise: np.ndarray | None = None

    def changed(self, image: np.ndarray) -> bool:
        """Whether `image` (HxWx3 uint8 BGR) differs from the reference frame; a new size does."""
        blocks = _blocks(image)
        if self._kept is None or self._noise is None or image.shape != self._shape:
            self._start(image, blocks)
            return True
        difference = np.abs(blocks - self._kept)
        moved = difference > np.maximum(LEAST_CHANGE, NOISE_FACTOR * self._noise)
        quiet = _NOISE_SHARE * (np.minimum(difference, 4 * self._noise + 1) - self._noise)
        self._noise += quiet
        return bool(moved.any())

    def keep(self, image: np.ndarray) -> None:
        """Make `image` the reference frame."""
        if image.shape != self._shape or self._noise is None:
            self._start(image, _blocks(image))
        else:
            self._kept = _blocks(image)

    def _start(self, image: np.ndarray, blocks: np.ndarray) -> None:
        self._kept, self._shape = blocks, image.shape
        self._noise = np.full(blocks.shape, _NOISE_START, np.float32)


class DetectionPacer:
    """Decides for each frame whether the detector searches it.

    Args:
        idle_recheck_s: longest time between two searches while nothing moves and no track is open. 0: search
            every frame.
        interval_s: time between two searches while a track is open; 0: every frame, which tracks best.
    """

    def __init__(self, idle_recheck_s: float, interval_s: float = 0.0) -> None:
        self._idle_recheck_s = idle_recheck_s
        self._interval_s = interval_s
        self._change = ChangeDetector()
        self._looked_s = float("-inf")

    def due(self, image: np.ndarray, now_s: float, *, followed: bool) -> bool:
        """Whether to search `image` (HxWx3 uint8 BGR), captured at `now_s` (monotonic seconds).

        Args:
            followed: the tracker holds a track, a tentative or lost one too.
        """
        since_s = now_s - self._looked_s
        if followed:
            due = since_s >= self._interval_s
        else:
            due = since_s >= self._idle_recheck_s or self._change.changed(image)
        if due:
            self._looked_s = now_s
            if not followed:
                self._change.keep(image)
        return due

    def restart(self) -> None:
        """Search the next frame: the picture was cut."""
        self._looked_s = float("-inf")


def _blocks(image: np.ndarray) -> np.ndarray:
    """Mean grey level of each block, 9x16 float32."""
    grey = cv2.cvtColor(cv2.resize(image, SMALL, interpolation=cv2.INTER_LINEAR), cv2.COLOR_BGR2GRAY)
    size = (SMALL[0] // BLOCK, SMALL[1] // BLOCK)
    return cv2.resize(grey, size, interpolation=cv2.INTER_AREA).astype(np.float32)
