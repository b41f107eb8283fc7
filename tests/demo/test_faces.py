"""The scene keeps its word: measured with the detector, the limits and the embedding of the product."""

from __future__ import annotations

import numpy as np
import pytest

from edged.config import QualityLimits
from edged.demo import enrolments, visits
from edged.demo.photographs import read_photograph
from edged.demo.render import FPS, render

REFUSAL = {
    "blurred": "too_blurred",
    "dark": "too_dark",
    "cut_off": "face_incomplete",
    "far": "face_too_small",
}
LIMITS = QualityLimits()


class Eyes:
    """What the product sees in the scene."""

    def __init__(self, reader, embedder, stage):
        self.reader = reader
        self.embedder = embedder
        self.stage = stage
        self.enrolled = {
            person_id: self.embed(self.reader.read(read_photograph(path), LIMITS)[0])
            for person_id, (_, path) in enrolments().items()
        }

    def embed(self, reading):
        template = self.embedder.embed(reading.aligned).ravel()
        return template / np.linalg.norm(template)

    def look(self, name, time_s):
        """The reading of one person's face, or None when the detector does not see it."""
        picture = render(self.stage, round(time_s * FPS))
        pose = next(pose for pose in self.stage.script.poses(round(time_s * FPS) / FPS) if pose.name == name)
        for reading in self.reader.read(picture, LIMITS):
            x, _, width, _ = reading.detection.box
            if abs(x + width / 2 - pose.x) < pose.face_px / 2:
                return reading
        return None

    def cosines(self, reading):
        probe = self.embed(reading)
        return {person_id: float(probe @ template) for person_id, template in self.enrolled.items()}


@pytest.fixture(scope="module")
def eyes(face_reader, embedder, stage):
    return Eyes(face_reader, embedder, stage)


def _label(visit):
    return f"{visit.name.split()[1]}-{visit.outcome}"


def _good_times(visit):
    return [visit.to_s - before_s for before_s in (2.6, 2.2, 1.8, 1.4)]


GOOD = [visit for visit in visits() if visit.outcome != "refused"]
FLAWED = [visit for visit in visits() if visit.flaw]


@pytest.mark.slow
@pytest.mark.parametrize("visit", GOOD, ids=_label)
def test_standing_people_pass_every_limit(eyes, visit):
    readings = [eyes.look(visit.name, time_s) for time_s in _good_times(visit)]
    assert [reading.missed for reading in readings] == [{}] * 4


@pytest.mark.parametrize("visit", [v for v in GOOD if v.person_id], ids=_label)
def test_enrolled_people_are_like_their_enrolment_and_unlike_the_others(eyes, visit):
    cosines = eyes.cosines(eyes.look(visit.name, _good_times(visit)[1]))
    assert cosines.pop(visit.person_id) >= 0.52
    assert max(cosines.values()) < 0.35


@pytest.mark.parametrize("visit", [v for v in GOOD if not v.person_id], ids=_label)
def test_strangers_are_like_nobody(eyes, visit):
    assert max(eyes.cosines(eyes.look(visit.name, _good_times(visit)[1])).values()) < 0.35


@pytest.mark.slow
@pytest.mark.parametrize("visit", FLAWED, ids=_label)
def test_flawed_stretches_are_refused_for_their_flaw(eyes, visit):
    lasts_s = visit.flaw_ends_s - visit.from_s
    readings = [eyes.look(visit.name, visit.from_s + lasts_s * share) for share in (0.35, 0.5, 0.65, 0.8)]
    missed = [reading.missed for reading in readings if reading is not None]
    assert {} not in missed
    assert any(REFUSAL[visit.flaw] in reasons for reasons in missed)
