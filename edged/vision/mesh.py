"""Fits the 468-point face mesh and reads eyes, outline and alignment points off it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from edged.models import ONE_NETWORK_AT_A_TIME, ModelFile
from edged.vision.align import similarity
from edged.vision.detector import Detection

INPUT_SIDE = 192
CROP_SCALE = 1.2
"""Side of the square crop over the larger side of the box. Measured in docs/pose.md: 1.1 to 1.3 do as well,
1.5 adds half to the jitter and doubles the difference between a picture and its mirror image."""

LEVEL_DEG = 5.0
"""A mesh whose eyes are further than this from level in the crop is fitted once more in a crop turned to
them: the network shows only part of the tilt that is left in a crop. 2 to 5 do as well (docs/pose.md)."""

_EYE_CORNERS = ((33, 133), (362, 263))
_NOSE_TIP = 4
_MOUTH_CORNERS = (61, 291)
_EYES_AND_MOUTH = (0, 1, 3, 4)
OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
"""Points of the face outline, clockwise from the forehead."""


@dataclass(frozen=True)
class Mesh:
    """A fitted mesh.

    Attributes:
        points: 468x3 float64: x, y in pixels of the picture, z on the same scale, smaller is nearer.
        presence: the model's confidence that the crop holds a face, 0..1.
    """

    points: np.ndarray
    presence: float

    def five_points(self) -> np.ndarray:
        """5x2 float32: eye centres, nose tip, mouth corners, as the embedder's alignment wants them."""
        xy = self.points[:, :2]
        eyes = [xy[list(corners)].mean(axis=0) for corners in _EYE_CORNERS]
        return np.array([*eyes, xy[_NOSE_TIP], *xy[list(_MOUTH_CORNERS)]], np.float32)

    def outline(self) -> np.ndarray:
        """36x2: the face oval."""
        return self.points[list(OVAL), :2]


class FaceMesh:
    """MediaPipe's face mesh in OpenCV. Not safe to share between threads: make one per thread.

    Loads by file name and with the classic engine: OpenCV 5's new engine gives only one of the two outputs,
    and the overload that takes bytes ignores the choice of an engine.
    """

    def __init__(self, model: ModelFile) -> None:
        with ONE_NETWORK_AT_A_TIME:
            self._net = cv2.dnn.readNetFromTFLite(str(model.path), cv2.dnn.ENGINE_CLASSIC)

    def fit(self, image: np.ndarray, face: Detection) -> Mesh:
        """Fit the mesh to one detected face of `image` (HxWx3 uint8 BGR); a tilted head takes two looks."""
        mesh, askew_deg = self._look(image, _crop_transform(face))
        if mesh.presence > 0.5 and abs(askew_deg) > LEVEL_DEG:
            mesh, _ = self._look(image, _crop_transform(face, further_deg=askew_deg))
        return mesh

    def _look(self, image: np.ndarray, to_crop: np.ndarray) -> tuple[Mesh, float]:
        """The mesh seen through one crop, and by how many degrees the eyes in the crop are not level."""
        crop = cv2.warpAffine(image, to_crop, (INPUT_SIDE, INPUT_SIDE), flags=cv2.INTER_LINEAR)
        self._net.setInput(cv2.dnn.blobFromImage(crop, 1 / 255.0, swapRB=True))
        landmarks, presence = self._net.forward(["conv2d_20", "conv2d_30"])
        from_crop = cv2.invertAffineTransform(to_crop)
        raw = landmarks.reshape(468, 3).astype(np.float64)
        zoom = np.sqrt(abs(np.linalg.det(from_crop[:, :2])))
        xy = raw[:, :2] @ from_crop[:, :2].T + from_crop[:, 2]
        logit = float(np.clip(presence.ravel()[0], -50, 50))
        left, right = (raw[list(corners), :2].mean(axis=0) for corners in _EYE_CORNERS)
        askew_deg = float(np.degrees(np.arctan2(*(right - left)[::-1])))
        return Mesh(np.column_stack([xy, raw[:, 2] * zoom]), 1 / (1 + np.exp(-logit))), askew_deg


def _crop_transform(face: Detection, *, further_deg: float = 0.0) -> np.ndarray:
    """2x3: picture -> square crop around eyes and mouth, level by all five points, or turned `further_deg`.

    Takes only the size from the box, whose place leans to one side, and no roll from the line between the
    eyes, which shows too little of it. The mesh leans when the crop is off.
    """
    centre = tuple(float(value) for value in face.points[list(_EYES_AND_MOUTH)].mean(axis=0))
    side = CROP_SCALE * max(face.box[2:])
    level = similarity(face.points)
    roll_deg = float(np.degrees(np.arctan2(level[0, 1], level[0, 0])))
    transform: np.ndarray = cv2.getRotationMatrix2D(centre, roll_deg + further_deg, INPUT_SIDE / side)
    transform[:, 2] += np.array([INPUT_SIDE / 2, INPUT_SIDE / 2]) - centre
    return transform
