"""Process-wide settings of OpenCV and memory, which the composition root makes once."""

from __future__ import annotations

import ctypes

import cv2

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h of the GNU C library

LARGEST_KEPT_BYTES = 8 * 1024 * 1024
"""Largest freed block that stays for the next one: a picture of 1920x1080 has 6.2 MB."""


def prepare_opencv(threads: int) -> None:
    """Limit OpenCV's own thread pool, keep its chatter off standard error, and give large blocks back.

    OpenCV 5 warns at every network it loads that a target cannot be chosen; edged never chooses one.

    Args:
        threads: for cv2.setNumThreads, at least 1.
    """
    cv2.setNumThreads(threads)
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
    give_large_blocks_back()


def give_large_blocks_back() -> bool:
    """Give memory that loading a model took for a moment back to the system. False without glibc.

    Left alone, the GNU C library stops mapping large blocks one by one once it has seen one freed, and cuts
    them from heaps that never shrink: 80 MB of a daemon with 50,000 faces were such holes (measured).
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:  # another C library, which has its own ways
        return False
    mapped = mallopt(_M_MMAP_THRESHOLD, LARGEST_KEPT_BYTES)
    return bool(mapped and mallopt(_M_TRIM_THRESHOLD, 2 * LARGEST_KEPT_BYTES))
