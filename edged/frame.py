"""One picture of the camera with its times. Where it comes from is not its business."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture, upright and mirrored as configured.

    Attributes:
        image: height x width x 3 uint8 BGR. Not to be written to: held pictures share it between frames.
        number: counts every frame read since the capture loop started, from 1; gaps are dropped frames.
        captured_s: monotonic time at which the picture left the camera (a file: was released), seconds.
        captured_at: the same moment as wall time, aware UTC.
        cut: the picture does not continue the one before (first frame, new still picture, reconnect,
            file played again): whoever follows things from frame to frame must start over.
    """

    image: np.ndarray
    number: int
    captured_s: float
    captured_at: datetime
    cut: bool = False
