"""The guard switches off when whoever switched on cannot. A real process, a pty board, real signals."""

import ast
import json
import os
import signal
import socket
import subprocess
import sys

import pytest
from guarding import running_guard
from places import PROJECT

from edged.clock import SystemClock
from edged.gate.board.guarded import GuardedLine
from edged.gate.sim import SimBoard, parse_url

ON, OFF = bytes.fromhex("A00101A2"), bytes.fromhex("A00100A1")
DEADLINE_S = 30.0
GUARD = PROJECT / "edged" / "gate_guard.py"

CHILD = """
import sys
from edged.clock import SystemClock
from edged.gate.board.guarded import GuardedLine
from pathlib import Path
line = GuardedLine(Path(sys.argv[1]), 9600, [bytes.fromhex("A00100A1")], SystemClock())
line.lease(float(sys.argv[2]))
line.write(bytes.fromhex("A00101A2"))
print("on", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def board(tmp_path):
    board = SimBoard(parse_url(f"sim:lcus?link={tmp_path / 'board'}&baud=115200"), SystemClock())
    yield board
    board.close()


@pytest.fixture
def guard(board, tmp_path):
    with running_guard(board.link, tmp_path / "guard.sock") as process:
        yield process


def connect(tmp_path):
    return GuardedLine(tmp_path / "guard.sock", 115200, [OFF], SystemClock())


def wait_and_read(line):
    assert SystemClock().wait_readable(line.fileno(), DEADLINE_S)
    return line.read(1)


def is_on(board):
    return board.wait_for(lambda b: b.relays[0], DEADLINE_S)


def is_off(board):
    return board.wait_for(lambda b: not b.relays[0] and OFF in b.received(), DEADLINE_S)


def switched_on_by_a_child(tmp_path, board, lease_s):
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path / "guard.sock"), str(lease_s)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout.readline() == "on\n"
    assert is_on(board)
    return child


def test_bytes_pass_in_both_directions(board, guard, tmp_path):
    line = connect(tmp_path)
    line.write(ON)
    assert is_on(board)
    line.write(b"\xff")
    assert wait_and_read(line) == b"C"
    line.close()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_daemon_that_is_killed_or_stopped_leaves_nothing_open(board, guard, tmp_path, number):
    child = switched_on_by_a_child(tmp_path, board, 0.3)
    child.send_signal(number)
    try:
        assert is_off(board)
    finally:
        child.kill()
        child.communicate(timeout=DEADLINE_S)


def test_while_the_lease_runs_a_dead_daemon_changes_nothing(board, guard, tmp_path):
    child = switched_on_by_a_child(tmp_path, board, 500)
    child.kill()
    child.communicate(timeout=DEADLINE_S)
    line = connect(tmp_path)  # the guard has seen the end of the other one
    line.write(b"\x00")
    assert board.relays[0]
    line.close()


def test_released_means_nothing_is_written_any_more(board, guard, tmp_path):
    line = connect(tmp_path)
    line.lease(0.05)
    line.write(OFF)
    line.release()
    line.lease(0.05)
    line.release()
    line.write(ON)
    assert is_on(board)
    assert board.received().count(OFF) == 1
    line.close()


def test_after_a_lease_ran_out_nothing_is_written_until_the_board_is_opened_again(board, guard, tmp_path):
    line = connect(tmp_path)
    line.lease(0.0)
    with pytest.raises(OSError, match="lease ran out"):
        wait_and_read(line)
    with pytest.raises(OSError, match="lease ran out"):
        line.write(ON)
    line.close()
    again = connect(tmp_path)
    again.write(ON)
    assert is_on(board)
    again.close()


def test_a_board_that_was_unplugged_gets_its_off_when_it_comes_back(tmp_path):
    url = f"sim:lcus?link={tmp_path / 'board'}&baud=115200&self_powered=1"
    board = SimBoard(parse_url(url), SystemClock())
    try:
        with running_guard(board.link, tmp_path / "guard.sock"):
            line = connect(tmp_path)
            line.lease(0.2)
            line.write(ON)
            assert is_on(board)
            board.unplug()
            line.close()
            assert board.relays[0]
            board.plug()
            assert is_off(board)
    finally:
        board.close()


def test_a_guard_that_was_killed_begins_with_off(board, tmp_path):
    path = tmp_path / "guard.sock"
    with running_guard(board.link, path) as first:
        line = connect(tmp_path)
        line.lease(500)
        line.write(ON)
        assert is_on(board)
        first.kill()
        first.wait(timeout=DEADLINE_S)
        line.close()
    assert board.relays[0]
    with running_guard(board.link, path):
        assert is_off(board)


def test_told_to_end_it_switches_off(board, guard, tmp_path):
    line = connect(tmp_path)
    line.lease(500)
    line.write(ON)
    assert is_on(board)
    guard.terminate()
    assert guard.wait(DEADLINE_S) == 0
    assert is_off(board)
    line.close()


def test_a_second_daemon_is_sent_away_and_the_first_goes_on(board, guard, tmp_path):
    first = connect(tmp_path)
    with pytest.raises(OSError, match="another daemon"):
        connect(tmp_path)
    first.write(ON)
    assert is_on(board)
    first.close()


def test_without_the_board_opening_fails_and_the_guard_waits_for_the_next_attempt(board, guard, tmp_path):
    board.unplug()
    with pytest.raises(OSError, match="guard"):
        connect(tmp_path)
    board.plug()
    line = connect(tmp_path)
    line.write(ON)
    assert is_on(board)
    line.close()


@pytest.mark.parametrize(
    "packet",
    [b"{", b"[]", b'{"op": "dance"}', b'{"op": "lease", "seconds": NaN}', b'{"op": "lease", "seconds": -1}',
     b'{"op": "write", "data": "zz"}', b'{"op": "write"}', b"\xff", b"[" * 10_000,
     b'{"op": "open", "baud": Infinity, "safe": []}', b'{"op": "open", "baud": 2147483648, "safe": ["00"]}'],
)  # fmt: skip
def test_rubbish_is_refused_and_the_next_message_is_obeyed(board, guard, tmp_path, packet):
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
        client.settimeout(DEADLINE_S)
        client.connect(str(tmp_path / "guard.sock"))
        client.send(packet)
        assert "error" in json.loads(client.recv(4096))
        client.send(json.dumps({"op": "lease", "seconds": 1}).encode())
        assert json.loads(client.recv(4096)) == {"ok": True}


def test_the_socket_is_for_its_group_only(guard, tmp_path):
    assert os.stat(tmp_path / "guard.sock").st_mode & 0o777 == 0o660


def refused(path):
    """What a guard says that cannot listen at `path`."""
    done = subprocess.run(
        [sys.executable, "-m", "edged.gate_guard", "--port", "/dev/null", "--socket", path],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
    )
    assert done.returncode == 69
    return done.stderr


@pytest.mark.parametrize(("below", "why"), [("file/s", "File exists"), ("s" * 120, "too long")])
def test_a_socket_that_cannot_be_made_is_said(tmp_path, below, why):
    (tmp_path / "file").write_text("")
    assert why in refused(tmp_path / below)


def test_a_file_that_is_no_socket_is_left_alone(tmp_path):
    (tmp_path / "notes").write_text("precious")
    assert "cannot be made" in refused(tmp_path / "notes")
    assert (tmp_path / "notes").read_text() == "precious"


def test_a_second_guard_leaves_the_socket_to_the_first(board, guard, tmp_path):
    assert "another guard listens there" in refused(tmp_path / "guard.sock")
    line = connect(tmp_path)
    line.write(ON)
    assert is_on(board)
    line.close()


def test_it_is_small_and_needs_the_standard_library_and_pyserial_only():
    source = GUARD.read_text()
    assert len(source.splitlines()) < 300
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(source))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported <= set(sys.stdlib_module_names) | {"serial"}
