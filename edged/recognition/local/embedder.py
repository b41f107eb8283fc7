"""Aligned face crop -> embedding, with the SFace network. No alignment, no search here."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from edged.errors import TryAnotherShot
from edged.models import ONE_NETWORK_AT_A_TIME, ModelFile

EMBEDDING_SIZE: Final = 128
CROP_SHAPE: Final = (112, 112, 3)


class Embedder:
    """The embedding network. One object per thread: OpenCV's networks are not thread safe.

    Args:
        model: the verified `face_embedding` file.
    """

    def __init__(self, model: ModelFile) -> None:
        self.model_id = model.model_id
        with ONE_NETWORK_AT_A_TIME:
            self._network = cv2.FaceRecognizerSF.create(
                "onnx", np.frombuffer(model.data, np.uint8), np.empty(0, np.uint8)
            )

    def embed(self, aligned: np.ndarray) -> np.ndarray:
        """Embedding of one face.

        Args:
            aligned: 112x112x3 uint8 BGR, eyes and mouth at the network's standard places.

        Returns:
            Unit vector, float32 (128,).

        Raises:
            ValueError: another shape or type.
            TryAnotherShot: the network gave no usable vector (code `embedding_invalid`).
        """
        if aligned.shape != CROP_SHAPE or aligned.dtype != np.uint8:
            raise ValueError(f"aligned must be uint8 {CROP_SHAPE}, not {aligned.dtype} {aligned.shape}")
        # feature() returns a view of memory that the next call overwrites; the division makes the copy
        raw = self._network.feature(np.ascontiguousarray(aligned)).reshape(-1)
        length = float(np.linalg.norm(raw))
        if raw.size != EMBEDDING_SIZE or not np.isfinite(length) or length < 1e-6:
            raise TryAnotherShot("The face gave no usable template.", code="embedding_invalid")
        return (raw / length).astype(np.float32)

    def warm_up(self) -> None:
        """Run once on an empty picture: the first call costs 70-100 ms more than the others."""
        self._network.feature(np.zeros(CROP_SHAPE, np.uint8))
