"""Recorded live people and replays beside the project: what the documented figures rest on."""

import cv2
import pytest
from places import MEDIA

from edged.vision.faces import FaceReader
from edged.vision.liveness.fusion import LivenessTrack, LivenessVerdict
from edged.vision.liveness.look import BORDER_EVERY, look
from edged.vision.liveness.model import LivenessModel

FRAMES = 30

pytestmark = [
    pytest.mark.slow,
    pytest.mark.media,
    pytest.mark.skipif(not (MEDIA / "spoof").is_dir(), reason="no recordings beside the project"),
]


@pytest.fixture(scope="module")
def instruments(face_reader, liveness_model) -> tuple[FaceReader, LivenessModel]:
    return face_reader, liveness_model


def verdict_on(
    name: str, instruments: tuple[FaceReader, LivenessModel], threshold: float = 0.3
) -> LivenessVerdict:
    """Every third of the first 90 frames."""
    reader, model = instruments
    video, track, seen = cv2.VideoCapture(str(MEDIA / name)), LivenessTrack(), 0
    for index in range(3 * FRAMES):
        known, image = video.read()
        if not known:
            break
        if index % 3:
            continue
        faces = reader.detect(image, min_face_px=60)
        if faces:
            mesh = reader.measure(image, faces[0]).mesh
            border = seen % BORDER_EVERY == 0
            track.add(look(model, image, faces[0], mesh, at_s=index / 30, with_border=border))
            seen += 1
    return track.verdict(threshold)


@pytest.mark.parametrize("name", ["spoof/fake_man.mp4", "spoof/fake_lestari.mp4"])
def test_a_replay_on_a_phone_is_denied_with_a_reason(name, instruments):
    verdict = verdict_on(name, instruments)
    assert verdict.decided
    assert not verdict.passed
    assert verdict.suspicion


@pytest.mark.parametrize(
    "name",
    [
        "videos/person-thanks.mkv",
        "videos/person-student.mkv",
        "spoof/real_krz.mp4",
    ],
)
def test_a_living_person_in_usable_light_passes(name, instruments):
    verdict = verdict_on(name, instruments)
    assert verdict.passed
    assert verdict.suspicion == ()


def test_the_known_failure_is_still_one_and_is_documented(instruments):
    """A live person in poor light is refused at .5; once accepted, correct docs/liveness.md."""
    assert not verdict_on("spoof/real_lestari.mp4", instruments, threshold=0.5).passed
