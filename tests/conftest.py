"""For all tests: how long a case may take, a clock, small disks, and what is too expensive for each case."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import small_disks

from edged.clock import ManualClock

if TYPE_CHECKING:
    from edged.demo.render import Stage
    from edged.recognition.local.embedder import Embedder
    from edged.vision.faces import FaceReader
    from edged.vision.liveness.model import LivenessModel

pytest_plugins = ["case_length", "pytester"]


def pytest_configure() -> None:
    """A busy machine must not fail an example by its time."""
    from hypothesis import HealthCheck, settings

    settings.register_profile("edged", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("edged")


@pytest.fixture
def clock() -> ManualClock:
    """It stands still until the test moves it."""
    return ManualClock()


@pytest.fixture
def mount_disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Makes a file system of so many megabytes. Skips the case where nothing may be mounted."""
    with ExitStack() as stack:

        def mount(megabytes: int) -> Path:
            disk = stack.enter_context(small_disks.small_disk(tmp_path / "disk", megabytes))
            if disk is None:
                pytest.skip("may not mount a file system here")
            return disk

        yield mount


@pytest.fixture
def small_disk(mount_disk: Callable[[int], Path]) -> Path:
    """A file system of one megabyte."""
    return mount_disk(1)


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


@pytest.fixture(scope="session")
def household(tmp_path_factory) -> Path:
    """A data directory whose library holds the people of the demo. To be copied: enrolling takes a second."""
    from edged.clock import SystemClock
    from edged.config import Config
    from edged.demo.people import enrol_all

    folder = tmp_path_factory.mktemp("household")
    enrol_all(Config(data_dir=folder), SystemClock(), [], scene=True)
    return folder


@pytest.fixture(scope="session")
def portrait() -> Path:
    """A photograph of jacinda_ardern of the household, as a source: one passage a second when looped."""
    from edged.demo.photographs import PHOTO_DIR

    return PHOTO_DIR / "jacinda_ardern_2.jpg"


@pytest.fixture(scope="session")
def album(tmp_path_factory, portrait) -> Path:
    """A folder of that photograph, as a source: a passage a second for ten minutes."""
    folder = tmp_path_factory.mktemp("album")
    for number in range(600):
        (folder / f"{number:03}.jpg").symlink_to(portrait)
    return folder
