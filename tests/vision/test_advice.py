"""Advice for placing a camera: each fault is named, and only that one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.config import QualityLimits
from edged.events import Measures
from edged.vision.advice import Advisor, Sample, distance_m, light_around

GOOD = {
    "face_px": 150.0,
    "detection": 0.9,
    "yaw_deg": 2.0,
    "pitch_deg": 1.0,
    "roll_deg": -1.0,
    "blur": 0.1,
    "illumination": 110.0,
    "completeness": 1.0,
    "unevenness": 0.1,
}


def told(advisor=None, *, faces=20, centre=(0.5, 0.45), around=120.0, fps=25.0, **measures):
    advisor = advisor or Advisor(QualityLimits())
    for i in range(faces):
        advisor.add(Sample(i * 0.1, Measures(**(GOOD | measures)), centre, around))
    return advisor.advice(faces * 0.1, width=1280, fps=fps)


def codes(*args, **kwargs):
    return [advice.code for advice in told(*args, **kwargs)]


def text(*args, **kwargs):
    (advice,) = told(*args, **kwargs)
    return advice.text


def test_a_well_placed_camera_gets_no_advice():
    assert codes() == []


def test_nobody_in_view_is_told_to_stand_there_and_given_no_other_advice():
    assert codes(faces=0) == ["few_faces"]
    assert codes(faces=3, pitch_deg=30.0) == ["few_faces"]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"face_px": 80.0}, "faces_too_small"),
        ({"pitch_deg": 15.0}, "camera_high"),
        ({"pitch_deg": -15.0}, "camera_low"),
        ({"yaw_deg": 15.0}, "camera_aside"),
        ({"roll_deg": 9.0}, "camera_tilted"),
        ({"illumination": 50.0, "around": 70.0}, "faces_dark"),
        ({"illumination": 60.0, "around": 200.0}, "backlight"),
        ({"illumination": 212.0}, "faces_bright"),
        ({"unevenness": 0.6}, "light_uneven"),
        ({"blur": 0.65}, "faces_soft"),
        ({"centre": (0.5, 0.1)}, "faces_high"),
        ({"centre": (0.5, 0.9)}, "faces_low"),
        ({"centre": (0.9, 0.5)}, "faces_aside"),
        ({"fps": 6.0}, "slow"),
    ],
)
def test_each_fault_is_named_and_no_other(wrong, code):
    assert codes(**wrong) == [code]


def test_several_faults_are_named_light_before_angles():
    assert codes(illumination=50.0, around=70.0, pitch_deg=15.0, roll_deg=9.0) == [
        "faces_dark",
        "camera_high",
        "camera_tilted",
    ]


def test_a_measure_that_could_not_be_taken_gives_no_advice():
    assert codes(yaw_deg=None, pitch_deg=None, roll_deg=None, unevenness=None, blur=None) == []


def test_faces_that_are_still_far_away_say_nothing_about_angles_or_light():
    assert codes(face_px=50.0, pitch_deg=30.0, illumination=20.0) == ["faces_too_small"]


def test_people_who_walk_up_are_judged_where_they_come_nearest():
    advisor = Advisor(QualityLimits())
    for i in range(60):
        measures = Measures(**(GOOD | {"face_px": 40.0 + 2 * i}))
        advisor.add(Sample(i * 0.1, measures, (0.5, 0.5), 120.0))
    assert advisor.advice(6.0, width=1280) == []


def test_the_needed_lens_and_distance_are_told():
    advisor = Advisor(QualityLimits(), hfov_deg=65)
    words = text(advisor, face_px=50.0)
    assert "reach 50 px, 100 are needed" in words
    assert "2.0 times the focal length" in words
    assert "enough at 1.5 m" in words


def test_the_height_to_change_is_told_when_the_lens_is_known():
    assert "Lower it by 27 cm" in text(Advisor(QualityLimits(), hfov_deg=65), pitch_deg=15.0)
    assert "Lower it, or" in text(pitch_deg=15.0)


def test_in_a_mirrored_picture_left_is_right():
    plain, mirrored = Advisor(QualityLimits()), Advisor(QualityLimits(), mirror=True)
    assert "to its right" in text(plain, yaw_deg=15.0)
    assert "to its left" in text(mirrored, yaw_deg=15.0)
    assert " clockwise" in text(Advisor(QualityLimits()), roll_deg=9.0)
    assert " anticlockwise" in text(Advisor(QualityLimits(), mirror=True), roll_deg=9.0)


def test_what_was_seen_long_ago_is_forgotten():
    advisor = Advisor(QualityLimits(), window_s=10.0)
    assert codes(advisor, pitch_deg=30.0) == ["camera_high"]
    assert [a.code for a in advisor.advice(30.0, width=1280)] == ["few_faces"]


OPTIONAL = st.none() | st.floats(-90, 90)
SAMPLES = st.lists(
    st.tuples(st.floats(1, 2000), OPTIONAL, OPTIONAL, st.none() | st.floats(0, 255), st.floats(0, 255)),
    max_size=40,
)


@given(SAMPLES, st.none() | st.floats(20, 160))
def test_whatever_is_measured_no_fault_is_named_twice(samples, hfov_deg):
    advisor = Advisor(QualityLimits(), hfov_deg=hfov_deg)
    for px, yaw, pitch, light, around in samples:
        measures = Measures(face_px=px, detection=0.9, yaw_deg=yaw, pitch_deg=pitch, illumination=light)
        advisor.add(Sample(0.0, measures, (0.5, 0.5), around))
    found = [advice.code for advice in advisor.advice(1.0, width=640)]
    assert len(found) == len(set(found))


@pytest.mark.parametrize(
    ("face_px", "width", "expected_m"),
    [(151, 1280, 1.0), (100, 1280, 1.5), (200, 1920, 1.1), (30, 640, 2.5)],
)
def test_distances_are_those_of_the_reference_table(face_px, width, expected_m):
    assert distance_m(face_px, width, 65) == pytest.approx(expected_m, abs=0.06)


def test_the_light_around_is_that_beside_and_above_the_face_not_of_the_face_or_the_clothes():
    picture = np.full((400, 400, 3), 200, np.uint8)
    picture[240:] = 0
    picture[140:260, 155:245] = 10
    assert light_around(picture, (160, 140, 80, 100)) == pytest.approx(200, abs=1)


@given(st.floats(-900, 900), st.floats(-900, 900), st.floats(0.1, 1500))
def test_a_box_anywhere_gives_a_grey_level(x, y, side):
    assert 0 <= light_around(np.full((60, 80, 3), 77, np.uint8), (x, y, side, side)) <= 77.5
