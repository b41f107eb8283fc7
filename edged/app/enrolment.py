"""Puts vision, embedder and library together for enrolling photographs; used by commands and demo."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edged import models
from edged.clock import Clock, SystemClock
from edged.config import Config
from edged.gallery.templates import Gallery
from edged.library.enrol import EnrolFace, Enroller
from edged.library.store import LibraryStore
from edged.recognition.local.embedder import Embedder
from edged.vision.faces import FaceReader
from edged.vision.opencv import prepare_opencv


def open_enroller(config: Config, data_dir: Path, clock: Clock | None = None) -> Enroller:
    """An enroller on the library in `data_dir`, with the quality limits of `vision.enrol_quality`.

    Close its `store` when done.

    Raises:
        EdgedError: the library cannot be opened, or a model file is damaged.
    """
    prepare_opencv(config.vision.threads)
    model = models.load("face_embedding")
    reader = FaceReader(max_faces=config.vision.max_faces)
    embedder = Embedder(model)
    limits = config.vision.enrol_quality

    def read_faces(image: np.ndarray) -> list[EnrolFace]:
        return [
            EnrolFace(
                box=reading.detection.box,
                measures=reading.measures,
                aligned=reading.aligned,
                refusals=tuple(reading.missed),
                limits=reading.missed,
            )
            for reading in reader.read(image, limits)
        ]

    store = LibraryStore.open(data_dir, clock or SystemClock())
    return Enroller(store, Gallery(model.model_id), read_faces, embedder.embed)
