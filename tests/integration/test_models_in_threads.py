"""Networks can be built in several threads at once: every camera and every worker of a server does so."""

from __future__ import annotations

import subprocess
import sys

# in a process of its own, as what goes wrong ends a process or lets it turn for ever
_BUILD = """
from concurrent.futures import ThreadPoolExecutor
from edged import models
from edged.recognition.local.embedder import Embedder
from edged.vision.faces import FaceReader
from edged.vision.liveness.model import LivenessModel

def build(_):
    return FaceReader(), LivenessModel(models.load("face_liveness")), Embedder(models.load("face_embedding"))

with ThreadPoolExecutor(4) as threads:
    print(len(list(threads.map(build, range(8)))))
"""


def test_networks_are_built_in_four_threads_at_once():
    done = subprocess.run(
        [sys.executable, "-c", _BUILD], capture_output=True, text=True, timeout=90, check=False
    )
    assert (done.returncode, done.stdout) == (0, "8\n"), done.stderr
