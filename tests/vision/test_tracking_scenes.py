"""Identities in scenes where it is known who is who: boxes, and the demo's people in pictures.

The bounds leave room above what is measured (docs/tracking.md); scripts/evaluate-tracking prints the figures.
"""

import cv2
import numpy as np
import pytest
from tracking_pictures import CROSSINGS, shown, stages
from tracking_scenes import Faults, Score, play

from edged import models
from edged.demo.render import FPS, render
from edged.vision.appearance import look
from edged.vision.detector import FAINT_SCORE, FaceDetector
from edged.vision.opencv import prepare_opencv
from edged.vision.tracker import Tracker

PERFECT = Faults(miss=0, burst=0, turn=0, noise=0, false=0)


def track(sights):
    """Per frame: who was visible, and whom each track showed."""
    tracker, history = Tracker(lost_after_s=1.0), []
    for sight in sights:
        who = dict(zip(map(id, sight.detections), sight.people, strict=True))
        tracked = tracker.update(sight.detections, sight.time_s, sight.looks)
        history.append((sight.visible, {t.track_id: who[id(t.detection)] for t in tracked.seen}))
    return history


def score(kind, seeds, **how):
    result = Score()
    for seed in seeds:
        result.add(track(play(kind, seed, **how)))
    return result


FEW = range(4)
MANY = pytest.param(range(12), marks=pytest.mark.slow)


@pytest.mark.parametrize("seeds", [FEW, MANY], ids=["few", "many"])
@pytest.mark.parametrize(
    ("kind", "idf1", "takeovers", "fragments"),
    [
        ("crossing", 0.80, 1, 8),
        ("passing", 0.80, 1, 8),
        ("queue", 0.80, 1, 8),
        ("exchange", 0.80, 1, 4),
        ("five people", 0.65, 10, 60),
    ],
)
def test_ids_stay_with_their_people(kind, idf1, takeovers, fragments, seeds):
    result = score(kind, seeds)
    assert result.idf1 >= idf1
    assert result.takeovers <= takeovers
    assert result.fragments <= fragments


@pytest.mark.parametrize("seeds", [FEW, MANY], ids=["few", "many"])
def test_looking_at_every_third_frame_still_keeps_people_apart(seeds):
    result = score("crossing", seeds, every=3)
    assert result.takeovers <= 1
    assert result.idf1 >= 0.75


@pytest.mark.parametrize("kind", ["crossing", "passing", "exchange"])
@pytest.mark.parametrize("seeds", [FEW, MANY], ids=["few", "many"])
def test_a_detector_without_faults_gives_ids_without_faults(kind, seeds):
    result = score(kind, seeds, faults=PERFECT)
    assert result.takeovers == 0
    assert result.idf1 >= 0.9


@pytest.mark.slow
def test_fifty_people_are_survived():
    assert score("fifty people", [0]).takeovers <= 40


def test_the_same_seed_is_the_same_scene():
    first, second = (play("queue", 3) for _ in range(2))
    assert [s.people for s in first] == [s.people for s in second]
    assert [s.time_s for s in first] == [s.time_s for s in second]


@pytest.fixture(scope="module")
def crossings(demo_stage):
    prepare_opencv(1)
    return stages(demo_stage)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [name if name == "crossing" else pytest.param(name, marks=pytest.mark.slow) for name in CROSSINGS],
)
def test_nobody_inherits_a_track_in_pictures_of_people_who_cross(crossings, name):
    stage, tracker, history = crossings[name], Tracker(lost_after_s=1.0), []
    detector = FaceDetector(models.load("face_detection"))
    for number in range(0, stage.frames, 2):
        image, time_s = render(stage, number), number / FPS
        faces = detector.detect(image, scale=0.4, min_score=FAINT_SCORE)
        people = shown(faces, stage.script.poses(time_s))
        who = dict(zip(map(id, faces), people, strict=True))
        tracked = tracker.update(faces, time_s, [look(image, face.box) for face in faces])
        history.append((frozenset(), {t.track_id: who[id(t.detection)] for t in tracked.seen}))
    result = Score()
    result.add(history)
    assert result.takeovers == 0
    assert result.fragments <= 2


def test_a_frame_that_changes_size_mid_stream_is_searched_like_any_other(crossings):
    detector = FaceDetector(models.load("face_detection"))
    image = render(crossings["crossing"], 25)
    half = np.ascontiguousarray(image[::2, ::2])
    found = [len(detector.detect(picture, scale=0.8)) for picture in (image, half, image[:, 1:], image)]
    assert found == [found[0]] * 4
    assert found[0] == 2


def test_of_fifty_faces_in_a_picture_the_largest_are_reported(crossings):
    face = cv2.resize(render(crossings["crossing"], 25)[150:450, 150:450], (120, 120))
    crowd = np.tile(face, (6, 10, 1))
    many = FaceDetector(models.load("face_detection"), max_faces=50).detect(crowd)
    few = FaceDetector(models.load("face_detection"), max_faces=5).detect(crowd)
    assert len(many) >= 40
    assert [d.box for d in few] == [d.box for d in many[:5]]
