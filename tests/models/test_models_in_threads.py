"""Networks are built one at a time, whichever thread wants one: OpenCV may crash or hang otherwise."""

from __future__ import annotations

import queue
import threading

import pytest

from edged import models
from edged.recognition.local.embedder import Embedder
from edged.vision.detector import FaceDetector
from edged.vision.liveness.model import LivenessModel
from edged.vision.mesh import FaceMesh

DEADLINE_S = 60
LONG_ENOUGH_S = 0.5  # ten times what building the largest takes; on a slower machine the test cannot fail


NETWORKS = {
    "face_detection": FaceDetector,
    "face_mesh": FaceMesh,
    "face_embedding": Embedder,
    "face_liveness": LivenessModel,
}


def test_every_network_waits_while_another_is_built():
    built: queue.SimpleQueue[str] = queue.SimpleQueue()

    def build(name: str) -> None:
        NETWORKS[name](models.load(name))
        built.put(name)

    threads = [threading.Thread(target=build, args=(name,), daemon=True) for name in NETWORKS]
    with models.ONE_NETWORK_AT_A_TIME:
        for thread in threads:
            thread.start()
        with pytest.raises(queue.Empty):
            built.get(timeout=LONG_ENOUGH_S)

    assert {built.get(timeout=DEADLINE_S) for _ in NETWORKS} == set(NETWORKS)
