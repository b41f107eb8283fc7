"""Video files and still pictures as sources: order, pace, cuts, honest ends."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edged.camera.source import FrameSource, RawFrame
from edged.camera.stills import Stills
from edged.camera.videofile import VideoFile
from edged.errors import Misconfigured, NotFound, TryAnotherShot


def write_video(path: Path, frames: int, fourcc: str = "MJPG", fps: float = 25.0) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*fourcc), fps, (160, 120))
    assert writer.isOpened()
    rng = np.random.default_rng(0)
    for _ in range(frames):
        writer.write(rng.integers(0, 255, (120, 160, 3), np.uint8))
    writer.release()
    return path


def cut_off(path: Path, share: float) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def write_picture(path: Path, level: int, size: tuple[int, int] = (30, 40)) -> Path:
    assert cv2.imwrite(str(path), np.full((*size, 3), level, np.uint8))
    return path


def read_all(source: FrameSource) -> list[RawFrame]:
    source.open()
    frames = []
    while (frame := source.read()) is not None:
        frames.append(frame)
    source.close()
    return frames


@pytest.mark.parametrize(("name", "fourcc"), [("a.avi", "MJPG"), ("a.mkv", "MJPG"), ("a.mp4", "mp4v")])
def test_a_video_plays_to_its_end_at_its_own_pace(tmp_path, name: str, fourcc: str) -> None:
    source = VideoFile(write_video(tmp_path / name, 20, fourcc, fps=12.5), fallback_fps=25)
    info = source.open()
    source.close()
    assert (info.width, info.height, info.fps) == (160, 120, 12.5)
    frames = read_all(source_again := VideoFile(tmp_path / name, fallback_fps=25))
    assert source_again.defect == ""
    assert [f.due_s for f in frames] == pytest.approx([i / 12.5 for i in range(20)])
    assert [f.cut for f in frames] == [True] + [False] * 19
    assert frames[0].image.shape == (120, 160, 3)


@pytest.mark.parametrize(("name", "fourcc"), [("a.avi", "MJPG"), ("a.mkv", "MJPG"), ("b.mkv", "mp4v")])
def test_a_cut_off_video_delivers_what_it_has_and_says_what_is_missing(tmp_path, name, fourcc) -> None:
    source = VideoFile(cut_off(write_video(tmp_path / name, 50, fourcc), 0.6), fallback_fps=25)
    frames = read_all(source)
    assert 10 < len(frames) < 40
    assert f"after {len(frames)} of 50 frames" in source.defect


def test_a_hole_in_a_matroska_file_is_told(tmp_path) -> None:
    path = write_video(tmp_path / "a.mkv", 100)
    data = bytearray(path.read_bytes())
    tenth = len(data) // 10
    data[5 * tenth : 6 * tenth] = bytes(tenth)
    path.write_bytes(data)
    source = VideoFile(path, fallback_fps=25)
    assert len(read_all(source)) == 90
    assert source.defect == "a.mkv lacks about 10 frames in its middle"


@pytest.mark.parametrize("content", [b"", b"not a video at all" * 100])
def test_a_file_that_is_no_video_is_misconfigured(tmp_path, content: bytes) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    source = VideoFile(path, fallback_fps=25)
    with pytest.raises(Misconfigured) as caught:
        source.open()
    source.close()
    assert caught.value.code == "video_unreadable"
    assert caught.value.hint


def test_an_mp4_that_lost_its_index_is_misconfigured(tmp_path) -> None:
    source = VideoFile(cut_off(write_video(tmp_path / "a.mp4", 20, "mp4v"), 0.6), fallback_fps=25)
    with pytest.raises(Misconfigured):
        source.open()
    source.close()


def test_a_video_that_is_gone_is_not_found(tmp_path) -> None:
    with pytest.raises(NotFound):
        VideoFile(tmp_path / "a.mkv", fallback_fps=25).open()


def test_a_folder_is_shown_in_the_order_of_names_each_picture_held(tmp_path) -> None:
    for name, level in (("c.png", 30), ("a.png", 10), ("B.bmp", 20), (".hidden.png", 99), ("notes.txt", 0)):
        write_picture(tmp_path / name, level) if level else (tmp_path / name).write_text("no picture")
    source = Stills(tmp_path, fps=4, hold_s=0.5)
    frames = read_all(source)
    assert [int(f.image[0, 0, 0]) for f in frames] == [20, 20, 10, 10, 30, 30]
    assert [f.cut for f in frames] == [True, False] * 3
    assert [f.due_s for f in frames] == pytest.approx([0, 0.25, 0.5, 0.75, 1.0, 1.25])
    assert frames[0].image is frames[1].image, "the same pixels"
    assert source.defect == ""


def test_a_single_picture_is_held_once(tmp_path) -> None:
    frames = read_all(Stills(write_picture(tmp_path / "a.png", 5), fps=10, hold_s=1.0))
    assert len(frames) == 10


def test_a_picture_is_shown_even_when_the_hold_is_shorter_than_a_frame(tmp_path) -> None:
    assert len(read_all(Stills(write_picture(tmp_path / "a.png", 5), fps=1, hold_s=0.1))) == 1


def test_pictures_keep_their_own_sizes_and_large_ones_are_scaled_to_fit(tmp_path) -> None:
    write_picture(tmp_path / "a.png", 5, (30, 40))
    write_picture(tmp_path / "b.png", 5, (2160, 3840))
    frames = read_all(Stills(tmp_path, fps=1))
    assert [f.image.shape[:2] for f in frames] == [(30, 40), (1080, 1920)]


def test_unusable_pictures_are_left_out_and_named(tmp_path) -> None:
    write_picture(tmp_path / "b.png", 5)
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8\xff broken")
    (tmp_path / "c.gif").write_bytes(b"GIF89a\x01\0\x01\0\0\0\0;")
    source = Stills(tmp_path, fps=1)
    assert len(read_all(source)) == 1
    assert source.defect.startswith("2 of 3 pictures could not be used")
    assert "a.jpg (picture_corrupt)" in source.defect
    assert "c.gif (picture_is_animation)" in source.defect


def test_a_folder_without_a_usable_picture_is_misconfigured(tmp_path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"")
    with pytest.raises(Misconfigured) as caught:
        Stills(tmp_path, fps=1).open()
    assert caught.value.code == "camera_no_pictures"
    assert "a.jpg" in caught.value.message


def test_a_single_picture_that_cannot_be_used_says_why(tmp_path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"")
    with pytest.raises(TryAnotherShot) as caught:
        Stills(path, fps=1).open()
    assert caught.value.code == "picture_corrupt"
