"""An idle hall is searched rarely; nothing that moves and nobody who is followed is missed."""

import cv2
import numpy as np
import pytest

from edged.vision.motion import ChangeDetector, DetectionPacer

FRAME_S = 0.04


def hall(rng, sigma=2.0, light=0.0, height=720, width=1280):
    """A picture of an empty hall with sensor noise."""
    steps = np.linspace(60, 160, width)[None, :, None] + light
    return np.clip(steps + rng.normal(0, sigma, (height, width, 3)), 0, 255).astype(np.uint8)


def with_person(image, x, size=110):
    out = image.copy()
    cv2.ellipse(out, (x, 300), (size // 2, size * 2 // 3), 0, 0, 360, (150, 175, 215), -1)
    return out


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def looks(pacer, frames, followed=False, start_s=0.0):
    return [pacer.due(image, start_s + k * FRAME_S, followed=followed) for k, image in enumerate(frames)]


@pytest.mark.parametrize("sigma", [0.0, 2.0, 6.0, 12.0])
def test_sensor_noise_is_no_change(rng, sigma):
    changes = ChangeDetector()
    changes.keep(hall(rng, sigma))
    assert not any(changes.changed(hall(rng, sigma)) for _ in range(50))


def test_a_person_who_comes_in_is_a_change_at_once(rng):
    changes = ChangeDetector()
    changes.keep(hall(rng))
    changes.changed(hall(rng))
    assert changes.changed(with_person(hall(rng), 200))


def test_a_slow_walk_is_a_change_before_it_has_gone_a_face_width(rng):
    changes = ChangeDetector()
    changes.keep(with_person(hall(rng), 600))
    assert any(changes.changed(with_person(hall(rng), 600 + 2 * k)) for k in range(50))


def test_a_lamp_that_flickers_ceases_to_be_a_change(rng):
    changes = ChangeDetector()
    changes.keep(hall(rng))
    flicker = [changes.changed(hall(rng, light=10 * (k % 2))) for k in range(200)]
    assert flicker[1]
    assert not any(flicker[-50:])


def test_another_size_of_picture_is_a_change(rng):
    changes = ChangeDetector()
    changes.keep(hall(rng))
    assert changes.changed(hall(rng, height=480, width=640))
    assert not changes.changed(hall(rng, height=480, width=640))


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 3000, 3), (3000, 2, 3)])
def test_odd_pictures_do_no_harm(shape):
    assert ChangeDetector().changed(np.zeros(shape, np.uint8))


def test_an_idle_hall_is_searched_at_the_stated_interval(rng):
    pacer = DetectionPacer(idle_recheck_s=0.5)
    due = looks(pacer, [hall(rng) for _ in range(101)])
    assert due[0]
    assert 8 <= sum(due) <= 9
    gaps = np.diff(np.flatnonzero(due)) * FRAME_S
    assert gaps.max() <= 0.5 + FRAME_S


def test_movement_is_searched_at_once(rng):
    pacer = DetectionPacer(idle_recheck_s=0.5)
    looks(pacer, [hall(rng)] * 3)
    assert pacer.due(with_person(hall(rng), 300), 0.12, followed=False)


def test_every_frame_is_searched_while_somebody_is_followed(rng):
    pacer = DetectionPacer(idle_recheck_s=0.5)
    assert all(looks(pacer, [hall(rng)] * 20, followed=True))


def test_followed_faces_can_be_searched_at_an_interval(rng):
    pacer = DetectionPacer(idle_recheck_s=0.5, interval_s=0.12)
    image = hall(rng)
    assert looks(pacer, [image] * 7, followed=True) == [True, False, False, True, False, False, True]


def test_without_a_pause_every_frame_is_searched(rng):
    assert all(looks(DetectionPacer(idle_recheck_s=0.0), [hall(rng)] * 10))


def test_after_a_cut_the_next_frame_is_searched(rng):
    pacer = DetectionPacer(idle_recheck_s=0.5)
    image = hall(rng)
    assert looks(pacer, [image] * 3) == [True, False, False]
    pacer.restart()
    assert pacer.due(image, 0.12, followed=False)
