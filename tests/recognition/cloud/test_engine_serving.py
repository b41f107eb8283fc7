"""The cloud engine against edged's own server: real photographs, a real detector on the other side."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from serving import serving

from edged.clock import SystemClock
from edged.config.recognition_section import CloudConfig
from edged.demo.photographs import PHOTO_DIR
from edged.events import Measures, ShotChosen
from edged.faceapi.client.face_cloud import build_client
from edged.faceapi.governor.admission import Unlimited
from edged.recognition.cloud.engine import CloudEngine
from edged.recognition.protocol import Identification, Question
from edged.vision.align import surroundings
from edged.vision.faces import FaceReader
from edged.vision.visitor import SIDES_OVER_FACE

CLOCK = SystemClock()
ENROLLED = ["barack_obama", "emmanuel_macron", "jacinda_ardern"]


@pytest.fixture(scope="module", params=["online", "private"])
def engine(request, tmp_path_factory):
    """An engine that asks a server with three people, in either dialect."""
    with serving(tmp_path_factory.mktemp("server")) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGED_CLOUD_API_KEY", server.keys["default"].api_key)
        patch.setenv("EDGED_CLOUD_SECRET_KEY", server.keys["default"].secret_key)
        config = CloudConfig(
            url=server.url,
            dialect=request.param,
            groups=["staff"],
            liveness_control="NONE",  # these are photographs
            read_timeout_s=30.0,  # real networks on a busy machine
        )
        client = build_client(config, CLOCK, governor=Unlimited(), data_dir=None)
        client.group_add("staff")
        for person in ENROLLED:
            client.user_add((PHOTO_DIR / f"{person}_1.jpg").read_bytes(), "staff", person)
        yield CloudEngine(client, config, CLOCK, max_age_s=60.0, resolve=lambda user_id: user_id)
        client.close()


def question(face_reader: FaceReader, file_name: str) -> Question:
    image = cv2.imread(str(PHOTO_DIR / file_name))
    box = max((face.box for face in face_reader.detect(image, min_face_px=50)), key=lambda box: box[2])
    picture, face_box = surroundings(image, box, enlarge=SIDES_OVER_FACE)
    return Question(
        ShotChosen(
            at=CLOCK.now(),
            passage_id=file_name,
            track_id=1,
            shot_number=1,
            frame_number=1,
            captured_s=CLOCK.monotonic(),
            quality=0.8,
            measures=Measures(face_px=120, detection=0.9),
            aligned=np.zeros((112, 112, 3), np.uint8),
            picture=picture,
            face_box=face_box,
        )
    )


def named(answer) -> str | None:
    assert isinstance(answer, Identification), answer
    return answer.matches[0].person_id if answer.matches else None


@pytest.mark.parametrize("person", ENROLLED)
def test_another_photograph_of_somebody_enrolled_is_them(engine, face_reader, person):
    (answer,) = engine.identify_batch([question(face_reader, f"{person}_2.jpg")])
    assert named(answer) == person
    assert answer.matches[0].score >= 80


def test_a_stranger_is_nobody(engine, face_reader):
    assert named(engine.identify_batch([question(face_reader, "rishi_sunak.jpg")])[0]) is None


def test_people_who_come_together_are_told_apart_in_one_picture(engine, face_reader):
    files = ["jacinda_ardern_2.jpg", "rishi_sunak.jpg", "barack_obama_2.jpg", "emmanuel_macron_2.jpg"]
    answers = engine.identify_batch([question(face_reader, name) for name in files])
    assert [named(answer) for answer in answers] == [
        "jacinda_ardern",
        None,
        "barack_obama",
        "emmanuel_macron",
    ]
