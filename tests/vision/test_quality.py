"""Each quality measure moves the right way with its defect and lands on the right side of its limit."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiers import slow_but

from edged.config import EnrolLimits, QualityLimits
from edged.demo.photographs import PHOTO_DIR
from edged.events import Measures
from edged.reasons import known_codes
from edged.vision import quality
from edged.vision.guidance import hints_for

LIMITS = QualityLimits()
GOOD = Measures(
    face_px=180,
    detection=0.9,
    yaw_deg=3,
    pitch_deg=-4,
    roll_deg=2,
    blur=0.1,
    illumination=120,
    completeness=1.0,
)


PHOTOGRAPHS = ["barack_obama_1.jpg", "jacinda_ardern_1.jpg", "rishi_sunak.jpg"]


@pytest.fixture(scope="module", params=slow_but(PHOTOGRAPHS, "rishi_sunak.jpg"))
def photograph(request):
    return cv2.imread(str(PHOTO_DIR / request.param))


def measured(face_reader, image):
    (reading,) = face_reader.read(image, LIMITS)[:1]
    return reading.measures


def test_a_good_photograph_passes_every_limit(face_reader, photograph):
    assert face_reader.read(photograph, LIMITS)[0].missed == {}


def test_blur_grows_with_the_radius_and_crosses_the_limit(face_reader, photograph):
    aligned = face_reader.read(photograph, LIMITS)[0].aligned
    values = [quality.blur(aligned)]
    values += [quality.blur(cv2.GaussianBlur(aligned, (0, 0), sigma)) for sigma in (0.7, 1.4, 2.1, 2.8, 3.5)]
    assert values == sorted(values)
    assert values[0] < 0.2 < LIMITS.max_blur < values[-1]


def test_illumination_follows_gamma_and_crosses_the_limit(face_reader, photograph):
    ramp = np.arange(256) / 255
    values = [
        measured(face_reader, cv2.LUT(photograph, (255 * ramp**gamma).astype(np.uint8))).illumination
        for gamma in (0.6, 1.0, 1.6, 2.4, 5.0)
    ]
    assert values == sorted(values, reverse=True)
    assert values[-1] < LIMITS.min_illumination < values[1]


@pytest.mark.parametrize("degrees", [-30, -15, 15, 30])
def test_roll_follows_the_rotation_of_the_picture(face_reader, photograph, degrees):
    height, width = photograph.shape[:2]
    straight = measured(face_reader, photograph).roll_deg
    # cv2 rotates counter-clockwise for positive angles; roll counts clockwise
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1.0)
    rolled = measured(face_reader, cv2.warpAffine(photograph, turn, (width, height))).roll_deg
    assert rolled - straight == pytest.approx(degrees, abs=2)


def test_mirroring_turns_yaw_and_roll_around(face_reader, photograph):
    straight, mirrored = measured(face_reader, photograph), measured(face_reader, cv2.flip(photograph, 1))
    assert mirrored.yaw_deg == pytest.approx(-straight.yaw_deg, abs=3)
    assert mirrored.roll_deg == pytest.approx(-straight.roll_deg, abs=2)


def test_a_face_cut_by_the_border_is_incomplete(face_reader, photograph):
    x, _, width, _ = face_reader.read(photograph, LIMITS)[0].detection.box
    cut = photograph[:, int(x + width * 0.35) :]
    reading = face_reader.read(np.ascontiguousarray(cut), LIMITS)
    assert not reading or "face_incomplete" in reading[0].missed


def test_a_small_face_is_refused_with_the_size_needed(face_reader, photograph):
    face_px = measured(face_reader, photograph).face_px
    small = cv2.resize(photograph, None, fx=60 / face_px, fy=60 / face_px, interpolation=cv2.INTER_AREA)
    reading = face_reader.read(small, LIMITS)[0]
    assert reading.measures.face_px == pytest.approx(60, abs=6)
    assert reading.missed["face_too_small"] == 100


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("face_px", 99.9, "face_too_small"),
        ("detection", 0.59, "face_too_uncertain"),
        ("completeness", 0.9, "face_incomplete"),
        ("illumination", 40.0, "too_dark"),
        ("illumination", 220.1, "too_bright"),
        ("yaw_deg", None, "pose_unknown"),
        ("yaw_deg", -20.0, "yaw_too_large"),
        ("pitch_deg", 20.0, "pitch_too_large"),
        ("roll_deg", 45.0, "roll_too_large"),
        ("blur", 0.7, "too_blurred"),
        ("face_px", 2000.1, "too_near"),
        ("occlusion", {"left_eye": 0.6}, "eye_occluded"),
        ("occlusion", {"right_eye": 0.9, "left_eye": 0.9}, "eye_occluded"),
        ("occlusion", {"nose": 0.7}, "nose_occluded"),
        ("occlusion", {"mouth": 0.7}, "mouth_occluded"),
        ("occlusion", {"left_cheek": 0.8}, "cheek_occluded"),
        ("occlusion", {"chin_contour": 0.6}, "chin_occluded"),
    ],
)
def test_each_limit_has_its_own_reason(field, value, code):
    values = {**GOOD.__dict__, field: value}
    assert list(quality.refusals(Measures(**values), LIMITS)) == [code]
    assert code in known_codes()
    assert hints_for([code])


def test_values_on_the_good_side_of_every_limit_pass():
    edge = {"face_px": 100, "detection": 0.6, "yaw_deg": 19.9, "pitch_deg": -19.9, "roll_deg": 19.9}
    edge |= {"blur": 0.69, "illumination": 40.1, "completeness": 0.98}
    assert quality.refusals(Measures(**edge), LIMITS) == {}


def test_parts_covered_less_than_their_limits_pass():
    occlusion = {"left_eye": 0.59, "nose": 0.69, "mouth": 0.69, "right_cheek": 0.79, "chin_contour": 0.59}
    assert quality.refusals(Measures(**{**GOOD.__dict__, "occlusion": occlusion}), LIMITS) == {}


def test_uneven_light_is_refused_only_when_a_limit_is_set():
    half_lit = Measures(**{**GOOD.__dict__, "unevenness": 0.6})
    assert quality.refusals(half_lit, LIMITS) == {}
    assert list(quality.refusals(half_lit, QualityLimits(max_unevenness=0.5))) == ["half_lit"]


angles = st.floats(-90, 90)


@given(
    st.builds(
        Measures,
        face_px=st.floats(1, 2000),
        detection=st.floats(0, 1),
        yaw_deg=st.none() | angles,
        pitch_deg=st.none() | angles,
        roll_deg=st.none() | angles,
        blur=st.none() | st.floats(0, 1),
        illumination=st.none() | st.floats(0, 255),
        completeness=st.none() | st.floats(0, 1),
    )
)
def test_shot_quality_is_a_share_and_refusals_never_fail(measures):
    assert 0 <= quality.shot_quality(measures) <= 1
    assert all(isinstance(limit, float | int) for limit in quality.refusals(measures, LIMITS).values())


def test_a_better_shot_has_a_higher_quality():
    worse = {"face_px": 105, "yaw_deg": 18, "blur": 0.5, "illumination": 45}
    for field, value in worse.items():
        assert quality.shot_quality(Measures(**{**GOOD.__dict__, field: value})) < quality.shot_quality(GOOD)


@pytest.mark.parametrize(
    ("preset", "blur", "light", "angle"),
    [
        ("low", 0.8, (0, 255), 30),
        ("normal", 0.6, (40, 255), 20),
        ("high", 0.3, (60, 120), 15),
        ("recommended", 0.7, (40, 220), 20),
    ],
)
def test_presets_have_the_documented_numbers(preset, blur, light, angle):
    for limits in (QualityLimits(preset=preset), EnrolLimits(preset=preset)):
        assert limits.max_blur == blur
        assert (limits.min_illumination, limits.max_illumination) == light
        angles = {limits.max_yaw_deg, limits.max_pitch_deg, limits.max_roll_deg}
        assert angles == ({30} if preset == "recommended" and type(limits) is EnrolLimits else {angle})


def test_a_written_limit_wins_over_its_preset():
    limits = QualityLimits(preset="high", max_blur=0.5)
    assert (limits.max_blur, limits.max_yaw_deg) == (0.5, 15)


@pytest.mark.parametrize("angle", [None, -90.0, 179.0])
def test_the_preset_none_refuses_no_face(angle):
    worst = Measures(
        face_px=20,
        detection=0,
        yaw_deg=angle,
        pitch_deg=angle,
        roll_deg=angle,
        blur=1.0,
        illumination=0,
        completeness=0,
    )
    assert quality.refusals(worst, QualityLimits(preset="none")) == {}
