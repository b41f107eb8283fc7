"""Tracks keep their ids while faces move, rest for a moment, or pass each other at a distance."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.vision.detector import Detection
from edged.vision.track import TrackState
from edged.vision.tracker import Tracker

FRAME_S = 0.04


RED, BLUE = np.eye(2, dtype=np.float32)


def face(x, y=200.0, size=120.0, score=0.9):
    box = (x - size / 2, y - size * 0.65, size, size * 1.3)
    return Detection(box, np.zeros((5, 2), np.float32), score)


def follow(tracker, path, start_s=0.0, look=None):
    """Feed one list of detections per frame; returns the ids seen per frame."""
    return [
        [t.track_id for t in tracker.update(faces, start_s + i * FRAME_S, [look] * len(faces)).seen]
        for i, faces in enumerate(path)
    ]


def test_a_single_detection_is_not_a_track():
    tracker = Tracker(lost_after_s=1.0)
    assert tracker.update([face(100)], 0.0).started == []
    assert tracker.update([], 5.0).ended == []


def test_a_face_keeps_its_id_while_it_walks_and_grows():
    tracker = Tracker(lost_after_s=1.0)
    ids = follow(tracker, [[face(100 + 8 * i, size=40 + 2 * i)] for i in range(60)])
    assert {i for frame in ids for i in frame} == {1}


def test_missed_detections_shorter_than_the_limit_do_not_end_a_track():
    tracker = Tracker(lost_after_s=1.0)
    path = [[face(300 + i)] if i % 12 < 4 else [] for i in range(60)]
    assert {i for frame in follow(tracker, path, look=RED) for i in frame} == {1}


def test_a_face_of_unknown_looks_is_taken_up_again_only_after_a_short_gap():
    for gap_s, ids in ((0.2, [1]), (0.6, [])):
        tracker = Tracker(lost_after_s=1.0)
        follow(tracker, [[face(300)]] * 5)
        assert [t.track_id for t in tracker.update([face(300)], 0.16 + gap_s).seen] == ids


def test_somebody_who_looks_different_does_not_inherit_a_track_after_a_gap():
    tracker = Tracker(lost_after_s=1.0)
    follow(tracker, [[face(300)]] * 5, look=RED)
    assert follow(tracker, [[face(300)]] * 2, start_s=0.4, look=BLUE)[-1] == [2]


def test_a_change_of_light_does_not_end_the_track_of_someone_alone():
    tracker = Tracker(lost_after_s=1.0)
    follow(tracker, [[face(300)]] * 5, look=RED)
    assert follow(tracker, [[face(300)]] * 3, start_s=0.2, look=BLUE)[-1] == [1]


def test_nobody_keeps_an_id_when_two_faces_fit_one_place_equally_well():
    tracker = Tracker(lost_after_s=1.0)
    follow(tracker, [[face(300), face(380)]] * 5)
    tracked = tracker.update([face(340)], 0.2)
    assert tracked.seen == []
    assert {t.track_id for t in tracked.ended} == {1, 2}


def test_a_faint_detection_continues_a_track_but_begins_none():
    tracker = Tracker(lost_after_s=1.0)
    assert follow(tracker, [[face(300, score=0.4)]] * 3) == [[], [], []]
    follow(tracker, [[face(300)]] * 3, start_s=1.0)
    assert follow(tracker, [[face(301, score=0.4)]], start_s=1.12) == [[1]]


def test_a_faint_detection_beside_another_person_is_left_alone():
    tracker = Tracker(lost_after_s=1.0)
    follow(tracker, [[face(300), face(420)]] * 3)
    assert follow(tracker, [[face(300), face(420, score=0.4)]], start_s=0.12) == [[1]]


def test_two_people_who_cross_keep_their_ids():
    tracker = Tracker(lost_after_s=1.0)
    last = {}
    for i in range(50):
        faces = [face(300 + 12 * i, size=120), face(900 - 12 * i, size=90)]
        hidden = abs(faces[0].box[0] - faces[1].box[0]) < 70
        looks = [RED] if hidden else [RED, BLUE]
        tracked = tracker.update(faces[: len(looks)], i * FRAME_S, looks)
        last = {t.track_id: round(t.detection.box[2]) for t in tracked.seen}
    assert last == {1: 120, 2: 90}


def test_a_track_tells_where_it_stands():
    tracker = Tracker(lost_after_s=1.0)
    states = []
    for i, faces in enumerate([[face(300)], [face(300)], [], [face(300)]]):
        tracker.update(faces, i * FRAME_S)
        states.append(tracker.tracks[0].state)
    assert states == [TrackState.TENTATIVE, TrackState.CONFIRMED, TrackState.LOST, TrackState.CONFIRMED]


def test_flickers_at_one_place_seconds_apart_are_no_face():
    tracker = Tracker(lost_after_s=1.0)
    path = [[face(300)] if i % 6 == 0 else [] for i in range(60)]
    assert not any(follow(tracker, path))


def test_looks_that_do_not_belong_to_the_detections_are_refused():
    with pytest.raises(ValueError, match="1 appearances for 2 detections"):
        Tracker(lost_after_s=1.0).update([face(1), face(500)], 0.0, [RED])


def test_fifty_faces_in_one_frame_are_followed():
    tracker = Tracker(lost_after_s=1.0)
    path = [
        [face(60 + 120 * (k % 10) + i, y=60 + 130 * (k // 10), size=60) for k in range(50)] for i in range(5)
    ]
    assert sorted(follow(tracker, path)[-1]) == list(range(1, 51))


def test_a_face_that_returns_after_the_limit_is_a_new_track():
    tracker = Tracker(lost_after_s=1.0)
    follow(tracker, [[face(300)]] * 5)
    tracked = tracker.update([face(300)], 5.0)
    assert [t.track_id for t in tracked.ended] == [1]
    assert [t.track_id for t in tracker.update([face(300)], 5.04).started] == [2]


def test_two_people_side_by_side_keep_their_own_ids():
    tracker = Tracker(lost_after_s=1.0)
    path = [[face(300 + 2 * i), face(700 - 2 * i)] for i in range(40)]
    ids = follow(tracker, path)
    assert ids[-1] == [1, 2]
    assert {len(frame) for frame in ids[1:]} == {2}


def test_the_order_of_detections_does_not_matter():
    tracker = Tracker(lost_after_s=1.0)
    for i in range(20):
        faces = [face(300 + i), face(700 + i)]
        tracked = tracker.update(faces[:: 1 if i % 2 else -1], i * FRAME_S)
    assert {t.track_id: round(t.detection.box[0]) for t in tracked.seen} == {
        t.track_id: round(t.detection.box[0]) for t in sorted(tracked.seen, key=lambda t: t.track_id)
    }
    assert len({t.track_id for t in tracked.seen}) == 2


def test_a_face_far_away_from_the_last_one_is_somebody_else():
    tracker = Tracker(lost_after_s=1.0)
    follow(tracker, [[face(200)]] * 3)
    follow(tracker, [[face(900)]] * 3, start_s=0.2)
    assert [t.track_id for t in tracker.end_all()] == [1, 2]


def test_a_face_of_very_different_size_is_somebody_else():
    tracker = Tracker(lost_after_s=1.0)
    follow(tracker, [[face(200, size=60)]] * 3)
    follow(tracker, [[face(200, size=180)]] * 3, start_s=0.2)
    assert [t.track_id for t in tracker.end_all()] == [1, 2]


def test_after_a_cut_everybody_is_new():
    tracker = Tracker(lost_after_s=1.0)
    follow(tracker, [[face(200)]] * 3)
    assert [t.track_id for t in tracker.end_all()] == [1]
    assert follow(tracker, [[face(200)]] * 3, start_s=0.2)[-1] == [2]


boxes = st.lists(st.tuples(st.floats(0, 1280), st.floats(0, 720), st.floats(20, 400)), max_size=6)


@given(st.lists(st.tuples(boxes, st.floats(0, 2)), max_size=20))
def test_every_started_track_ends_exactly_once(frames):
    tracker = Tracker(lost_after_s=0.5)
    now_s, started, ended = 0.0, [], []
    for faces, pause_s in frames:
        now_s += pause_s
        tracked = tracker.update([face(*f) for f in faces], now_s)
        assert len({t.track_id for t in tracked.seen}) == len(tracked.seen)
        started += [t.track_id for t in tracked.started]
        ended += [t.track_id for t in tracked.ended]
    ended += [t.track_id for t in tracker.end_all()]
    assert sorted(started) == sorted(ended)
    assert len(set(started)) == len(started)


def test_time_that_stands_still_does_no_harm():
    tracker = Tracker(lost_after_s=1.0)
    for _ in range(5):
        tracked = tracker.update([face(200)], 1.0)
    assert tracked.seen[0].velocity == pytest.approx((0, 0))
