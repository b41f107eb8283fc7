"""For all tests: how long a case may take, and what is too expensive to make for each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from edged.demo.render import Stage
    from edged.recognition.local.embedder import Embedder
    from edged.vision.faces import FaceReader
    from edged.vision.liveness.model import LivenessModel

pytest_plugins = ["case_length", "pytester"]


@pytest.fixture(scope="session")
def face_reader() -> FaceReader:
    """Detector, mesh, pose and occlusion of this worker. They keep nothing from one picture to the next."""
    from edged.vision.faces import FaceReader
    from edged.vision.opencv import prepare_opencv

    prepare_opencv(1)
    return FaceReader()


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    """The embedding network of this worker."""
    from edged import models
    from edged.recognition.local.embedder import Embedder

    return Embedder(models.load("face_embedding"))


@pytest.fixture(scope="session")
def liveness_model() -> LivenessModel:
    """The packaged liveness network of this worker."""
    from edged import models
    from edged.vision.liveness.model import LivenessModel

    return LivenessModel(models.load("face_liveness"))


@pytest.fixture(scope="session")
def demo_stage() -> Stage:
    """The people and the hall of the demo, cut out and painted once for a worker."""
    from edged.demo.render import prepare

    return prepare(0)
