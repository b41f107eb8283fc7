"""The whole gate with a guard: grants go through it, and a service that is gone leaves nothing open."""

import os
import signal
import subprocess
import sys

import pytest
from gate_lab import GateLab
from guarding import BEYOND_A_LEASE_S, running_guard
from places import SUPPORT

from edged.events import DoorLocked, DoorUnlocked, GateLost
from edged.gate.board.guarded import GuardedLine

OFF = bytes.fromhex("A00100A1")
DEADLINE_S = 30.0

CHILD = """
import sys
from gate_bench import GateBench
with GateBench() as bench:
    bench.service("/dev/guarded", guard=sys.argv[1], mode="hold", hold_s=60.0, max_on_s=60.0)
    bench.decide("d1")
    print("granted", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def bench(real_bench):
    return real_bench


@pytest.fixture
def board(bench, tmp_path):
    return bench.board(f"sim:lcus?firmware=feedback&link={tmp_path / 'board'}&baud=115200")


@pytest.fixture
def guard(board, tmp_path):
    with running_guard(board.link, tmp_path / "guard.sock"):
        yield tmp_path / "guard.sock"


def test_a_grant_goes_through_the_guard_and_ends_as_it_should(bench, board, guard):
    bench.service("/dev/guarded", guard=guard, firmware="feedback", pulse_s=0.3)
    bench.decide("d1")
    assert bench.wait_for(DoorUnlocked).acknowledged
    locked = bench.wait_for(DoorLocked, reason="time_over")
    assert locked.acknowledged
    assert not board.relays[0]


def test_a_door_held_longer_than_any_lease_stays_open_while_the_service_lives(bench, board, guard):
    service = bench.service(
        "/dev/guarded", guard=guard, firmware="feedback", mode="hold", hold_s=BEYOND_A_LEASE_S
    )
    bench.decide("d1")
    bench.wait_for(DoorLocked, reason="time_over")
    assert [edge.on for edge in board.edges] == [True, False]
    assert bench.seen(GateLost) == []
    assert service.ready


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_service_that_is_killed_or_stopped_leaves_no_door_open(board, guard, number):
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(guard)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SUPPORT)},
    )
    try:
        assert child.stdout.readline() == "granted\n"
        assert board.wait_for(lambda b: b.relays[0], DEADLINE_S)
        child.send_signal(number)
        assert board.wait_for(lambda b: not b.relays[0], DEADLINE_S)
    finally:
        child.kill()
        child.communicate(timeout=DEADLINE_S)


def test_without_its_guard_the_gate_is_out_of_service_and_says_why(bench, tmp_path):
    bench.service("/dev/guarded", guard=tmp_path / "nobody.sock", wait_until_ready=False)
    lost = bench.wait_for(GateLost)
    assert lost.code == "gate_guard_missing"


def test_a_guard_that_serves_another_daemon_is_told_apart_from_a_missing_board(bench, board, tmp_path):
    path = tmp_path / "taken.sock"
    with running_guard(board.link, path):
        other = GuardedLine(path, 9600, [b""], bench.clock)
        bench.service("/dev/guarded", guard=path, firmware="feedback", wait_until_ready=False)
        lost = bench.wait_for(GateLost)
        other.close()
    assert (lost.code, "serve another daemon" in lost.reason) == ("gate_guard_missing", True)


def test_a_guard_that_is_started_later_is_found(bench, board, tmp_path):
    path = tmp_path / "late.sock"
    service = bench.service("/dev/guarded", guard=path, firmware="feedback", wait_until_ready=False)
    bench.wait_for(GateLost)
    with running_guard(board.link, path):
        bench.wait_until(lambda: service.ready)
        bench.decide("d1")
        bench.wait_for(DoorUnlocked)
        bench.wait_for(DoorLocked)


@pytest.mark.slow
def test_at_random_moments_the_door_does_what_was_declared(tmp_path):
    lab = GateLab(tmp_path, seed=7, slack_s=DEADLINE_S)
    with lab.running():
        outcomes = [lab.trial() for _ in range(6)]
    assert [outcome for outcome in outcomes if outcome.wrong] == []
    assert any(outcome.was_on for outcome in outcomes)
