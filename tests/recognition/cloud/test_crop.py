"""The picture of one face as the cloud is sent it."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shots import drawn_shot, faces_in, scene

from edged.clock import ManualClock
from edged.errors import TryAnotherShot
from edged.recognition.cloud.crop import FILLING, MAX_BYTES, cut, face_in_square, face_picture

CLOCK = ManualClock()


def decoded(jpeg: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)


@pytest.mark.parametrize(("face_px", "side"), [(60, 300), (100, 300), (150, 450), (200, 600), (500, 600)])
def test_the_face_is_a_third_of_a_square_and_100_to_200_pixels(face_px, side):
    picture = decoded(face_picture(drawn_shot(CLOCK, "p", "ann", face_px=face_px), 90))
    assert picture.shape == (side, side, 3)
    ((name, (_, _, width, height)),) = faces_in(picture)
    assert name == "ann"
    assert height == pytest.approx(side / 3, abs=4)
    assert width == pytest.approx(side / 3 * 0.8, abs=4)


def test_the_face_stays_in_the_middle_when_the_cameras_picture_ended_beside_it():
    shot = drawn_shot(CLOCK, "p", "bert")
    shot = replace(shot, picture=scene(240, 300, ("bert", (5, 10, 96, 120))), face_box=(5, 10, 96, 120))
    picture = decoded(face_picture(shot, 90))
    ((_, (x, y, width, height)),) = faces_in(picture)
    assert x + width / 2 == pytest.approx(picture.shape[1] / 2, abs=3)
    assert y + height / 2 == pytest.approx(picture.shape[0] / 2, abs=3)
    assert picture[picture.shape[0] // 2, 3] == pytest.approx([FILLING] * 3, abs=4)


@pytest.mark.parametrize("quality", [80, 100])
def test_noise_does_not_make_the_picture_larger_than_it_may_be(quality):
    noise = np.random.default_rng(1).integers(0, 256, (900, 900, 3), dtype=np.uint8)
    shot = replace(drawn_shot(CLOCK, "p", "ann"), picture=noise, face_box=(300, 300, 300, 300))
    jpeg = face_picture(shot, quality)
    assert len(jpeg) <= MAX_BYTES
    assert decoded(jpeg).shape[0] >= 300


@pytest.mark.parametrize(
    "change", [{"picture": None}, {"face_box": None}, {"face_box": (10.0, 10.0, 0.0, 0.0)}]
)
def test_a_shot_without_a_picture_of_a_face_is_not_sent(change):
    with pytest.raises(TryAnotherShot):
        face_picture(replace(drawn_shot(CLOCK, "p", "ann"), **change), 90)


@settings(deadline=None)
@given(
    x=st.integers(0, 500), y=st.integers(0, 300), size=st.integers(20, 300), side=st.sampled_from([300, 360])
)
def test_wherever_the_face_is_the_square_shows_it_where_it_says(x, y, size, side):
    box = (x, y, size, size)
    shot = replace(
        drawn_shot(CLOCK, "p", "cleo"),
        picture=scene(900, 700, ("cleo", box)),
        face_box=tuple(map(float, box)),
    )
    ((_, found),) = faces_in(cut(shot, side))
    assert found == pytest.approx(face_in_square(shot, side), abs=4)
