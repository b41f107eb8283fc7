"""One daemon per data directory, also when the other one is a real process that gets killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from edged.errors import NeedsOperator
from edged.ops.lock import FILE_NAME, lock_data_dir

OTHER = """
import sys
from pathlib import Path
from edged.clock import SystemClock
from edged.ops.lock import lock_data_dir
lock = lock_data_dir(Path(sys.argv[1]), clock=SystemClock())
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path):
    """Another process that holds the lock on `tmp_path`."""
    with subprocess.Popen(
        [sys.executable, "-c", OTHER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "locked\n"
        yield process
        process.kill()


def test_the_file_says_who_and_since_when(tmp_path, clock):
    with lock_data_dir(tmp_path, clock=clock):
        assert json.loads((tmp_path / FILE_NAME).read_text()) == {
            "pid": os.getpid(),
            "started": "2026-01-01T08:00:00.000Z",
        }


def test_a_lock_whose_file_is_gone_or_another_keeps_nobody_out(tmp_path, clock):
    with lock_data_dir(tmp_path, clock=clock) as lock:
        assert lock.keeps_others_out
        (tmp_path / FILE_NAME).unlink()
        assert not lock.keeps_others_out
        with lock_data_dir(tmp_path, clock=clock) as other:
            assert not lock.keeps_others_out
            assert other.keeps_others_out
    assert not lock.keeps_others_out


def test_a_missing_data_directory_is_made(tmp_path, clock):
    with lock_data_dir(tmp_path / "a" / "b", clock=clock):
        assert (tmp_path / "a" / "b" / FILE_NAME).exists()


def test_a_second_daemon_is_refused_and_told_the_pid_of_the_first(tmp_path, clock, other):
    with pytest.raises(NeedsOperator, match=f"pid {other.pid}, since 20") as caught:
        lock_data_dir(tmp_path, clock=clock)
    assert caught.value.code == "data_dir_in_use"
    assert (tmp_path / FILE_NAME).read_text().startswith(f'{{"pid": {other.pid}')


def test_a_killed_daemon_leaves_no_lock_behind(tmp_path, clock, other):
    other.kill()
    other.wait(30)
    lock_data_dir(tmp_path, clock=clock).release()


def test_a_released_lock_can_be_taken_again_and_released_twice(tmp_path, clock):
    lock = lock_data_dir(tmp_path, clock=clock)
    lock.release()
    with lock_data_dir(tmp_path, clock=clock):
        lock.release()
        with pytest.raises(NeedsOperator):
            lock_data_dir(tmp_path, clock=clock)


@pytest.mark.parametrize("content", ["", "garbage", "[]", "{}", '{"pid": null}'])
def test_a_holder_that_has_not_written_itself_down_is_refused_without_a_pid(tmp_path, clock, content):
    with lock_data_dir(tmp_path, clock=clock):
        (tmp_path / FILE_NAME).write_text(content)
        with pytest.raises(NeedsOperator, match="Another edged uses"):
            lock_data_dir(tmp_path, clock=clock)


def test_a_data_directory_that_cannot_be_used_says_why(tmp_path, clock):
    (tmp_path / "file").touch()
    with pytest.raises(NeedsOperator, match="cannot be used") as caught:
        lock_data_dir(tmp_path / "file", clock=clock)
    assert caught.value.code == "data_dir_unusable"


def test_a_child_process_does_not_keep_the_lock(tmp_path, clock):
    lock = lock_data_dir(tmp_path, clock=clock)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, close_fds=False) as child:
        lock.release()
        lock_data_dir(tmp_path, clock=clock).release()
        child.kill()
