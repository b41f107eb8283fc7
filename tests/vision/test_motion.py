"""An idle hall is searched rarely; nothing that moves and nobody who is followed is missed."""

import cv2
import numpy as np
import pytest

from edged.vision.motion import ChangeDetector, DetectionPacer

FRAME_S = 0.04


SHIFT_PX = 64
"""Noise is one larger picture, moved by up to this: drawing it anew for each frame takes a second for ten."""


@pytest.fixture(scope="module")
def noise():
    return np.random.default_rng(5).standard_normal((720 + SHIFT_PX, 1280 + SHIFT_PX, 3), np.float32)


class Halls:
    """Pictures of an empty hall with sensor noise."""

    def __init__(self, noise):
        self._noise = noise
        self._rng = np.random.default_rng(5)

    def __call__(self, sigma=2.0, light=0.0, height=720, width=1280):
        top, left = self._rng.integers(0, SHIFT_PX, 2)
        noise = self._noise[top : top + height, left : left + width]
        walls = np.linspace(60, 160, width, dtype=np.float32)[None, :, None] + np.float32(light)
        return cv2.addWeighted(
            np.broadcast_to(walls, noise.shape).copy(), 1, noise, sigma, 0, dtype=cv2.CV_8U
        )


def with_person(image, x, size=110):
    out = image.copy()
    cv2.ellipse(out, (x, 300), (size // 2, size * 2 // 3), 0, 0, 360, (150, 175, 215), -1)
    return out


@pytest.fixture
def hall(noise):
    return Halls(noise)


def looks(pacer, frames, followed=False, start_s=0.0):
    return [pacer.due(image, start_s + k * FRAME_S, followed=followed) for k, image in enumerate(frames)]


@pytest.mark.parametrize("sigma", [0.0, 2.0, 6.0, 12.0])
def test_sensor_noise_is_no_change(hall, sigma):
    changes = ChangeDetector()
    changes.keep(hall(sigma))
    assert not any(changes.changed(hall(sigma)) for _ in range(50))


def test_a_person_who_comes_in_is_a_change_at_once(hall):
    changes = ChangeDetector()
    changes.keep(hall())
    changes.changed(hall())
    assert changes.changed(with_person(hall(), 200))


def test_a_slow_walk_is_a_change_before_it_has_gone_a_face_width(hall):
    changes = ChangeDetector()
    changes.keep(with_person(hall(), 600))
    assert any(changes.changed(with_person(hall(), 600 + 2 * k)) for k in range(50))


@pytest.mark.slow
def test_a_lamp_that_flickers_ceases_to_be_a_change(hall):
    changes = ChangeDetector()
    changes.keep(hall())
    flicker = [changes.changed(hall(light=10 * (k % 2))) for k in range(200)]
    assert flicker[1]
    assert not any(flicker[-50:])


def test_another_size_of_picture_is_a_change(hall):
    changes = ChangeDetector()
    changes.keep(hall())
    assert changes.changed(hall(height=480, width=640))
    assert not changes.changed(hall(height=480, width=640))


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 3000, 3), (3000, 2, 3)])
def test_odd_pictures_do_no_harm(shape):
    assert ChangeDetector().changed(np.zeros(shape, np.uint8))


def test_an_idle_hall_is_searched_at_the_stated_interval(hall):
    pacer = DetectionPacer(idle_recheck_s=0.5)
    due = looks(pacer, (hall() for _ in range(101)))
    assert due[0]
    assert 8 <= sum(due) <= 9
    gaps = np.diff(np.flatnonzero(due)) * FRAME_S
    assert gaps.max() <= 0.5 + FRAME_S


def test_movement_is_searched_at_once(hall):
    pacer = DetectionPacer(idle_recheck_s=0.5)
    looks(pacer, [hall()] * 3)
    assert pacer.due(with_person(hall(), 300), 0.12, followed=False)


def test_every_frame_is_searched_while_somebody_is_followed(hall):
    pacer = DetectionPacer(idle_recheck_s=0.5)
    assert all(looks(pacer, [hall()] * 20, followed=True))


def test_followed_faces_can_be_searched_at_an_interval(hall):
    pacer = DetectionPacer(idle_recheck_s=0.5, interval_s=0.12)
    image = hall()
    assert looks(pacer, [image] * 7, followed=True) == [True, False, False, True, False, False, True]


def test_without_a_pause_every_frame_is_searched(hall):
    assert all(looks(DetectionPacer(idle_recheck_s=0.0), [hall()] * 10))


def test_after_a_cut_the_next_frame_is_searched(hall):
    pacer = DetectionPacer(idle_recheck_s=0.5)
    image = hall()
    assert looks(pacer, [image] * 3) == [True, False, False]
    pacer.restart()
    assert pacer.due(image, 0.12, followed=False)
