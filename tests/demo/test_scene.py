"""The demo scene as a frame source, and the pictures it gives."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edged.demo import DemoScene, visits
from edged.demo.cutout import LARGEST_ENLARGEMENT, LARGEST_FACE_PX
from edged.demo.hall import hall
from edged.demo.photographs import scene_photographs
from edged.demo.render import FPS, prepare, render
from edged.demo.script import write_script
from edged.errors import Misconfigured, RetryLater


def test_a_picture_is_720_by_1280_bgr(stage):
    picture = render(stage, 100)
    assert (picture.shape, picture.dtype) == ((720, 1280, 3), np.uint8)


@pytest.mark.slow
def test_another_seed_gives_another_picture(stage):
    assert not np.array_equal(render(stage, 0), render(prepare(1), 0))


def test_each_picture_has_its_own_noise(stage):
    assert not np.array_equal(render(stage, 0), render(stage, 1))


@given(st.integers(0, 999_999), st.floats(0, 1, exclude_max=True))
@settings(max_examples=30, deadline=None)
def test_any_picture_of_any_seed_can_be_drawn(stage, seed, share):
    other = replace(stage, seed=seed, script=write_script(seed))
    assert render(other, int(share * other.frames)).shape == (720, 1280, 3)


@pytest.mark.parametrize("number", [-1, 10_000])
def test_there_is_no_picture_outside_the_scene(stage, number):
    with pytest.raises(IndexError):
        render(stage, number)


def test_the_hall_alone_is_between_acts(stage):
    quiet = render(stage, 3).astype(int) - stage.background
    assert np.abs(quiet).max() < 20


def test_in_a_dark_stretch_the_whole_picture_is_dark(stage):
    visit = next(visit for visit in visits() if visit.flaw == "dark")
    assert render(stage, int((visit.flaw_ends_s - 0.5) * FPS)).mean() < 35
    assert render(stage, int((visit.flaw_ends_s + 0.5) * FPS)).mean() > 80


def test_a_blurred_person_has_no_fine_detail(stage):
    visit = next(visit for visit in visits() if visit.flaw == "blurred" and visit.outcome == "denied")
    blurred, sharp = (_detail(stage, visit.flaw_ends_s + after_s) for after_s in (-0.3, 0.5))
    assert blurred * 3 < sharp


def test_no_face_is_drawn_larger_than_its_photograph_allows(stage):
    photos = scene_photographs()
    for walk in stage.script.walks:
        original_px = photos[walk.role.name].face_box[2]
        assert walk.role.face_px <= min(LARGEST_FACE_PX, original_px * LARGEST_ENLARGEMENT)
        assert walk.role.face_px <= stage.cutouts[walk.role.name].levels[0].face_px


def test_the_hall_differs_from_seed_to_seed(stage):
    assert not np.array_equal(hall(np.random.default_rng(1)), stage.background)


@pytest.mark.slow
def test_the_source_shows_each_picture_of_its_seed_at_its_pace_and_ends(stage):
    scene = DemoScene()
    info = scene.open()
    assert (info.width, info.height, info.fps) == (1280, 720, 25.0)
    some = {0, int((visits()[0].from_s + 0.5) * FPS)}
    marks = []
    for number, frame in enumerate(iter(scene.read, None)):
        marks.append((frame.cut, frame.due_s))
        assert number not in some or np.array_equal(frame.image, render(stage, number))
    assert marks[:3] == [(True, 0), (False, 0.04), (False, 0.08)]
    assert len(marks) == stage.frames
    assert scene.read() is None


def test_the_scene_has_an_end_and_waits_for_its_reader():
    assert DemoScene.has_end
    assert not DemoScene.live


@pytest.mark.slow
def test_opened_again_it_starts_anew(stage):
    scene = DemoScene()
    scene.open()
    scene.read()
    scene.close()
    scene.close()
    scene.open()
    assert np.array_equal(scene.read().image, render(stage, 0))


def test_reading_a_closed_scene_is_an_error():
    with pytest.raises(RetryLater):
        DemoScene().read()


def test_opening_can_be_stopped_from_outside():
    def stop():
        raise InterruptedError

    scene = DemoScene()
    scene.on_wait = stop
    with pytest.raises(InterruptedError):
        scene.open()


@pytest.mark.parametrize(("address", "seed"), [("demo:", 0), ("demo:?seed=3", 3)])
def test_the_address_carries_the_seed(address, seed):
    assert DemoScene.from_address(address).seed == seed


@pytest.mark.parametrize("address", ["demo:3", "demo:?seed=", "demo:?seed=-1", "demo:?speed=2", "demo"])
def test_another_address_is_refused_with_a_hint(address):
    with pytest.raises(Misconfigured, match="demo:") as raised:
        DemoScene.from_address(address)
    assert raised.value.hint


def _detail(stage, time_s):
    pose = stage.script.poses(time_s)[0]
    half = int(pose.face_px / 2)
    rows, columns = (slice(int(c) - half, int(c) + half) for c in (pose.y, pose.x))
    face = render(stage, round(time_s * FPS))[rows, columns]
    return cv2.Laplacian(cv2.cvtColor(face, cv2.COLOR_BGR2GRAY), cv2.CV_32F).std()
