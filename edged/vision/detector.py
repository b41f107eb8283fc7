"""Finding faces in a picture: YuNet on a copy scaled down as far as the smallest wanted face allows."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from edged.models import ONE_NETWORK_AT_A_TIME, ModelFile

SMALLEST_DETECTED_PX = 40
"""Width in the detector's input of the smallest wanted face. Frontal faces are found down to 24 px;
at 40 px also those tilted by 25 degrees, and boxes are a fifth steadier than at 32 (docs/tracking.md)."""

CERTAIN_SCORE = 0.6
"""Confidence from which a detection counts as a face by itself: the measured choice. OpenCV's own 0.9 loses
half of the small faces (docs/reference/models.md 3)."""

FAINT_SCORE = 0.35
"""Confidence down to which a detection may continue a track that is there already: a face that turns away."""

LARGEST_DETECTED_PX = 400
"""Width in the detector's input up to which boxes fit. Overlap with the right box is .90 at 320 px, .85 at
400, .63 at 560 (24 press photographs, enlarged): a part of the face is taken for all of it."""

MAX_INPUT_SIDE = 1920
_COARSE_SIDE = 400
_NMS_OVERLAP = 0.3
_CANDIDATES = 500


@dataclass(frozen=True)
class Detection:
    """One face, in pixels of the searched picture.

    Attributes:
        box: x, y, width, height; may reach beyond the picture.
        points: 5x2 float32: eyes, nose tip, mouth corners, the one on the image's left first.
        score: 0..1.
    """

    box: tuple[float, float, float, float]
    points: np.ndarray
    score: float

    @property
    def face_px(self) -> float:
        """Smaller side of the box: "width and height >= 100" is the documented rule."""
        return min(self.box[2], self.box[3])

    @property
    def faint(self) -> bool:
        """Below `CERTAIN_SCORE`: may continue a track, never begin one."""
        return self.score < CERTAIN_SCORE


class FaceDetector:
    """YuNet. Not safe to share between threads: make one per thread.

    Args:
        model: the file named `face_detection`.
        min_score: least confidence of a reported face, 0..1; a call may set its own.
        max_faces: most faces in an answer: sure ones before faint ones, the largest first.
    """

    def __init__(self, model: ModelFile, *, min_score: float = CERTAIN_SCORE, max_faces: int = 10) -> None:
        buffer = np.frombuffer(model.data, np.uint8)
        with ONE_NETWORK_AT_A_TIME:
            self._net = cv2.FaceDetectorYN.create(
                "onnx", buffer, np.empty(0, np.uint8), (320, 320), min_score, _NMS_OVERLAP, _CANDIDATES
            )
        self._min_score = min_score
        self._max_faces = max_faces

    def detect(
        self, image: np.ndarray, *, scale: float = 1.0, min_score: float | None = None
    ) -> list[Detection]:
        """Faces in `image` (HxWx3 uint8 BGR), largest first.

        Args:
            scale: share (0..1] to which the search shrinks the picture; see `scale_for`.
            min_score: for this call; FAINT_SCORE for a tracker, which looks at `Detection.faint`.
        """
        self._net.setScoreThreshold(self._min_score if min_score is None else min_score)
        scale = min(scale, 1.0, MAX_INPUT_SIDE / max(image.shape[:2]))
        return self._largest(self._look(_scaled(image, scale), image))

    def find(self, image: np.ndarray, side: int) -> list[Detection]:
        """Faces of a still picture (HxWx3 uint8 BGR) of any size in it, largest first.

        Two looks: one at up to `side` px, and a coarse one for the faces that are too large there.
        """
        self._net.setScoreThreshold(self._min_score)
        small = _scaled(image, side / max(image.shape[:2]))
        found = self._look(small, image)
        if min(small.shape[:2]) > LARGEST_DETECTED_PX:
            too_large = LARGEST_DETECTED_PX * image.shape[1] / small.shape[1]
            coarse = self._look(_scaled(small, _COARSE_SIDE / max(small.shape[:2])), image)
            near = [face for face in coarse if face.box[2] > too_large]
            found = near + [face for face in found if not any(_within(face, one) for one in near)]
        return self._largest(found)

    def _largest(self, found: list[Detection]) -> list[Detection]:
        found.sort(key=lambda d: (d.faint, -d.box[2] * d.box[3]))
        return sorted(found[: self._max_faces], key=lambda d: -d.box[2] * d.box[3])

    def _look(self, small: np.ndarray, image: np.ndarray) -> list[Detection]:
        """Faces in a scaled copy of `image`, in pixels of `image`, in no order."""
        self._net.setInputSize(small.shape[1::-1])
        _, rows = self._net.detect(small)
        if rows is None:
            return []
        zoom = np.array([image.shape[1] / small.shape[1], image.shape[0] / small.shape[0]], np.float32)
        found = [_detection(row, zoom) for row in rows if np.isfinite(row).all()]
        return [d for d in found if d.box[2] > 0 and d.box[3] > 0]


def scale_for(min_face_px: float) -> float:
    """Smallest share (0..1] of a picture in which the detector surely finds a face of `min_face_px`."""
    return min(1.0, SMALLEST_DETECTED_PX / min_face_px)


def _scaled(image: np.ndarray, scale: float) -> np.ndarray:
    """`image` itself when `scale` is 1; never without a pixel."""
    size = tuple(max(1, round(side * scale)) for side in image.shape[1::-1])
    return image if scale >= 1.0 else cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)


def _within(face: Detection, other: Detection) -> bool:
    """Whether the middle of a face lies in the box of another one."""
    x, y, width, height = face.box
    left, top, wide, high = other.box
    return 0 <= x + width / 2 - left <= wide and 0 <= y + height / 2 - top <= high


def _detection(row: np.ndarray, zoom: np.ndarray) -> Detection:
    x, y, width, height = row[:4] * np.tile(zoom, 2)
    return Detection(
        box=(float(x), float(y), float(width), float(height)),
        points=(row[4:14].reshape(5, 2) * zoom).astype(np.float32),
        score=float(row[14]),
    )
