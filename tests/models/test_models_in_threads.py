"""Networks are built one at a time, whichever thread wants one: OpenCV may crash or hang otherwise."""

from __future__ import annotations

import threading

import pytest

from edged import models
from edged.recognition.local.embedder import Embedder
from edged.vision.detector import FaceDetector
from edged.vision.liveness.model import LivenessModel
from edged.vision.mesh import FaceMesh

DEADLINE_S = 60
LONG_ENOUGH_S = 0.5  # ten times what building the largest takes; on a slower machine the test cannot fail


@pytest.mark.parametrize(
    ("network", "file"),
    [
        (FaceDetector, "face_detection"),
        (FaceMesh, "face_mesh"),
        (Embedder, "face_embedding"),
        (LivenessModel, "face_liveness"),
    ],
)
def test_a_network_waits_while_another_is_built(network, file):
    model, built = models.load(file), threading.Event()
    thread = threading.Thread(target=lambda: (network(model), built.set()))

    with models.ONE_NETWORK_AT_A_TIME:
        thread.start()
        early = built.wait(LONG_ENOUGH_S)

    assert not early
    assert built.wait(DEADLINE_S)
    thread.join()
