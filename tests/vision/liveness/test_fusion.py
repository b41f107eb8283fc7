"""Judging a track: minimum of frames, what cues may do to the network's answer, what is remembered."""

import io

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged import models
from edged.vision.liveness import fusion
from edged.vision.liveness.fusion import LivenessFrame, LivenessTrack


def track(scores, **evidence) -> LivenessTrack:
    gathered = LivenessTrack()
    for index, score in enumerate(scores):
        gathered.add(LivenessFrame(index * 0.1, score, **evidence))
    return gathered


@pytest.fixture(scope="module")
def head() -> np.ndarray:
    with np.load(io.BytesIO(models.load("face_geometry").data)) as arrays:
        return arrays["vertices"].astype(np.float64) * (10, -10, -10) + (300, 200, 0)


def test_nothing_is_decided_before_five_frames():
    early = track([1.0] * 4).verdict(0.3)
    assert (early.decided, early.passed, early.suspicion) == (False, False, ())
    assert track([1.0] * 5).verdict(0.3).passed


def test_an_empty_track_is_undecided():
    empty = LivenessTrack().verdict(0.0)
    assert (empty.decided, empty.passed, empty.frames) == (False, False, 0)


def test_one_bad_frame_does_not_deny():
    assert track([0.9, 0.9, 0.0, 0.9, 0.9]).verdict(0.5).passed


def test_a_network_that_says_false_denies_with_its_code():
    verdict = track([0.1] * 6).verdict(0.5)
    assert not verdict.passed
    assert verdict.suspicion == (fusion.NETWORK,)


@pytest.mark.parametrize(
    ("evidence", "code"), [({"border": 0.9}, fusion.BORDER), ({"moire_db": 25.0}, fusion.MOIRE)]
)
def test_one_clear_sign_overrules_the_most_confident_network(evidence, code):
    verdict = track([1.0] * 6, **evidence).verdict(0.3)
    assert not verdict.passed
    assert verdict.suspicion == (code,)


def test_signs_of_a_usual_face_change_nothing():
    plain, looked = track([0.8] * 6), track([0.8] * 6, border=0.3, moire_db=12.0)
    assert plain.verdict(0.5).score == looked.verdict(0.5).score == pytest.approx(0.8)


def test_frames_where_the_border_was_not_looked_at_do_not_dilute_it():
    gathered = LivenessTrack()
    for index in range(9):
        gathered.add(LivenessFrame(index * 0.1, 0.9, border=0.9 if index % 3 == 0 else None))
    assert gathered.verdict(0.5).suspicion == (fusion.BORDER,)


def test_a_tilting_sheet_is_suspected_and_a_turning_head_is_not(head):
    sheet, solid = LivenessTrack(), LivenessTrack()
    for index in range(12):
        turn = cv2.Rodrigues(np.array([0.0, np.radians(30 * np.sin(index / 2)), 0.0]))[0]
        flat = (head - head.mean(axis=0)) * (1, 1, 0) @ turn.T
        seen = np.column_stack([flat[:, :2], head[:, 2]])
        sheet.add(LivenessFrame(index * 0.1, 0.9, points=seen))
        solid.add(LivenessFrame(index * 0.1, 0.9, points=head @ turn.T))
    assert sheet.verdict(0.5).suspicion == (fusion.FLAT,)
    assert solid.verdict(0.5).suspicion == ()
    assert solid.verdict(0.5).life == ("solid_turn",)


def test_a_face_that_never_stirs_is_an_injected_picture(head):
    frozen, living = LivenessTrack(), LivenessTrack()
    random = np.random.default_rng(0)
    for index in range(20):
        frozen.add(LivenessFrame(index * 0.1, 0.9, points=head))
        living.add(LivenessFrame(index * 0.1, 0.9, points=head + random.normal(0, 0.4, head.shape)))
    assert frozen.verdict(0.5).suspicion == (fusion.FROZEN,)
    assert living.verdict(0.5).suspicion == ()


def test_half_a_second_of_stillness_proves_nothing(head):
    assert track([0.9] * 6, points=head).verdict(0.5).passed


def test_signs_of_life_are_recorded_and_lift_nothing(head):
    gathered = LivenessTrack()
    random = np.random.default_rng(1)
    for index in range(40):
        points = head + random.normal(0, 0.3, head.shape)
        if 20 <= index < 24:
            for upper, lower in zip(
                (160, 159, 158, 385, 386, 387), (144, 145, 153, 380, 374, 373), strict=True
            ):
                points[upper] = points[lower]
        gathered.add(LivenessFrame(index * 0.05, 0.4, points=points))
    verdict = gathered.verdict(0.5)
    assert verdict.life == ("blink",)
    assert verdict.score == pytest.approx(0.4)


def test_a_frame_given_twice_counts_once():
    gathered = LivenessTrack()
    for _ in range(9):
        gathered.add(LivenessFrame(1.0, 0.9))
    assert gathered.verdict(0.5).frames == 1


def test_an_answer_that_is_no_number_speaks_for_an_attack():
    assert not track([float("nan")] * 5).verdict(0.3).passed


def test_what_is_remembered_is_bounded():
    assert track([0.9] * 500).verdict(0.5).frames == fusion.MAX_FRAMES


@given(
    scores=st.lists(st.floats(0, 1), min_size=5, max_size=30),
    border=st.floats(0, 1),
    moire=st.floats(0, 40),
    threshold=st.floats(0.05, 0.95),
)
def test_signs_never_lift_the_score_and_a_verdict_repeats_itself(scores, border, moire, threshold):
    plain = track(scores).verdict(threshold)
    marked = track(scores, border=border, moire_db=moire).verdict(threshold)
    assert 0 <= marked.score <= plain.score + 1e-12
    assert marked == track(scores, border=border, moire_db=moire).verdict(threshold)
    assert marked.passed == (marked.score >= threshold)
