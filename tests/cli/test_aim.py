"""`edged aim` on real sources, and in a process of its own on a real terminal."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from fcntl import ioctl

import cv2
import numpy as np
import pytest
from command_line import Ended, run_edged
from places import PROJECT
from processes import start_process

from edged.demo.photographs import PHOTO_DIR

PROGRAM = [sys.executable, "-c", "from edged.cli import main; main()", "aim"]
OBAMA = PHOTO_DIR / "barack_obama_1.jpg"
DEADLINE_S = 60


@pytest.fixture
def environ(tmp_path):
    slow = tmp_path / "edged.yaml"
    slow.write_text("camera: {fps: 3}\n")
    return {**os.environ, "EDGED_CONFIG": str(slow), "TERM": "xterm-256color"}


@pytest.fixture
def aim(environ):
    def _aim(*arguments: object) -> Ended:
        return run_edged("aim", *arguments, env={"EDGED_CONFIG": environ["EDGED_CONFIG"]})

    return _aim


@pytest.fixture
def people(tmp_path):
    """A folder that shows one well-lit face for two seconds."""
    folder = tmp_path / "people"
    folder.mkdir()
    for number in range(2):
        (folder / f"{number}.jpg").write_bytes(OBAMA.read_bytes())
    return folder


def test_every_face_is_told_in_numbers_with_its_verdict_and_the_end_sums_up(aim, people):
    done = aim("--camera", people, "--hfov", 65)
    assert done.returncode == 0
    assert re.search(
        r"910x1137, .* fps, looked at .*; face \d+ px, 0\.\d m, light 1\d\d, yaw [+-]\d+°, "
        r"pitch [+-]\d+°, roll [+-]\d+°, blur 0\.\d\d: accepted",
        done.stdout,
    )
    summary = re.search(r"(\d+) pictures looked at: (\d+) .* (\d+) ", done.stdout)
    seen, with_face, good = map(int, summary.groups())
    assert seen == with_face == good > 0


@pytest.mark.slow
def test_without_an_angle_of_view_no_distance_is_made_up(aim, people):
    (people / "1.jpg").unlink()
    assert " px, light " in aim("--camera", people).stdout


@pytest.mark.slow
def test_a_badly_placed_camera_gets_advice(aim, tmp_path):
    far = cv2.copyMakeBorder(cv2.resize(cv2.imread(str(OBAMA)), (280, 350)), 0, 370, 500, 500, 0)
    for number in range(4):
        cv2.imwrite(str(tmp_path / f"{number}.png"), far)
    done = aim("--camera", tmp_path, "--hfov", 65)
    assert re.search(r"advice: Faces reach \d\d px, 100 are needed: .*\(enough at 1\.5 m\)", done.stdout)


@pytest.mark.slow
def test_the_limits_are_those_of_the_configuration(aim, people, tmp_path):
    strict = tmp_path / "strict.yaml"
    strict.write_text(f"camera: {{source: {people}}}\nvision: {{quality: {{min_face_px: 400}}}}\n")
    done = aim("-c", strict)
    assert done.returncode == 0
    assert "face_too_small" in done.stdout
    assert "0 with a face good enough" in done.stdout


@pytest.mark.slow
def test_pictures_that_change_size_are_followed(aim, tmp_path):
    for number, width in enumerate((910, 455, 640)):
        image = cv2.imread(str(OBAMA))
        cv2.imwrite(str(tmp_path / f"{number}.png"), cv2.resize(image, (width, round(width * 1.25))))
    cv2.imwrite(str(tmp_path / "3.png"), np.zeros((1, 1, 3), np.uint8))
    done = aim("--camera", tmp_path, "--hfov", 65)
    assert done.returncode == 0
    assert "accepted" in done.stdout
    assert "1x1, " in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("level", [0, 255])
def test_a_camera_that_sees_nothing_is_told_to_look_for_a_face(aim, tmp_path, level):
    cv2.imwrite(str(tmp_path / "blank.png"), np.full((720, 1280, 3), level, np.uint8))
    done = aim("--camera", tmp_path)
    assert done.returncode == 0
    assert "no face" in done.stdout
    assert "Too few faces yet to judge" in done.stdout


def test_a_missing_camera_is_waited_for_and_then_explained(aim):
    done = aim("--camera", "/dev/v4l/by-id/usb-nothing", "--seconds", 1)
    assert done.returncode == 69
    assert "camera lost: camera /dev/v4l/by-id/usb-nothing is not there." in done.stdout
    assert "usb-nothing is not there" in done.stderr


def test_a_source_that_can_never_be_opened_ends_at_once(aim, tmp_path):
    done = aim("--camera", tmp_path / "nothing.mp4")
    assert done.returncode == 66
    assert done.stdout == ""


def test_a_password_in_the_address_is_never_shown(aim):
    done = aim("--camera", "rtsp://user:secret@127.0.0.1:9/stream", "--seconds", 1)
    assert done.returncode == 69
    assert "secret" not in done.stdout + done.stderr


class Terminal:
    """The program on a terminal of its own, 100 columns wide."""

    def __init__(self, environ: dict[str, str], *arguments: object) -> None:
        self._master, slave = pty.openpty()
        ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        self.process = start_process(
            [*PROGRAM, *map(str, arguments)],
            cwd=PROJECT,
            env={k: v for k, v in environ.items() if k not in ("COLUMNS", "LINES")},
            stdin=slave,
            stdout=slave,
            stderr=slave,
        )
        os.close(slave)
        self.text = ""

    def wait_for(self, words: str) -> None:
        until_s = time.monotonic() + DEADLINE_S
        while words not in self.text:
            assert time.monotonic() < until_s, self.text
            assert self._read(), self.text

    def rest(self) -> str:
        while self._read():
            pass
        return self.text

    def _read(self) -> bool:
        if not select.select([self._master], [], [], DEADLINE_S)[0]:
            return False
        try:
            data = os.read(self._master, 65536)
        except OSError:  # the other side has closed the terminal
            return False
        self.text += data.decode(errors="replace")
        return bool(data)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._master)


@pytest.fixture
def terminal(environ):
    opened = []

    def _open(*arguments: object) -> Terminal:
        opened.append(Terminal(environ, *arguments))
        return opened[-1]

    yield _open
    for one in opened:
        one.close()


@pytest.mark.slow
def test_on_a_terminal_a_table_changes_in_place(terminal, people):
    (people / "1.jpg").unlink()
    screen = terminal("--camera", people)
    text = screen.rest()
    assert screen.process.wait(DEADLINE_S) == 0
    assert "verdict" in text
    assert "±20°" in text
    assert "\x1b[1A" in text  # the cursor goes up to write over the table
    assert "pictures looked at" in text


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_ctrl_c_and_sigterm_end_it_in_order(terminal, people, number):
    for copy in range(2, 60):
        os.link(people / "0.jpg", people / f"{copy}.jpg")
    screen = terminal("--camera", people)
    screen.wait_for("910x1137")
    screen.process.send_signal(number)
    text = screen.rest()
    assert screen.process.wait(DEADLINE_S) == 0
    assert "pictures looked at" in text
    assert "Traceback" not in text
    assert text.rstrip().count("\x1b[?25h") >= 1  # the cursor is visible again


@pytest.mark.slow
def test_plain_output_can_be_asked_for_on_a_terminal(terminal, people):
    screen = terminal("--camera", people, "--plain")
    assert "verdict" not in screen.rest()
