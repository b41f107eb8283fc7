"""Measures of one frame for liveness: the network and the cues of a single picture."""

from __future__ import annotations

import numpy as np

from edged.vision.detector import Detection
from edged.vision.liveness import surface
from edged.vision.liveness.fusion import LivenessFrame
from edged.vision.liveness.model import LivenessModel
from edged.vision.mesh import Mesh

BORDER_EVERY = 3
"""Frames from one search for a border to the next: it costs twice as much as the network."""


def look(
    model: LivenessModel,
    image: np.ndarray,
    face: Detection,
    mesh: Mesh | None,
    *,
    at_s: float,
    with_border: bool = True,
) -> LivenessFrame:
    """Measure one face of one frame for `LivenessTrack.add`.

    Args:
        image: HxWx3 uint8 BGR, the whole frame.
        mesh: None without a reliable one.
        at_s: monotonic capture time, seconds.
        with_border: look for a device's border; see `BORDER_EVERY`.
    """
    return LivenessFrame(
        at_s=at_s,
        model_score=model.score(image, face.box),
        border=surface.device_border(image, face) if with_border else None,
        moire_db=surface.moire_peak(image, face),
        points=mesh.points if mesh is not None else None,
    )
