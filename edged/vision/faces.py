"""Measures the faces of one picture: detector, mesh, pose, occlusion and quality put together.

The analyser calls it stage by stage for frames; enrolment and inspection call `read` for still pictures.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edged import models
from edged.config import QualityLimits
from edged.events import Measures
from edged.vision import quality
from edged.vision.align import align
from edged.vision.detector import CERTAIN_SCORE, Detection, FaceDetector, scale_for
from edged.vision.mesh import FaceMesh, Mesh
from edged.vision.occlusion import OcclusionEstimator
from edged.vision.pose import PoseEstimator

MIN_PRESENCE = 0.5
"""Least presence of a mesh whose points count, 0..1."""

STILL_SIDE = 1280
"""Longer side at which still pictures are searched first: it finds faces that are too small, so that their
refusal names the reason."""


@dataclass(frozen=True)
class FaceReading:
    """One face of a picture, fully measured.

    Attributes:
        detection: box, five points, score.
        mesh: the fitted mesh; None below `MIN_PRESENCE`.
        measures: all numbers that have limits.
        aligned: 112x112x3 uint8 BGR.
        missed: reason codes with the limits missed, deciding one first; empty when the face is good.
    """

    detection: Detection
    mesh: Mesh | None
    measures: Measures
    aligned: np.ndarray
    missed: dict[str, float]


class FaceReader:
    """Detector, mesh, pose and occlusion of one thread. Call `warm_up` before the first frame."""

    def __init__(self, *, max_faces: int = 10) -> None:
        self._detector = FaceDetector(models.load("face_detection"), max_faces=max_faces)
        self._mesh = FaceMesh(models.load("face_mesh"))
        self._pose = PoseEstimator(models.load("face_geometry"))
        self._occlusion = OcclusionEstimator(models.load("face_occlusion"))

    def warm_up(self) -> None:
        """Run every network once: the first run of each is ten times slower."""
        grey = np.full((360, 640, 3), 128, np.uint8)
        self._detector.detect(grey)
        points = np.array([[300, 150], [340, 150], [320, 175], [305, 195], [335, 195]], np.float32)
        self.measure(grey, Detection((280, 100, 80, 120), points, 1.0))

    def detect(
        self, image: np.ndarray, *, min_face_px: float, min_score: float = CERTAIN_SCORE
    ) -> list[Detection]:
        """Faces of a frame (HxWx3 uint8 BGR), largest first, surely those of `min_face_px` and more.

        Args:
            min_score: FAINT_SCORE for a tracker, which may go on with a face that is turning away.
        """
        return self._detector.detect(image, scale=scale_for(min_face_px), min_score=min_score)

    def measure(self, image: np.ndarray, face: Detection) -> FaceReading:
        """Fit the mesh and take every measure. `missed` stays empty: the caller applies its limits."""
        mesh = self._mesh.fit(image, face)
        believed = mesh.presence >= MIN_PRESENCE and bool(np.isfinite(mesh.points).all())
        points = mesh.five_points() if believed else face.points
        aligned = align(image, points)
        height, width = image.shape[:2]
        yaw, pitch, roll = self._pose.angles(mesh.points) if believed else (None, None, None)
        outline = mesh.outline() if believed else _corners(face.box)
        measures = Measures(
            face_px=face.face_px,
            detection=face.score,
            yaw_deg=yaw,
            pitch_deg=pitch,
            roll_deg=roll,
            blur=quality.blur(aligned),
            illumination=quality.illumination(aligned),
            completeness=quality.completeness(outline, width, height),
            unevenness=quality.unevenness(aligned),
            occlusion=self._occlusion.parts(image, mesh) if believed else None,
        )
        return FaceReading(face, mesh if believed else None, measures, aligned, {})

    def find(self, image: np.ndarray) -> list[Detection]:
        """Every face of a still picture (HxWx3 uint8 BGR), largest first, searched at up to 1280 px."""
        return self._detector.find(image, STILL_SIDE)

    def read(self, image: np.ndarray, limits: QualityLimits) -> list[FaceReading]:
        """Find and measure every face of a still picture (HxWx3 uint8 BGR), largest first; see `find`."""
        readings = [self.measure(image, face) for face in self.find(image)]
        return [
            FaceReading(r.detection, r.mesh, r.measures, r.aligned, quality.refusals(r.measures, limits))
            for r in readings
        ]


def _corners(box: tuple[float, float, float, float]) -> np.ndarray:
    x, y, width, height = box
    return np.array([[x, y], [x + width, y], [x, y + height], [x + width, y + height]])
