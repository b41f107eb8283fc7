"""Process-wide settings of OpenCV, made once by the composition root."""

from __future__ import annotations

import cv2


def prepare_opencv(threads: int) -> None:
    """Limit OpenCV's own thread pool and keep its chatter off standard error.

    OpenCV 5 warns at every network it loads that a target cannot be chosen; edged never chooses one.

    Args:
        threads: for cv2.setNumThreads, at least 1.
    """
    cv2.setNumThreads(threads)
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
