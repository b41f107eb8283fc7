"""Looks: the same clothes are alike, other clothes are not, and little of a person is no look."""

import cv2
import numpy as np
import pytest

from edged.vision.appearance import distances, look

BOX = (600.0, 200.0, 100.0, 130.0)


def person(jacket, rng, light=1.0):
    image = np.full((720, 1280, 3), 128, np.uint8)
    cv2.ellipse(image, (650, 265), (50, 65), 0, 0, 360, (140, 165, 210), -1)
    cv2.rectangle(image, (540, 340), (760, 720), jacket, -1)
    return np.clip(image * light + rng.normal(0, 4, image.shape), 0, 255).astype(np.uint8)


def apart(a, b):
    return float(distances([a], [b])[0, 0])


def test_the_same_clothes_are_alike_and_others_are_not():
    rng = np.random.default_rng(2)
    blue, again = (look(person((140, 60, 30), rng), BOX) for _ in range(2))
    red = look(person((40, 40, 170), rng), BOX)
    assert apart(blue, again) < 0.2
    assert apart(blue, red) > 0.5


def test_a_look_is_shares_that_sum_to_one():
    seen = look(person((140, 60, 30), np.random.default_rng(2)), BOX)
    assert seen.sum() == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize(
    "box", [(-95, 200, 80, 100), (1300, 200, 80, 100), (600, 716, 80, 100), (5, 5, 0.1, 0.1)]
)
def test_too_little_of_a_person_is_no_look(box):
    assert look(np.zeros((720, 1280, 3), np.uint8), box) is None


def test_what_is_not_known_has_no_distance():
    known = np.array([1.0, 0.0], np.float32)
    table = distances([known, None], [None, known, known])
    assert np.isnan(table).tolist() == [[True, False, False], [True, True, True]]
