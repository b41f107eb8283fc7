"""Several faces in one picture, and whose each answer is."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shots import HUES, drawn_shot, faces_in

from edged.clock import ManualClock
from edged.recognition.cloud.collage import MAX_BYTES, assign, lay_out, overlap

CLOCK = ManualClock()
EVERYBODY = list(HUES)[:10]


def decoded(jpeg: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)


@pytest.mark.parametrize("count", range(2, 11))
def test_every_face_is_where_the_layout_says_and_of_the_advised_size(count):
    people = EVERYBODY[:count]
    collage = lay_out([drawn_shot(CLOCK, who, who, face_px=70 + 40 * n) for n, who in enumerate(people)], 90)
    picture = decoded(collage.jpeg)
    assert picture.shape[1] < 1920
    assert picture.shape[0] < 1080
    found = dict(faces_in(picture))
    for who, box in zip(people, collage.faces, strict=True):
        assert found[who] == pytest.approx(box, abs=4)
        assert box[3] >= 100


def test_more_faces_than_the_cloud_takes_are_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="10 are the most"):
        lay_out([drawn_shot(CLOCK, str(n), "ann") for n in range(11)], 90)


def test_noise_does_not_make_the_picture_larger_than_it_may_be():
    noise = np.random.default_rng(1).integers(0, 256, (360, 360, 3), dtype=np.uint8)
    shot = replace(drawn_shot(CLOCK, "p", "ann"), picture=noise)
    assert len(lay_out([shot] * 10, 100).jpeg) <= MAX_BYTES


FACES = [(100.0 + 360 * n, 100.0, 100.0, 120.0) for n in range(3)]


def moved(box, dx=0.0, dy=0.0, grow=1.0):
    return box[0] + dx, box[1] + dy, box[2] * grow, box[3] * grow


def test_answers_in_any_order_go_to_their_faces():
    assert assign(FACES, [FACES[2], moved(FACES[0], 10, -8, 1.2)]) == [1, None, 0]


def test_a_face_missing_from_the_answer_has_none():
    assert assign(FACES, []) == [None, None, None]


def test_an_answer_beside_every_face_is_nobodys():
    assert assign(FACES, [(100.0, 300.0, 50.0, 50.0), moved(FACES[1], 90)]) == [None, None, None]


def test_two_answers_for_one_face_are_none():
    assert assign(FACES, [FACES[0], moved(FACES[0], 20), FACES[1]]) == [None, 2, None]


def test_an_answer_over_two_faces_is_none_for_both():
    close = [(0.0, 0.0, 100.0, 100.0), (60.0, 0.0, 100.0, 100.0)]
    assert assign(close, [(10.0, 0.0, 140.0, 100.0)]) == [None, None]


def test_the_overlap_of_a_box_with_itself_is_one_and_with_a_distant_one_nothing():
    assert overlap(FACES[0], FACES[0]) == 1
    assert overlap(FACES[0], FACES[1]) == 0


@given(
    st.permutations(range(10)),
    st.lists(st.booleans(), min_size=10, max_size=10),
    st.floats(-15, 15),
    st.floats(0.85, 1.3),
)
def test_no_answer_ever_goes_to_somebody_else(order, answered, shift, grow):
    faces = [(120.0 + 360 * (n % 5), 120.0 + 360 * (n // 5), 100.0, 120.0) for n in range(10)]
    shown = [n for n in order if answered[n]]
    found = assign(faces, [moved(faces[n], shift, -shift, grow) for n in shown])
    assert found == [shown.index(n) if answered[n] else None for n in range(10)]
