"""Addresses: secrets are masked, the right source is chosen, mistakes are explained; and the back-off."""

from __future__ import annotations

import os

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.camera.capture import retry_rule
from edged.camera.live import LiveSource, check_device
from edged.camera.reader import stale_limit_s
from edged.camera.registry import open_source
from edged.camera.stills import Stills
from edged.camera.videofile import VideoFile
from edged.config import CameraConfig
from edged.config.mask import mask_url
from edged.demo import DemoScene
from edged.errors import Misconfigured, NeedsOperator, NotFound


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("rtsp://admin:s3cret@10.0.0.9:554/live", "rtsp://***@10.0.0.9:554/live"),
        ("rtsp://admin:p@ss/w0rd@cam/live", "rtsp://***@cam/live"),
        ("http://cam/video.mjpg", "http://cam/video.mjpg"),
        ("http://cam/v?user=admin&pwd=s3cret&ch=1", "http://cam/v?user=***&pwd=***&ch=1"),
        ("rtsp://cam/user=admin_password=s3cret_channel=1.sdp", "rtsp://cam/user=***"),
        ("rtsp://cam/ch=1_password=s3cret/x", "rtsp://cam/ch=1_password=***/x"),
        ("/dev/v4l/by-id/usb-Cam-video-index0", "/dev/v4l/by-id/usb-Cam-video-index0"),
    ],
)
def test_credentials_are_masked(address: str, masked: str) -> None:
    assert mask_url(address) == masked


def test_an_address_inside_a_message_is_masked_too() -> None:
    assert (
        mask_url("cannot open rtsp://a:s3cret@cam/1, giving up") == "cannot open rtsp://***@cam/1, giving up"
    )


@given(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1))
def test_no_password_survives_masking(password: str) -> None:
    secret = f"<{password}>"
    assert secret not in mask_url(f"rtsp://admin:{secret}@camera/live")


@pytest.mark.parametrize(
    "source", [0, "2", "/dev/video0", "/dev/v4l/by-id/usb-x", "rtsp://a/b", "http://a/b"]
)
def test_devices_and_streams_are_live_and_have_no_end(source: object) -> None:
    opened = open_source(CameraConfig(source=source))
    assert isinstance(opened, LiveSource)
    assert opened.live
    assert not opened.has_end


def test_a_pipe_is_refused_and_not_waited_for(tmp_path) -> None:
    os.mkfifo(tmp_path / "clip")
    with pytest.raises(NotFound, match="is no file"):
        open_source(CameraConfig(source=str(tmp_path / "clip"))).open()


def test_a_path_that_may_not_be_looked_at_is_explained(tmp_path) -> None:
    with pytest.raises(NeedsOperator, match="File name too long") as caught:  # holds for root as well
        open_source(CameraConfig(source=str(tmp_path / ("a" * 300))))
    assert caught.value.code == "camera_permission"


def test_files_are_told_apart_by_name_and_content(tmp_path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((4, 4, 3), np.uint8))
    (tmp_path / "photo").write_bytes((tmp_path / "a.png").read_bytes())
    (tmp_path / "a.gif").write_bytes(b"GIF89a")
    (tmp_path / "clip:1.mkv").write_bytes(b"\x1a\x45\xdf\xa3")
    kinds = {
        name: type(open_source(CameraConfig(source=str(tmp_path / name))))
        for name in ("", "a.png", "photo", "a.gif", "clip:1.mkv")
    }
    assert kinds == {
        "": Stills,
        "a.png": Stills,
        "photo": Stills,
        "a.gif": VideoFile,
        "clip:1.mkv": VideoFile,
    }


def test_the_demo_is_found_by_its_scheme_with_its_options() -> None:
    source = open_source(CameraConfig(source="demo:?seed=3"))
    assert isinstance(source, DemoScene)
    assert source.seed == 3


def test_an_unknown_scheme_is_explained_without_its_secrets() -> None:
    with pytest.raises(Misconfigured) as caught:
        open_source(CameraConfig(source="rtmp://u:s3cret@cam/live"))
    assert caught.value.code == "camera_scheme_unknown"
    assert "rtsp:" in caught.value.hint
    assert "s3cret" not in str(caught.value)


def test_a_missing_file_is_explained(tmp_path) -> None:
    with pytest.raises(NotFound) as caught:
        open_source(CameraConfig(source=str(tmp_path / "lobby.mkv")))
    assert caught.value.code == "camera_missing"
    assert "lobby.mkv" in caught.value.message


def test_a_missing_device_names_the_cameras_that_are_there(tmp_path) -> None:
    for name in ("usb-Logi-video-index0", "usb-Logi-video-index1"):
        (tmp_path / name).touch()
    with pytest.raises(NotFound) as caught:
        check_device(tmp_path / "video0", by_id=tmp_path)
    assert str(tmp_path / "usb-Logi-video-index0") in caught.value.hint
    assert "index1" not in caught.value.hint, "index1 carries no pictures"


def test_a_missing_device_without_any_camera_says_so(tmp_path) -> None:
    with pytest.raises(NotFound, match="No USB camera"):
        check_device(tmp_path / "video0", by_id=tmp_path / "by-id")


def test_a_plain_file_is_not_a_device(tmp_path) -> None:
    path = tmp_path / "video0"
    path.touch()
    with pytest.raises(Misconfigured) as caught:
        check_device(path, by_id=tmp_path)
    assert caught.value.code == "camera_not_a_device"


def test_pauses_double_up_to_the_longest_one() -> None:
    rule = retry_rule(CameraConfig(retry_min_s=0.5, retry_max_s=10.0))
    assert [rule.pause_s(n, 0.5) for n in range(7)] == pytest.approx([0.5, 1, 2, 4, 8, 10, 10])


@given(st.floats(0, 100), st.floats(0, 100), st.integers(0, 12), st.floats(0, 1))
def test_a_pause_is_never_zero_and_never_more_than_a_fifth_over_the_longest(low, high, n, chance) -> None:
    rule = retry_rule(CameraConfig.model_construct(retry_min_s=low, retry_max_s=high))
    assert 0.03 < rule.pause_s(n, chance) <= max(low, high, 0.05) * 1.2 + 1e-9


def test_a_read_is_stale_after_half_a_second_or_five_frames() -> None:
    assert stale_limit_s(25) == 0.5
    assert stale_limit_s(5) == 1.0
