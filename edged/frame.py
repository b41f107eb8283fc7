"""One picture of the camera with its times. No camera here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture, upright and mirrored as configured.

    Attributes:
        image: height x width x 3 uint8 BGR. Read-only: held pictures share it between frames.
        number: counts every frame read since the capture loop started, from 1; gaps are dropped frames.
        captured_s: monotonic time at which the picture left the camera (a file: its release), seconds.
        captured_at: the same moment as wall time, aware UTC.
        cut: the picture does not continue the one before (first frame, new still picture, reconnect,
            file played again): a tracker must start over.
    """

    image: np.ndarray
    number: int
    captured_s: float
    captured_at: datetime
    cut: bool = False
