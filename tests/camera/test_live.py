"""Live cameras that misbehave: an HTTP MJPEG server on a real socket, a real reader process, real signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from mjpeg_camera import DEADLINE_S, Bench, MjpegCamera, jpeg

from edged.events import CameraConnected

FOR_EVER_S = 120.0
"""Longer than a test waits."""
GONE_SILENT = ("camera_silent", "camera_slow")
"""Codes of a camera that sends nothing more: on a busy machine its last pictures may also come late."""


@pytest.fixture
def camera() -> Iterator[MjpegCamera]:
    camera = MjpegCamera()
    yield camera
    camera.switch_off()


@pytest.fixture
def watch() -> Iterator[Callable[..., Bench]]:
    made: list[Bench] = []

    def make(source: str, **options: float) -> Bench:
        made.append(Bench(source, **options))
        made[-1].loop.start()
        return made[-1]

    yield make
    for one in made:
        one.loop.stop(DEADLINE_S)
        one.bus.close()
    assert readers_of(os.getpid()) == [], "a reader process was left behind"


def readers_of(parent: int) -> list[int]:
    """Reader processes (zombies too) whose parent is `parent`."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            command = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if int(fields[1]) == parent and (b"edged.camera.reader" in command or fields[0] == "Z"):
            found.append(int(entry.name))
    return found


def wait_until(rule: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + DEADLINE_S
    while not rule():
        if time.monotonic() > deadline:
            return False
        threading.Event().wait(0.02)
    return True


def test_frames_arrive_with_their_times_and_a_cut_at_the_start(camera, watch) -> None:
    before_s = time.monotonic()
    bench = watch(camera.url)
    first, second = bench.frame(), bench.frame()
    assert first.cut
    assert not second.cut
    assert first.image.shape == (120, 160, 3)
    assert before_s < first.captured_s < second.captured_s <= time.monotonic()
    assert bench.connected()
    assert (bench.events[0].width, bench.events[0].height) == (160, 120)


def test_pictures_survive_the_shared_memory(camera, watch) -> None:
    expected = cv2.imdecode(np.frombuffer(jpeg(), np.uint8), cv2.IMREAD_COLOR)
    bench = watch(camera.url)
    for _ in range(10):
        assert np.abs(bench.frame().image.astype(int) - expected).mean() < 4


def test_a_silent_camera_is_lost_and_found_again(camera, watch) -> None:
    bench = watch(camera.url)
    assert bench.connected()
    camera.mode = "stall"
    lost = bench.lost()
    assert lost.code in GONE_SILENT
    assert lost.hint
    camera.mode = "ok"
    assert bench.connected(times=2)
    connections = sum(isinstance(event, CameraConnected) for event in bench.events)
    assert bench.loop.counters().reconnects == connections - 1


def test_a_camera_that_ends_the_stream_is_lost(camera, watch) -> None:
    bench = watch(camera.url)
    assert bench.connected()
    camera.mode = "eof"
    assert bench.lost().code in ("camera_ended", "camera_silent")


@pytest.mark.slow
def test_a_camera_that_was_switched_off_is_found_again_and_starts_with_a_cut(camera, watch) -> None:
    bench = watch(camera.url)
    assert bench.connected()
    camera.switch_off()
    bench.lost()
    assert wait_until(lambda: any(getattr(e, "code", "") == "camera_refused" for e in bench.events))
    while bench.mailbox.take(0):
        pass
    camera.switch_on()
    assert bench.connected(times=2)
    assert bench.frame().cut


@pytest.mark.slow
def test_a_mute_camera_is_given_up_after_the_open_timeout(camera, watch) -> None:
    camera.mode = "mute"
    assert watch(camera.url).lost().code == "camera_open_failed"


def test_a_refused_password_is_named_and_not_shown(camera, watch) -> None:
    camera.mode = "locked"
    lost = watch(camera.url).lost()
    assert lost.code == "camera_unauthorized"
    assert "password" in lost.reason
    assert "s3cret" not in str(lost.to_dict())


def test_half_a_jpeg_does_no_harm(camera, watch) -> None:
    """FFmpeg delivers it as a whole frame (docs/reference/relay-boards.md 7.2); the camera must go on."""
    bench = watch(camera.url)
    bench.frame()
    camera.mode = "truncated"
    for _ in range(5):
        assert bench.frame().image.shape == (120, 160, 3)
    camera.mode = "ok"
    assert bench.frame().image.shape == (120, 160, 3)


@pytest.mark.slow
def test_pictures_that_come_late_are_counted_and_never_delivered(camera, watch) -> None:
    bench = watch(camera.url, read_timeout_s=2.0)
    bench.frame()
    camera.mode = "slow"
    assert bench.lost().code == "camera_slow"
    assert bench.loop.counters().stale >= 2


@pytest.mark.slow
def test_a_camera_that_changes_its_picture_size_keeps_delivering_whole_pictures(camera, watch) -> None:
    expected = cv2.imdecode(np.frombuffer(jpeg(), np.uint8), cv2.IMREAD_COLOR)
    bench = watch(camera.url)
    bench.frame()
    camera.mode = "resized"
    for _ in range(10):
        image = cv2.resize(bench.frame().image, (160, 120))
        assert np.abs(image.astype(int) - expected).mean() < 6


def test_a_killed_reader_is_replaced(camera, watch) -> None:
    bench = watch(camera.url)
    assert bench.connected()
    (reader,) = readers_of(os.getpid())
    os.kill(reader, signal.SIGKILL)
    assert bench.lost().code == "camera_reader_died"
    assert bench.connected(times=2)
    assert readers_of(os.getpid()) != [reader]


@pytest.mark.slow
def test_a_frozen_reader_is_replaced(camera, watch) -> None:
    bench = watch(camera.url)
    assert bench.connected()
    (reader,) = readers_of(os.getpid())
    os.kill(reader, signal.SIGSTOP)
    assert bench.lost().code in GONE_SILENT
    assert bench.connected(times=2)
    assert reader not in readers_of(os.getpid())


@pytest.mark.parametrize(
    "mode",
    ["ok", pytest.param("stall", marks=pytest.mark.slow), pytest.param("mute", marks=pytest.mark.slow)],
)
def test_stop_does_not_wait_for_the_camera_whatever_it_does(camera, watch, mode: str) -> None:
    camera.mode = mode
    bench = watch(camera.url, open_timeout_s=FOR_EVER_S, read_timeout_s=FOR_EVER_S)
    if mode == "mute":
        assert wait_until(lambda: readers_of(os.getpid()) != [])
    elif mode == "ok":
        bench.frame()
    assert bench.loop.stop(DEADLINE_S)
    assert readers_of(os.getpid()) == []


@pytest.mark.slow
def test_stop_does_not_wait_for_a_frozen_reader(camera, watch) -> None:
    bench = watch(camera.url, open_timeout_s=FOR_EVER_S, read_timeout_s=FOR_EVER_S)
    bench.frame()
    (reader,) = readers_of(os.getpid())
    os.kill(reader, signal.SIGSTOP)
    assert bench.loop.stop(DEADLINE_S)


def test_nothing_is_left_after_stop(camera, watch) -> None:
    bench = watch(camera.url)
    bench.frame()
    assert bench.loop.stop(DEADLINE_S)
    assert readers_of(os.getpid()) == []
    assert "edged-camera" not in Path("/proc/self/maps").read_text()
    assert not [fd for fd in Path("/proc/self/fd").iterdir() if "edged-camera" in os.path.realpath(fd)]


def test_the_reader_inherits_no_open_file_of_the_daemon(camera, watch, tmp_path) -> None:
    with (tmp_path / "relay").open("wb") as relay:
        os.set_inheritable(relay.fileno(), True)
        bench = watch(camera.url)
        bench.frame()
        (reader,) = readers_of(os.getpid())
        held = [os.path.realpath(fd) for fd in Path(f"/proc/{reader}/fd").iterdir()]
    assert str(tmp_path / "relay") not in held


def test_the_password_is_not_in_the_command_line_of_the_reader(camera, watch) -> None:
    bench = watch(camera.url)
    bench.frame()
    (reader,) = readers_of(os.getpid())
    assert b"s3cret" not in Path(f"/proc/{reader}/cmdline").read_bytes()


def test_the_reader_is_out_of_reach_of_ctrl_c(camera, watch) -> None:
    bench = watch(camera.url)
    bench.frame()
    (reader,) = readers_of(os.getpid())
    assert os.getpgid(reader) != os.getpgid(0)
    os.kill(reader, signal.SIGINT)
    number = bench.frame().number
    assert wait_until(lambda: bench.frame().number > number + 5)
    assert readers_of(os.getpid()) == [reader]


DAEMON = """
import sys, threading
from edged.camera.registry import open_source
from edged.config import CameraConfig
source = open_source(CameraConfig(source=sys.argv[1]))
source.open()
print("open", flush=True)
threading.Event().wait()
"""


@pytest.mark.slow
def test_the_reader_goes_when_the_daemon_is_killed(camera) -> None:
    daemon = subprocess.Popen([sys.executable, "-c", DAEMON, camera.url], stdout=subprocess.PIPE)
    try:
        assert daemon.stdout.readline() == b"open\n"
        camera.mode = "stall"  # the reader is stuck in a read when it happens
        (reader,) = readers_of(daemon.pid)
    finally:
        daemon.kill()
        daemon.wait()
        daemon.stdout.close()
    assert wait_until(lambda: not is_running(reader))


def is_running(pid: int) -> bool:
    """False for a process that is gone, or dead and not yet reaped by the process that inherited it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_a_missing_device_is_tried_again_with_a_hint(watch) -> None:
    lost = watch("/dev/video97").lost()
    assert lost.code == "camera_missing"
    assert lost.hint
    assert lost.retry_s > 0


def test_a_device_that_is_no_camera_is_reported_as_not_opening(watch) -> None:
    assert watch("/dev/null").lost().code == "camera_open_failed"
