"""`edged inspect` says what the network thinks of a picture, and what the frames of a video say together."""

from __future__ import annotations

import json
import os

import cv2
import numpy as np
import pytest
from command_line import run_edged

from edged.demo.photographs import PHOTO_DIR

PHOTO = PHOTO_DIR / "jacinda_ardern_1.jpg"


def inspect(*arguments: object) -> str:
    done = run_edged("inspect", *arguments, env={"EDGED_CONFIG": os.devnull})
    assert done.returncode == 0, done.stderr
    return done.stdout


def faces_of(*arguments: object) -> list[dict]:
    lines = inspect("--json", *arguments).splitlines()
    return [face for line in lines for face in json.loads(line)["faces"]]


@pytest.fixture
def film(tmp_path):
    """The photograph for two seconds, brightened a little from frame to frame."""
    path = tmp_path / "film.avi"
    picture = cv2.resize(cv2.imread(str(PHOTO)), (640, 800))
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (640, 800))
    for number in range(20):
        writer.write(np.clip(picture.astype(int) + number, 0, 255).astype(np.uint8))
    writer.release()
    return path


def test_of_a_single_picture_the_network_alone_speaks_and_nothing_is_decided():
    (face,) = faces_of(PHOTO)
    assert face["liveness"]["basis"] == "network"
    assert 0 <= face["liveness"]["score"] <= 1
    assert not face["liveness"]["decided"]
    assert "network alone" in inspect(PHOTO)


@pytest.mark.slow
def test_along_a_video_the_judgement_is_made_after_five_frames(film):
    lives = [face["liveness"] for face in faces_of("--every", "0", film)]
    assert {live["basis"] for live in lives} == {"track"}
    assert [live["frames"] for live in lives] == list(range(1, 21))
    assert [live["decided"] for live in lives] == [False] * 4 + [True] * 16


@pytest.mark.slow
def test_a_second_video_begins_anew(film, tmp_path):
    again = tmp_path / "again.avi"
    again.write_bytes(film.read_bytes())
    lives = [face["liveness"] for face in faces_of("--every", "0.5", film, again)]
    assert [live["frames"] for live in lives] == [1, 2, 3, 4, 1, 2, 3, 4]


def test_where_liveness_is_off_nothing_is_said_of_it(tmp_path):
    config = tmp_path / "edged.yaml"
    config.write_text("vision: {liveness: {mode: 'off'}}\n", "utf-8")
    (face,) = faces_of("-c", config, PHOTO)
    assert face["liveness"] is None
    assert "liveness" not in inspect("-c", config, PHOTO)
