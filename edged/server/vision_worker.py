"""Networks of one thread: from a picture to measured faces, templates and liveness. No requests."""

from __future__ import annotations

from hashlib import blake2b

import cv2
import numpy as np

from edged import models
from edged.errors import TryAnotherShot
from edged.pictures import decode_picture, read_header
from edged.recognition.local.embedder import Embedder
from edged.server.replies import ApiError
from edged.vision.detector import Detection
from edged.vision.faces import FaceReader, FaceReading
from edged.vision.liveness.model import LivenessModel

MAX_FACES = 20
"""Most faces any call returns (docs/reference/face-api.md 6.2)."""

_FORMATS = frozenset({"jpeg", "png", "bmp"})


class FaceNetworks:
    """All networks of one worker thread. Construction reads and verifies the model files, which takes half a
    second."""

    def __init__(self) -> None:
        self._reader = FaceReader(max_faces=MAX_FACES)
        self._embedder = Embedder(models.load("face_embedding"))
        self._liveness = LivenessModel(models.load("face_liveness"))

    @property
    def model_id(self) -> str:
        """The embedding model of the templates."""
        return self._embedder.model_id

    def warm_up(self) -> None:
        """Run every network once: the first run of each is ten times slower."""
        self._reader.warm_up()
        self._embedder.warm_up()

    def find(self, image: np.ndarray, *, central_first: bool = False) -> list[Detection]:
        """Every face of `image` (HxWx3 uint8 BGR), largest first or nearest to its centre first."""
        found = self._reader.find(image)
        if central_first:
            found.sort(key=lambda face: _off_centre(image, face))
        return found

    def measure(self, image: np.ndarray, face: Detection) -> FaceReading:
        """Mesh, pose and quality of one face."""
        return self._reader.measure(image, face)

    def liveness(self, image: np.ndarray, face: Detection) -> float:
        """Liveness of one face of one picture by the packaged network, 0..1. Weak: docs/liveness.md."""
        return self._liveness.score(image, face.box)

    def embed(self, aligned: np.ndarray) -> np.ndarray:
        """Unit template, float32 (128,), of a 112x112 crop. Raises ApiError 222301 when there is none."""
        try:
            return self._embedder.embed(aligned)
        except TryAnotherShot as error:
            raise ApiError(222301) from error


def warm_networks() -> FaceNetworks:
    """A new set of networks, warmed up."""
    networks = FaceNetworks()
    networks.warm_up()
    return networks


def decode(data: bytes, largest_side_px: int) -> np.ndarray:
    """A submitted picture file as HxWx3 uint8 BGR; checks its header before unpacking it.

    Raises:
        ApiError: 222203 it is no picture, damaged, or in a format the cloud does not take; 222304 too large.
    """
    try:
        header = read_header(data)
        if header.format not in _FORMATS:
            raise ApiError(222203)
        if max(header.width, header.height) > largest_side_px:
            raise ApiError(222304)
        return decode_picture(data)
    except TryAnotherShot as error:
        raise ApiError(222304 if error.code == "picture_too_large" else 222203) from error


def token_of(appid: str, data: bytes, face: Detection) -> str:
    """32 hexadecimal digits; always the same for one face of one picture and one application."""
    where = ",".join(f"{value:.0f}" for value in face.box)
    return blake2b(blake2b(data).digest() + where.encode(), digest_size=16, key=appid.encode()).hexdigest()


def crop_jpeg(image: np.ndarray, face: Detection) -> bytes:
    """The face with half of its size around it, as JPEG."""
    x, y, width, height = face.box
    left, top = max(0, int(x - width / 4)), max(0, int(y - height / 4))
    crop = image[top : int(y + height * 1.25) + 1, left : int(x + width * 1.25) + 1]
    return cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()


def _off_centre(image: np.ndarray, face: Detection) -> float:
    x, y, width, height = face.box
    rows, columns = image.shape[:2]
    return float(np.hypot(x + width / 2 - columns / 2, y + height / 2 - rows / 2))
