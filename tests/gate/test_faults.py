"""What goes wrong at a gate, one fault a test: the relay ends off and the message says what to do."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys

import pytest
from gate_bench import BOTH_CLOCKS, DEADLINE_S, GateBench, moved
from leaping_clock import LeapingClock

from edged.events import (
    DoorLocked,
    DoorUnlocked,
    GateAlarmRaised,
    GateConnected,
    GateLost,
    GrantNotExecuted,
)

READABLE = [("sim:lcus", "basic"), ("sim:lcus?firmware=feedback", "feedback")]


@pytest.fixture(params=BOTH_CLOCKS)
def clock(request):
    return request.param()


def test_a_port_missing_at_start_is_said_once_and_used_when_it_appears(bench, tmp_path):
    link = tmp_path / "gate0"
    service = bench.service(link, wait_until_ready=False)
    lost = bench.wait_for(GateLost)
    assert lost.code == "relay_port_missing"
    assert lost.hint
    assert lost.retry_s > 0
    tries = bench.beats
    bench.wait_until(lambda: bench.beats >= tries + 3)
    assert len(bench.seen(GateLost)) == 1
    bench.decide("d1")
    assert bench.wait_for(GrantNotExecuted).code == "board_offline"
    board = bench.board(f"sim:lcus?silent=1&link={link}")
    bench.wait_until(lambda: service.ready)
    bench.wait_for(GateConnected)
    assert service.health()["error_code"] is None
    assert moved(board)


@pytest.mark.parametrize(("url", "firmware"), [*READABLE, ("sim:lcus?silent=1", "basic")])
def test_a_self_powered_board_unplugged_in_mid_pulse_is_off_before_the_next_grant(bench, url, firmware):
    board = bench.board(f"{url}{'&' if '?' in url else '?'}self_powered=1")
    service = bench.service(board.link, firmware=firmware, mode="hold", hold_s=30, min_interval_s=0)
    bench.decide("d1")
    bench.wait_for(DoorUnlocked)
    assert moved(board, True)
    board.unplug()
    bench.wait_for(GateLost)
    assert board.relays == [True]
    assert not service.ready
    bench.decide("d2")
    assert bench.wait_for(GrantNotExecuted, decision_id="d2").code == "board_offline"
    board.plug()
    connected = bench.wait_for(GateConnected, count=2)
    bench.wait_until(lambda: service.ready)
    assert moved(board, True, False)
    assert bench.wait_for(DoorLocked).reason == "reconciled"
    if "silent" in url:
        assert connected.relay_was_on is None
    else:
        assert connected.relay_was_on is True
        assert bench.wait_for(GateAlarmRaised).code == "relay_was_on"
    bench.decide("d3")
    bench.wait_for(DoorUnlocked, decision_id="d3")
    assert moved(board, True, False, True)


def test_a_bus_powered_board_drops_its_relay_with_the_plug(bench):
    board = bench.board("sim:lcus?silent=1")
    bench.service(board.link, mode="hold", hold_s=30)
    bench.decide("d1")
    bench.wait_for(DoorUnlocked)
    assert moved(board, True)
    board.unplug()
    assert moved(board, True, False)
    bench.wait_for(GateLost)
    board.plug()
    assert bench.wait_for(GateConnected, count=2).relay_was_on is None


@pytest.mark.parametrize("url", ["sim:lcus", "sim:lcus?silent=1"])
def test_an_unplug_while_nothing_happens_is_noticed(bench, url):
    board = bench.board(url)
    service = bench.service(board.link)
    board.unplug()
    assert bench.wait_for(GateLost).code == "relay_port_lost"
    assert not service.ready


def test_a_basic_board_that_answered_once_is_not_taken_for_a_silent_one_later(bench):
    board = bench.board("sim:lcus")
    service = bench.service(board.link)
    board.unplug()
    bench.wait_for(GateLost, code="relay_port_lost")
    board.silent = True
    board.plug()
    assert bench.wait_for(GateLost, code="relay_no_answer")
    assert not service.ready


def test_feedback_firmware_that_never_answers_hints_at_the_other_firmware(bench):
    board = bench.board("sim:lcus")
    bench.service(board.link, firmware="feedback", wait_until_ready=False)
    lost = bench.wait_for(GateLost)
    assert lost.code == "relay_no_answer"
    assert "basic" in lost.hint


@pytest.mark.parametrize(("url", "firmware"), READABLE)
def test_one_missed_answer_is_not_a_lost_board(bench, url, firmware):
    board = bench.board(url)
    service = bench.service(board.link, firmware=firmware, pulse_s=2)
    board.silent = True
    bench.decide("d1")
    assert moved(board, True)
    board.silent = False
    bench.wait_for(DoorLocked, acknowledged=True)
    assert service.ready
    assert bench.seen(GateLost) == []


@pytest.mark.parametrize(("url", "firmware"), READABLE)
def test_garbage_is_not_believed(bench, url, firmware):
    board = bench.board(url)
    service = bench.service(board.link, firmware=firmware)
    board.garbage = b"\x55\xaa"
    assert bench.wait_for(GateLost).code == "relay_bad_answer"
    assert not service.ready
    board.garbage = b""
    bench.wait_for(GateConnected, count=2)


@pytest.mark.parametrize(("url", "firmware"), READABLE)
def test_a_relay_that_does_not_switch_on_is_an_alarm(bench, url, firmware):
    board = bench.board(url)
    board.stuck = {1}
    service = bench.service(board.link, firmware=firmware)
    bench.decide("d1")
    alarm = bench.wait_for(GateAlarmRaised)
    assert alarm.code == "relay_stuck"
    assert "stays locked" in alarm.reason
    assert bench.wait_for(DoorUnlocked).acknowledged is False
    bench.wait_for(DoorLocked)
    assert service.ready


@pytest.mark.parametrize(("url", "firmware"), READABLE)
def test_a_relay_that_does_not_switch_off_takes_the_gate_out_of_service(bench, url, firmware):
    board = bench.board(url)
    service = bench.service(board.link, firmware=firmware, pulse_s=1)
    bench.decide("d1")
    assert moved(board, True)
    board.stuck = {1}
    assert "may be unlocked" in bench.wait_for(GateAlarmRaised, code="relay_stuck").reason
    assert bench.wait_for(GateLost).code == "relay_stuck"
    assert not service.ready
    tries = bench.beats
    bench.wait_until(lambda: bench.beats >= tries + 2)
    assert len(bench.seen(GateAlarmRaised, code="relay_stuck")) == 1
    board.stuck = set()
    bench.wait_for(GateConnected, count=2)
    assert board.relays == [False]


def test_stop_says_so_when_the_relay_stays_on(bench):
    board = bench.board("sim:lcus")
    service = bench.service(board.link, mode="hold", hold_s=20)
    bench.decide("d1")
    assert moved(board, True)
    board.stuck = {1}
    assert service.stop(DEADLINE_S) is False


def test_a_relay_somebody_else_switched_on_is_found_and_switched_off(bench):
    board = bench.board("sim:lcus?firmware=feedback")
    bench.service(board.link, firmware="feedback")
    board.force(1, True)
    assert bench.wait_for(GateAlarmRaised).code == "relay_stuck"
    assert board.wait_for(lambda b: b.relays == [False], DEADLINE_S)


@pytest.mark.parametrize("firmware", ["basic", "feedback"])
def test_stop_with_a_hung_board_ends_the_thread_within_a_second(firmware):
    with GateBench(LeapingClock()) as bench:
        board = bench.board(f"sim:lcus?firmware={firmware}")
        service = bench.service(board.link, firmware=firmware, mode="hold", hold_s=20)
        bench.decide("d1")
        bench.wait_for(DoorUnlocked)
        board.deaf = True
        began_s = bench.clock.monotonic()
        assert service.stop(DEADLINE_S) is False
        assert not service._thread.is_alive()
        assert bench.clock.monotonic() - began_s < 1.0


def test_a_second_service_on_the_port_is_refused_with_the_reason(bench):
    board = bench.board("sim:lcus?silent=1")
    bench.service(board.link)
    second = bench.service(board.link, wait_until_ready=False)
    lost = bench.wait_for(GateLost)
    assert lost.code == "relay_port_busy"
    assert "another program" in lost.reason
    assert not second.ready


def test_the_port_is_held_exclusively_against_other_processes(bench):
    board = bench.board("sim:lcus?silent=1")
    bench.service(board.link)
    opener = (
        "import fcntl, os, sys; fd = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY); "
        "fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)"
    )
    result = subprocess.run(
        [sys.executable, "-c", opener, str(board.link)], capture_output=True, text=True, check=False
    )
    assert result.returncode != 0
    assert "BlockingIOError" in result.stderr or "busy" in result.stderr


def test_a_port_locked_by_another_program_is_used_when_it_lets_go(bench):
    board = bench.board("sim:lcus?silent=1")
    fd = os.open(board.link, os.O_RDWR | os.O_NOCTTY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    service = bench.service(board.link, wait_until_ready=False)
    assert bench.wait_for(GateLost).code == "relay_port_busy"
    os.close(fd)
    bench.wait_until(lambda: service.ready)


def test_something_that_is_no_serial_port_is_an_error_and_not_a_crash(bench, tmp_path):
    (tmp_path / "file").touch()
    bench.service(tmp_path / "file", wait_until_ready=False)
    assert bench.wait_for(GateLost).code == "relay_port_missing"


def test_a_program_that_ends_without_stopping_the_gate_leaves_the_relay_off(tmp_path):
    """The main thread falls off its end in mid-pulse; the gate's thread switches off before the exit."""
    script = tmp_path / "program.py"
    script.write_text(_PROGRAM)
    result = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=90, check=False
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == ["A00100A1", "A00101A2", "A00100A1"]


_PROGRAM = """
import os, threading, tty
from edged.bus import EventBus
from edged.clock import SystemClock
from edged.config import GateConfig
from edged.events import AccessDecided, Outcome
from edged.gate.service import GateService

master, slave = os.openpty()
tty.setraw(slave)
seen_on = threading.Event()

def read_wire():
    data = b""
    while data.count(b"\\xa0") < 3 or len(data) % 4:
        data += os.read(master, 64).replace(b"\\xff", b"")
        if b"\\xa0\\x01\\x01\\xa2" in data:
            seen_on.set()
    print(" ".join(data[i:i + 4].hex().upper() for i in range(0, len(data), 4)), flush=True)

threading.Thread(target=read_wire).start()
clock = SystemClock()
bus = EventBus(clock)
ready = threading.Event()
service = None
def beat():
    if service.ready:
        ready.set()
service = GateService(
    GateConfig(port=os.ttyname(slave), mode="hold", hold_s=60, max_on_s=60, grant_ttl_s=10),
    bus, clock, on_beat=beat,
)
service.start()
assert ready.wait(30)
bus.publish(AccessDecided(
    at=clock.now(), door_id="door1", decision_id="d1", outcome=Outcome.GRANTED, person_id="p",
    person_name=None, score=95.0, reasons=("granted",), expires_s=clock.monotonic() + 30,
))
assert seen_on.wait(30)
"""
