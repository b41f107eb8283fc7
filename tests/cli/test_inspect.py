"""`edged inspect` on real files, good and bad, through the real command line."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from command_line import Ended, run_edged
from places import PROJECT
from tiers import slow_but

from edged.cli.inspect_output import MOST_TILES
from edged.demo.photographs import PHOTO_DIR
from edged.events import Measures

OBAMA = PHOTO_DIR / "barack_obama_1.jpg"
COLLINS = PHOTO_DIR / "eileen_collins.png"


def inspect(*arguments: object) -> Ended:
    return run_edged("inspect", *arguments, env={"EDGED_CONFIG": os.devnull, "COLUMNS": "160"})


def objects(*arguments: object) -> list[dict]:
    result = inspect(*arguments, "--json")
    return [json.loads(line) for line in result.stdout.splitlines()]


def photo(width: int | None = None) -> np.ndarray:
    image = cv2.imread(str(OBAMA))
    return image if width is None else cv2.resize(image, (width, round(width * 1137 / 910)))


def save(path: Path, image: np.ndarray) -> Path:
    assert cv2.imwrite(str(path), image)
    return path


def film(path: Path, frames: list[np.ndarray], fps: float = 10.0) -> Path:
    height, width = frames[0].shape[:2]
    codec = cv2.VideoWriter.fourcc(*"mp4v")
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, codec, fps, (width, height))
    for frame in frames:
        writer.write(frame)
    writer.release()
    return path


# --- what is shown ----------------------------------------------------------------------------------------


def test_a_good_face_has_every_measure_its_limit_and_its_verdict():
    result = inspect(OBAMA)
    assert result.returncode == 0
    assert "face 1: accepted" in result.stdout
    for field in dataclasses.fields(Measures):
        assert field.name in result.stdout
    assert "from 100 px" in result.stdout
    assert "below ±20°" in result.stdout
    assert "refused" not in result.stdout


def test_a_refused_face_names_the_measure_the_reason_and_the_cure():
    result = inspect(COLLINS)
    assert result.returncode == 0
    row = next(line for line in result.stdout.splitlines() if "face_px" in line)
    assert row.split()[-1] == "refused"
    assert "face_too_small: the face was too small in the picture. Come closer" in result.stdout


def test_enrolling_has_limits_of_its_own():
    assert "face 1: accepted" in inspect(COLLINS, "--enrol").stdout


def test_json_is_one_object_a_picture():
    good, small = objects(OBAMA, COLLINS)
    assert good["file"] == str(OBAMA)
    (face,) = good["faces"]
    assert face.keys() == {"box", "measures", "verdict", "reasons", "limits", "liveness"}
    assert face["measures"].keys() == {field.name for field in dataclasses.fields(Measures)}
    assert (face["verdict"], face["reasons"], face["limits"]) == ("accepted", [], {})
    assert small["faces"][0]["verdict"] == "refused"
    assert small["faces"][0]["limits"] == {"face_too_small": 100.0}


def test_a_folder_is_a_line_a_face_and_counts_at_the_end():
    result = inspect(PHOTO_DIR)
    lines = result.stdout.splitlines()
    assert len(lines) == 9
    assert lines[-1] == "8 pictures, 8 faces; 6 accepted; 2 refused (face_too_small 2)"
    assert "verdict" not in result.stdout


@pytest.mark.slow
def test_a_folder_can_be_shown_in_full():
    assert inspect(PHOTO_DIR, "--full").stdout.count("measure") == 8


def test_only_the_files_in_a_folder_are_looked_at(tmp_path):
    inner = tmp_path / "pictures" / "inner"
    inner.mkdir(parents=True)
    shutil.copy(OBAMA, inner)
    shutil.copy(COLLINS, tmp_path / "pictures")
    shutil.copy(COLLINS, tmp_path / "pictures" / ".hidden.png")
    (tmp_path / "pictures" / "notes.txt").write_text("nothing")
    assert [Path(o["file"]).name for o in objects(tmp_path / "pictures")] == ["eileen_collins.png"]


@pytest.mark.slow
def test_a_video_is_looked_at_every_so_many_seconds(tmp_path):
    clip = film(tmp_path / "clip.mp4", [photo(320)] * 9, fps=4.0)
    found = objects(clip)
    assert [(o["frame"], o["time_s"]) for o in found] == [(1, 0.0), (3, 0.5), (5, 1.0), (7, 1.5), (9, 2.0)]
    assert all(len(o["faces"]) == 1 for o in found)
    assert len(objects(clip, "--every", "0")) == 9
    assert len(objects(clip, "--every", "60")) == 1


# --- drawing ----------------------------------------------------------------------------------------------


def test_one_picture_is_drawn_at_full_size(tmp_path):
    out = tmp_path / "out.png"
    assert inspect(OBAMA, "--draw", out).returncode == 0
    drawn = cv2.imread(str(out))
    assert drawn.shape == photo().shape
    assert (drawn != photo()).any(axis=2).mean() > 0.01


@pytest.mark.slow
def test_several_pictures_become_a_contact_sheet(tmp_path):
    out = tmp_path / "out.jpg"
    result = inspect(PHOTO_DIR, "--draw", out)
    assert cv2.imread(str(out)).shape[1] == 4 * 480
    assert f"drawn: {out}" in result.stderr


def test_a_contact_sheet_has_an_end_and_says_so(tmp_path):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number in range(MOST_TILES + 2):
        save(pictures / f"{number:03}.png", np.zeros((20, 20, 3), np.uint8))
    result = inspect(pictures, "--draw", tmp_path / "out.png")
    assert f"the first {MOST_TILES} of {MOST_TILES + 2} pictures" in result.stderr


@pytest.mark.slow
def test_a_video_becomes_a_film_that_plays_as_long(tmp_path):
    clip = film(tmp_path / "clip.mp4", [photo(640)] * 21)
    out = tmp_path / "out.mp4"
    assert inspect(clip, "--every", "0.2", "--draw", out).returncode == 0
    played = cv2.VideoCapture(str(out))
    frames = int(played.get(cv2.CAP_PROP_FRAME_COUNT))
    assert (frames, played.get(cv2.CAP_PROP_FPS)) == (11, 5.0)
    assert played.read()[0]


def test_pictures_of_different_sizes_fit_into_one_film(tmp_path):
    save(tmp_path / "a.png", photo(701))
    save(tmp_path / "b.png", photo(320))
    out = tmp_path / "out.mp4"
    assert inspect(tmp_path / "a.png", tmp_path / "b.png", "--draw", out).returncode == 0
    assert cv2.VideoCapture(str(out)).get(cv2.CAP_PROP_FRAME_COUNT) == 2


def test_a_drawing_of_another_kind_is_refused_before_anything_is_measured(tmp_path):
    result = inspect(OBAMA, "--draw", tmp_path / "out.gif")
    assert result.returncode == 78
    assert "ends in .png, .jpg or .mp4" in result.stderr
    assert result.stdout == ""


def test_a_drawing_without_a_folder_is_refused(tmp_path):
    result = inspect(OBAMA, "--draw", tmp_path / "nowhere" / "out.png")
    assert result.returncode == 69
    assert "its folder is not there" in result.stderr


def test_nothing_to_draw_is_said(tmp_path):
    out = tmp_path / "out.png"
    result = inspect(tmp_path / "missing.jpg", "--draw", out)
    assert "was not written" in result.stderr
    assert not out.exists()


# --- bad and unusual input --------------------------------------------------------------------------------


def rgba(path: Path) -> Path:
    alpha = np.full((*photo().shape[:2], 1), 255, np.uint8)
    return save(path, np.dstack([photo(), alpha]))


UNUSUAL = {
    "grey.png": lambda p: save(p, cv2.cvtColor(photo(), cv2.COLOR_BGR2GRAY)),
    "16bit.png": lambda p: save(p, photo().astype(np.uint16) * 257),
    "rgba.png": rgba,
    "8k.jpg": lambda p: save(p, cv2.resize(photo(), (3456, 4320))),
    "8k-wide.jpg": lambda p: save(
        p, cv2.copyMakeBorder(cv2.resize(photo(), (3456, 4320)), 0, 0, 2000, 2224, 0)
    ),
}


@pytest.mark.parametrize("name", slow_but(UNUSUAL, "16bit.png", "rgba.png"))
def test_an_unusual_picture_of_a_good_face_shows_that_face(tmp_path, name):
    (found,) = objects(UNUSUAL[name](tmp_path / name))
    assert len(found["faces"]) == 1
    assert found["faces"][0]["measures"]["face_px"] > 200
    out = tmp_path / "out.png"
    assert inspect(tmp_path / name, "--draw", out).returncode == 0
    assert max(cv2.imread(str(out)).shape) <= 1920


def test_a_picture_turned_by_exif_is_looked_at_upright(tmp_path):
    turned = cv2.rotate(photo(), cv2.ROTATE_90_COUNTERCLOCKWISE)
    _, jpeg = cv2.imencode(".jpg", turned)
    entry = struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0)  # orientation: turn clockwise to view
    exif = b"Exif\0\0" + b"II*\0" + struct.pack("<IH", 8, 1) + entry + struct.pack("<I", 0)
    data = b"\xff\xd8\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg.tobytes()[2:]
    path = tmp_path / "turned.jpg"
    path.write_bytes(data)
    (found,) = objects(path)
    assert abs(found["faces"][0]["measures"]["roll_deg"]) < 10


EMPTY = {
    "dot.png": np.zeros((1, 1, 3), np.uint8),
    "black.png": np.zeros((720, 1280, 3), np.uint8),
    "white.png": np.full((720, 1280, 3), 255, np.uint8),
    "noise.png": np.random.default_rng(1).integers(0, 256, (480, 640, 3), np.uint8),
}


@pytest.mark.parametrize("name", EMPTY)
def test_a_picture_without_a_face_says_so_and_can_be_drawn(tmp_path, name):
    path, out = save(tmp_path / name, EMPTY[name]), tmp_path / "out.png"
    result = inspect(path, "--draw", out)
    assert result.returncode == 0
    assert result.stdout == f"{path}: no face found\n"
    assert cv2.imread(str(out)) is not None


def test_a_face_that_fills_the_picture_is_found_and_drawn(tmp_path):
    (x, y, width, height) = (round(v) for v in objects(OBAMA)[0]["faces"][0]["box"])
    path = save(tmp_path / "close.png", photo()[y : y + height, x : x + width])
    (found,) = objects(path)
    assert len(found["faces"]) == 1
    assert inspect(path, "--draw", tmp_path / "out.png").returncode == 0


@pytest.mark.slow
def test_fifty_faces_are_all_listed_and_drawn(tmp_path):
    small = photo(160)
    path = save(tmp_path / "fifty.png", np.vstack([np.hstack([small] * 10)] * 5))
    (found,) = objects(path, "--draw", tmp_path / "out.png")
    assert len(found["faces"]) == 50
    assert {face["verdict"] for face in found["faces"]} == {"refused"}
    assert (tmp_path / "out.png").stat().st_size > 100_000


@pytest.mark.slow
def test_a_video_whose_frames_change_size_is_looked_at_to_its_end(tmp_path):
    frames = [photo(640)] * 6 + [photo(480)] * 6
    path = tmp_path / "changes.mjpg"
    path.write_bytes(b"".join(cv2.imencode(".jpg", frame)[1].tobytes() for frame in frames))
    found = objects(path, "--every", "0", "--draw", tmp_path / "out.mp4")
    assert len(found) == 12
    assert all(len(o["faces"]) == 1 for o in found)
    assert cv2.VideoCapture(str(tmp_path / "out.mp4")).get(cv2.CAP_PROP_FRAME_COUNT) == 12


def png_of_size(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = b"IHDR" + header
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))


BROKEN = {
    "empty.jpg": (b"", 65, "picture_corrupt"),
    "cut.jpg": (OBAMA.read_bytes()[:400], 65, "picture_corrupt"),
    "text.png": (b"not a picture", 65, "picture_unsupported"),
    "bomb.png": (png_of_size(60_000, 60_000), 65, "picture_too_large"),
    "text.mp4": (b"not a video", 65, "video_unreadable"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_named_and_the_others_are_looked_at(tmp_path, name):
    data, exit_code, code = BROKEN[name]
    path = tmp_path / name
    path.write_bytes(data)
    result = inspect(path, OBAMA, "--json")
    assert result.returncode == exit_code
    broken, good = (json.loads(line) for line in result.stdout.splitlines())
    assert (broken["file"], broken["error"]) == (str(path), code)
    assert good["faces"]


def test_a_video_that_breaks_off_is_looked_at_as_far_as_it_goes(tmp_path):
    whole = tmp_path / "whole.avi"
    writer = cv2.VideoWriter(str(whole), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (320, 400))
    for _ in range(20):
        writer.write(photo(320)[:400])
    writer.release()
    cut = tmp_path / "cut.avi"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    result = inspect(cut, "--json")
    assert result.returncode == 65
    *frames, last = (json.loads(line) for line in result.stdout.splitlines())
    assert frames
    assert last["error"] == "video_broken_off"


def test_a_name_that_is_no_text_harms_neither_terminal_nor_drawing(tmp_path):
    path = Path(f"{tmp_path}/\udce9\x1b[31m.jpg")
    path.write_bytes(OBAMA.read_bytes())
    result = inspect(path, "--draw", tmp_path / "out.png")
    assert "??[31m.jpg" in result.stdout
    assert cv2.imread(str(tmp_path / "out.png")) is not None


@pytest.mark.parametrize("suffix", ["", ".jpg", ".mp4"])
def test_a_path_that_may_not_be_looked_at_is_explained(tmp_path, suffix):
    result = inspect(tmp_path / ("a" * 300 + suffix))
    assert result.returncode == 69
    assert "cannot be read: File name too long" in result.stderr


def test_what_is_not_there_is_said_and_counted(tmp_path):
    result = inspect(tmp_path / "missing.jpg", tmp_path / "missing.mp4", tmp_path, OBAMA)
    assert result.returncode == 66
    assert result.stderr.count("is not there") == 2
    assert "holds no picture and no video" in result.stderr
    assert "3 files not usable (picture_missing 3)" in result.stdout


# --- the page about it --------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_samples_of_the_page_are_what_is_printed(monkeypatch):
    monkeypatch.chdir(PROJECT)
    page = (PROJECT / "docs" / "aiming.md").read_text("utf-8")
    samples = re.findall(r"```sh\nedged inspect ([^\n]+)\n```\n\n```text\n(.+?)```", page, re.DOTALL)
    assert len(samples) == 2
    for command, sample in samples:
        printed = {_words(line) for line in inspect(*command.split()).stdout.splitlines()}
        assert {_words(line) for line in sample.splitlines()} <= printed | {"…"}


def _words(line: str) -> str:
    """Without what a better model may change: the widths of columns and the measured figures."""
    return re.sub(r"[+-]?\d+(\.\d+)?", "N", re.sub(r"[\s─]+", " ", line).strip())
