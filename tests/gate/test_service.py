"""The service with a simulated board on a real pty: grants become bytes, relays move, events tell."""

from __future__ import annotations

import os
import threading
import tty

import pytest
from gate_bench import BOTH_CLOCKS, DEADLINE_S, moved

from edged.bus import EventBus, Overflow
from edged.clock import SystemClock
from edged.config import GateConfig
from edged.errors import Misconfigured, NeedsOperator
from edged.events import (
    ComponentFailed,
    DoorLocked,
    DoorStateChanged,
    DoorUnlocked,
    GateConnected,
    GrantNotExecuted,
    Outcome,
)
from edged.gate.board.port import check_port_free
from edged.gate.service import GateService

ON, OFF = bytes.fromhex("A0 01 01 A2"), bytes.fromhex("A0 01 00 A1")
FEEDBACK_ON, FEEDBACK_OFF = bytes.fromhex("A0 01 03 A4"), bytes.fromhex("A0 01 02 A3")


@pytest.fixture(params=BOTH_CLOCKS)
def clock(request):
    return request.param()


def test_a_grant_is_one_on_and_one_off_frame_and_nothing_else_on_the_wire(bench):
    """Read on a bare pty by this test itself: no simulator takes part."""
    master, slave = os.openpty()
    tty.setraw(slave)
    try:
        bench.service(os.ttyname(slave), pulse_s=0.1)
        assert read_bytes(master, 5) == b"\xff" + OFF  # asked for a status, told to be safe
        bench.decide("d1")
        assert read_bytes(master, 8) == ON + OFF
        bench.wait_for(DoorLocked)
        os.set_blocking(master, False)
        with pytest.raises(BlockingIOError):
            os.read(master, 1)
    finally:
        for service in bench._services:
            service.stop(DEADLINE_S)
        os.close(slave)
        os.close(master)


def read_bytes(fd: int, count: int) -> bytes:
    data = b""
    while len(data) < count:
        data += os.read(fd, count - len(data))
    return data


@pytest.mark.parametrize(
    ("url", "firmware", "acknowledged"),
    [
        ("sim:lcus", "basic", True),
        ("sim:lcus?silent=1", "basic", None),
        ("sim:lcus?firmware=feedback", "feedback", True),
        ("sim:lcus?channels=4", "basic", True),
    ],
)
def test_a_grant_opens_for_one_pulse_and_says_what_the_board_confirmed(bench, url, firmware, acknowledged):
    board = bench.board(url)
    bench.service(board.link, firmware=firmware, pulse_s=0.4)
    bench.decide("d1")
    unlocked = bench.wait_for(DoorUnlocked)
    locked = bench.wait_for(DoorLocked)
    assert moved(board, True, False)
    assert (unlocked.decision_id, unlocked.person_id, unlocked.passage_id) == ("d1", "mia", "p_d1")
    assert unlocked.acknowledged is acknowledged
    assert locked.acknowledged is acknowledged
    assert (unlocked.acknowledged_ms is None) is (acknowledged is None)
    assert unlocked.frame_to_relay_ms > unlocked.decision_to_relay_ms
    assert unlocked.decision_to_relay_ms >= 0
    assert locked.on_ms > 0


def test_connecting_switches_the_relay_off_and_tells_the_states(bench):
    board = bench.board("sim:lcus?firmware=feedback")
    service = bench.service(board.link, firmware="feedback")
    connected = bench.wait_for(GateConnected)
    assert (connected.port, connected.protocol, connected.relay_was_on) == (str(board.link), "lcus", False)
    assert bench.wait_for(DoorStateChanged).state == "locked"
    assert FEEDBACK_OFF in board.received()
    assert service.health()["readback"] is True


def test_hold_mode_extends_while_somebody_else_comes(bench):
    board = bench.board("sim:lcus?firmware=feedback")
    bench.service(board.link, firmware="feedback", mode="hold", hold_s=0.5)
    bench.decide("d1")
    bench.wait_for(DoorUnlocked)
    bench.decide("d2", person_id="tom")
    extended = bench.wait_for(DoorUnlocked, decision_id="d2")
    bench.wait_for(DoorLocked)
    assert extended.extended
    assert extended.frame_to_relay_ms is None
    assert moved(board, True, False)


def test_the_same_decision_moves_the_relay_once(bench):
    board = bench.board("sim:lcus?silent=1")
    bench.service(board.link, pulse_s=0.1, min_interval_s=0)
    bench.decide("d1")
    bench.wait_for(DoorLocked)
    bench.decide("d1")
    assert bench.wait_for(GrantNotExecuted).code == "grant_already_spent"
    assert moved(board, True, False)


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"life_s": -0.1}, "grant_expired"), ({"expires_s": None}, "grant_expired")],
)
def test_a_grant_that_is_too_late_or_has_no_limit_moves_nothing(bench, changes, code):
    board = bench.board("sim:lcus?silent=1")
    bench.service(board.link)
    bench.decide("d1", **changes)
    assert bench.wait_for(GrantNotExecuted).code == code
    assert moved(board)


def test_denials_and_grants_for_other_doors_are_not_looked_at(bench):
    board = bench.board("sim:lcus?silent=1")
    bench.service(board.link)
    bench.decide("d1", outcome=Outcome.DENIED)
    bench.decide("d2", door_id="door2")
    bench.decide("d3")
    bench.wait_for(DoorUnlocked, decision_id="d3")
    assert [event.decision_id for event in bench.seen(DoorUnlocked)] == ["d3"]
    assert bench.seen(GrantNotExecuted) == []


def test_a_turnstile_queue_serves_the_next_person_when_the_lane_is_free(bench):
    board = bench.board("sim:lcus?silent=1")
    bench.service(board.link, pulse_s=0.1, min_interval_s=0.3, queue=1)
    bench.decide("d1")
    bench.decide("d2", person_id="tom")
    bench.wait_for(DoorLocked, count=2)
    assert moved(board, True, False, True, False)
    assert [event.person_id for event in bench.seen(DoorUnlocked)] == ["mia", "tom"]


def test_a_subscriber_that_is_stuck_does_not_keep_the_relay_on(bench):
    """A journal with a full queue makes publishers wait; the pulse must end all the same."""
    board = bench.board("sim:lcus?silent=1")
    released = threading.Event()
    bench.bus.subscribe(
        (GateConnected, DoorStateChanged, DoorUnlocked),
        lambda event: released.wait(),
        name="journal",
        capacity=1,
        overflow=Overflow.WAIT,
        wait_s=60,
    )
    try:
        bench.service(board.link, pulse_s=0.1)
        bench.decide("d1")
        assert moved(board, True, False)
        assert bench.seen(DoorLocked) == []
    finally:
        released.set()


def test_with_append_crlf_a_board_that_insists_on_it_obeys(bench):
    board = bench.board("sim:lcus?crlf=1")
    bench.service(board.link, append_crlf=True, pulse_s=0.1)
    bench.decide("d1")
    bench.wait_for(DoorLocked)
    assert moved(board, True, False)


def test_the_second_channel_moves_only_the_second_relay(bench):
    board = bench.board("sim:lcus?channels=2&firmware=feedback")
    bench.service(board.link, firmware="feedback", channel=2, pulse_s=0.1)
    bench.decide("d1")
    assert bench.wait_for(DoorUnlocked).acknowledged
    bench.wait_for(DoorLocked)
    assert [(edge.channel, edge.on) for edge in board.edges] == [(2, True), (2, False)]


def test_a_sim_url_in_the_configuration_makes_its_own_board(bench, tmp_path):
    link = tmp_path / "gate0"
    service = bench.service(f"sim:lcus?link={link}", firmware="feedback", pulse_s=0.1)
    assert link.is_symlink()
    bench.decide("d1")
    assert bench.wait_for(DoorUnlocked).acknowledged
    assert service.stop(DEADLINE_S)
    assert not link.exists()


def test_a_dummy_needs_no_port(bench):
    service = bench.service("none", protocol="dummy", pulse_s=0.1)
    bench.decide("d1")
    assert bench.wait_for(DoorUnlocked).acknowledged
    bench.wait_for(DoorLocked)
    assert service.health()["relay_on"] is False


def test_a_wrong_sim_url_is_refused_before_anything_starts():
    clock = SystemClock()
    bus = EventBus(clock)
    with pytest.raises(Misconfigured):
        GateService(GateConfig(port="sim:relay"), bus, clock, on_beat=lambda: None)
    bus.close()


def test_a_simulated_board_does_not_overwrite_a_file(bench, tmp_path):
    (tmp_path / "notes").write_text("precious")
    with pytest.raises(Misconfigured) as caught:
        bench.board(f"sim:lcus?link={tmp_path}/notes")
    assert caught.value.code == "sim_link"
    assert (tmp_path / "notes").read_text() == "precious"


def test_stop_in_mid_pulse_switches_off_and_reads_it_back(bench):
    board = bench.board("sim:lcus")
    service = bench.service(board.link, mode="hold", hold_s=20)
    bench.decide("d1")
    bench.wait_for(DoorUnlocked)
    assert service.stop(DEADLINE_S)
    assert board.relays == [False]
    locked = bench.wait_for(DoorLocked)
    assert (locked.reason, locked.acknowledged) == ("stopped", True)
    assert not service.ready


def test_stop_twice_and_stop_without_start_are_harmless(bench):
    service = bench.service(bench.board("sim:lcus?silent=1").link)
    assert service.stop(DEADLINE_S)
    assert service.stop(DEADLINE_S)
    assert GateService(GateConfig(), bench.bus, bench.clock, on_beat=lambda: None).stop()


def test_wait_idle_waits_for_the_end_of_the_pulse_and_its_events(bench):
    board = bench.board("sim:lcus?silent=1")
    service = bench.service(board.link, pulse_s=0.2)
    bench.decide("d1")
    bench.bus.drain(DEADLINE_S)
    assert service.wait_idle(DEADLINE_S)
    bench.bus.drain(DEADLINE_S)
    assert len(bench.seen(DoorLocked)) == 1
    assert moved(board, True, False)


def test_an_error_nobody_expected_ends_the_thread_with_the_relay_off(bench):
    """on_beat is the only foreign code in the thread, so it plays the bug."""
    board = bench.board("sim:lcus?silent=1")
    armed = threading.Event()

    def failing_beat() -> None:
        bench._beat()
        if armed.is_set():
            raise RuntimeError("bug")

    service = GateService(
        GateConfig(port=str(board.link), mode="hold", hold_s=20),
        bench.bus,
        bench.clock,
        on_beat=failing_beat,
    )
    bench._services.append(service)
    service.start()
    bench.wait_until(lambda: service.ready)
    bench.decide("d1")
    assert board.wait_for(lambda b: b.relays == [True], DEADLINE_S)
    armed.set()
    bench.decide("d2")
    failed = bench.wait_for(ComponentFailed)
    assert failed.component == "gate"
    assert board.wait_for(lambda b: b.relays == [False], DEADLINE_S)
    bench.wait_until(lambda: not service.ready)


def test_a_port_in_use_is_found_before_the_daemon_starts(bench):
    board = bench.board("sim:lcus?silent=1")
    config = GateConfig(port=str(board.link))
    check_port_free(config)
    service = bench.service(board.link)
    with pytest.raises(NeedsOperator) as caught:
        check_port_free(config)
    assert caught.value.code == "relay_port_busy"
    check_port_free(GateConfig(port=str(board.link), guard="/run/guard.sock"))  # it is the guard's
    service.stop(DEADLINE_S)
    check_port_free(config)


@pytest.mark.parametrize("port", ["/dev/serial/by-id/none", "sim:lcus", "sim:lcus?link=/nowhere/gate0"])
def test_a_port_that_is_not_there_is_not_in_use(port):
    check_port_free(GateConfig(port=port))
