"""A free door when things break: the guard's leases, an unplugged board, the end of its time without one."""

from __future__ import annotations

from datetime import timedelta

from gate_bench import DEADLINE_S, GateBench
from guarding import BEYOND_A_LEASE_S, running_guard

from edged.events import (
    DoorLocked,
    DoorModeChanged,
    DoorStateChanged,
    GateAlarmRaised,
    GateConnected,
    GateLost,
)
from edged.gate.door.model import DoorMode
from edged.gate.door.timetable import ModeOrder


def free_for(bench: GateBench, seconds: float) -> ModeOrder:
    now = bench.clock.now()
    return ModeOrder(DoorMode.FREE, now, now + timedelta(seconds=seconds))


def test_a_free_door_behind_the_gate_guard_stays_open_beyond_every_lease_and_locks_at_its_end(
    real_bench, tmp_path
):
    board = real_bench.board("sim:lcus?firmware=feedback")
    with running_guard(board.link, tmp_path / "guard.sock"):
        service = real_bench.service("/dev/guarded", guard=tmp_path / "guard.sock", firmware="feedback")
        service.order_mode(free_for(real_bench, BEYOND_A_LEASE_S))
        real_bench.wait_for(DoorLocked, reason="free_over")
        service.stop(DEADLINE_S)
    assert [edge.on for edge in board.edges] == [True, False]
    assert real_bench.seen(GateLost) == []


def test_a_self_powered_board_that_was_unplugged_while_free_is_on_when_it_is_back(bench):
    board = bench.board("sim:modbus?self_powered=1")
    service = bench.service(board.link, protocol="modbus")
    service.order_mode(free_for(bench, 3600))
    bench.wait_for(DoorStateChanged, state="free")
    board.unplug()
    bench.wait_for(GateLost)
    board.plug()
    bench.wait_for(GateConnected, count=2)
    bench.wait_for(DoorStateChanged, count=2, state="free")
    assert board.relays[0]
    assert bench.seen(GateAlarmRaised) == [], "it is on because it should be"


def test_free_that_ends_while_the_board_is_away_is_over_when_it_comes_back(bench):
    board = bench.board("sim:modbus?self_powered=1")
    service = bench.service(board.link, protocol="modbus")
    service.order_mode(free_for(bench, 1.0))
    bench.wait_for(DoorStateChanged, state="free")
    board.unplug()
    bench.wait_for(DoorModeChanged, previous="free", mode="normal")
    assert board.relays[0], "nobody can reach it"
    board.plug()
    bench.wait_for(GateConnected, count=2)
    assert board.wait_for(lambda b: not b.relays[0], DEADLINE_S)


def test_a_relay_that_does_not_go_off_at_the_end_of_free_is_an_alarm_and_out_of_service(bench):
    board = bench.board("sim:modbus")
    service = bench.service(board.link, protocol="modbus")
    service.order_mode(free_for(bench, 3600))
    bench.wait_until(lambda: board.relays[0])
    board.stuck.add(1)
    service.order_mode(ModeOrder(DoorMode.NORMAL, bench.clock.now()))
    assert "may be unlocked" in bench.wait_for(GateAlarmRaised, code="relay_stuck").reason
    assert bench.wait_for(GateLost).code == "relay_stuck"
    assert not service.ready
