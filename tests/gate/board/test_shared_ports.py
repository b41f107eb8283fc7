"""Several doors on one port: two relays of one board, and boards with addresses on one line."""

import pytest
from gate_bench import DEADLINE_S
from pymodbus_board import Cable, PymodbusBoards, WaveshareCoil

from edged.clock import SystemClock
from edged.config import GateConfig
from edged.errors import RetryLater
from edged.events import DoorLocked, DoorUnlocked, GateConnected, GateLost, GrantNotExecuted
from edged.gate.board.pool import PortPool
from edged.gate.service import GateService


class TwoDoors:
    """Two services on one port."""

    def __init__(self, bench, port, *sections, ready=("door1", "door2")):
        self.bench = bench
        self.configs = configs = [
            GateConfig(id=f"door{n}", port=str(port), **more) for n, more in enumerate(sections, 1)
        ]
        self.pool = PortPool(configs, bench.clock)
        self.services = [
            GateService(config, bench.bus, bench.clock, on_beat=lambda: None, beat_s=0.25, pool=self.pool)
            for config in configs
        ]
        for service in self.services:
            service.start()
        bench.callback(self.close)
        bench.wait_until(
            lambda: all(
                k.ready for k, config in zip(self.services, configs, strict=True) if config.id in ready
            )
        )

    def close(self):
        for service in self.services:
            service.stop(DEADLINE_S)
        self.pool.close()


def board_with_two_relays(bench, tmp_path):
    return bench.board(f"sim:lcus?firmware=feedback&channels=2&link={tmp_path / 'board'}&baud=115200")


FEEDBACK = {"firmware": "feedback", "baud": 115200}


def test_each_door_moves_its_own_relay(bench, tmp_path):
    board = board_with_two_relays(bench, tmp_path)
    TwoDoors(bench, board.link, {**FEEDBACK, "channel": 1}, {**FEEDBACK, "channel": 2})
    bench.decide("d1", door_id="door1")
    bench.wait_for(DoorUnlocked, door_id="door1")
    bench.wait_for(DoorLocked, door_id="door1", reason="time_over")
    assert {edge.channel for edge in board.edges} == {1}
    bench.decide("d2", door_id="door2")
    bench.wait_for(DoorUnlocked, door_id="door2")
    bench.wait_for(DoorLocked, door_id="door2", reason="time_over")
    assert [edge.channel for edge in board.edges] == [1, 1, 2, 2]


def test_many_grants_at_both_doors_never_mix_up_their_answers(bench, tmp_path):
    board = board_with_two_relays(bench, tmp_path)
    fast = {**FEEDBACK, "pulse_s": 0.1, "min_interval_s": 0.0, "queue": 8}
    TwoDoors(bench, board.link, {**fast, "channel": 1}, {**fast, "channel": 2})
    for number in range(6):
        bench.decide(f"a{number}", door_id="door1")
        bench.decide(f"b{number}", door_id="door2")
    for door in ("door1", "door2"):
        assert bench.wait_for(DoorLocked, 6, door_id=door, reason="time_over").acknowledged
    assert all(event.acknowledged for event in bench.seen(DoorUnlocked))
    assert not bench.seen(GateLost)


def test_a_pulled_plug_is_a_loss_for_both_and_both_come_back(bench, tmp_path):
    board = board_with_two_relays(bench, tmp_path)
    doors = TwoDoors(bench, board.link, {**FEEDBACK, "channel": 1}, {**FEEDBACK, "channel": 2})
    board.unplug()
    for door in ("door1", "door2"):
        bench.wait_for(GateLost, door_id=door)
    board.plug()
    for door in ("door1", "door2"):
        bench.wait_for(GateConnected, 2, door_id=door)
    bench.wait_until(lambda: all(service.ready for service in doors.services))
    bench.decide("d2", door_id="door2")
    bench.wait_for(DoorUnlocked, door_id="door2")


def test_a_door_that_is_stopped_leaves_the_other_in_service(bench, tmp_path):
    board = board_with_two_relays(bench, tmp_path)
    doors = TwoDoors(bench, board.link, {**FEEDBACK, "channel": 1}, {**FEEDBACK, "channel": 2})
    assert doors.services[0].stop(DEADLINE_S)
    bench.decide("d2", door_id="door2")
    bench.wait_for(DoorUnlocked, door_id="door2")
    bench.wait_for(DoorLocked, door_id="door2", reason="time_over")
    assert not bench.seen(GateLost)


def test_one_simulated_board_serves_two_doors(bench):
    doors = TwoDoors(
        bench, "sim:lcus?firmware=feedback&channels=2", {**FEEDBACK, "channel": 1}, {**FEEDBACK, "channel": 2}
    )
    bench.decide("d2", door_id="door2")
    bench.wait_for(DoorUnlocked, door_id="door2")
    board = doors.pool.board(GateConfig(port="sim:lcus?firmware=feedback&channels=2"))
    assert board.edges[0].channel == 2


def test_a_grant_that_waits_for_the_line_gets_its_whole_pulse(bench, tmp_path):
    board = board_with_two_relays(bench, tmp_path)
    doors = TwoDoors(
        bench, board.link, {**FEEDBACK, "channel": 1, "pulse_s": 0.3}, {**FEEDBACK, "channel": 2}
    )
    _, port = doors.pool.driver(doors.configs[1])
    with port.turn:
        bench.decide("d1", door_id="door1")
        bench.clock.sleep(0.4)  # an exchange that takes longer than the pulse
    bench.wait_for(DoorLocked, door_id="door1", reason="time_over")
    on, off = board.edges
    assert off.at_s - on.at_s >= 0.25


def test_a_grant_that_waits_for_the_line_too_long_is_dropped_and_never_late(bench, tmp_path):
    board = board_with_two_relays(bench, tmp_path)
    doors = TwoDoors(bench, board.link, {**FEEDBACK, "channel": 1}, {**FEEDBACK, "channel": 2})
    _, port = doors.pool.driver(doors.configs[1])
    with port.turn:
        bench.decide("d1", door_id="door1", life_s=0.1)
        bench.clock.sleep(0.3)
    assert bench.wait_for(GrantNotExecuted, door_id="door1").code == "grant_expired"
    assert not board.edges


def test_a_board_that_was_not_found_is_not_looked_for_when_all_are_to_end():
    ending = False
    gates = [GateConfig(id=f"d{n}", port="sim:modbus", protocol="modbus", address=n) for n in (1, 2)]
    pool = PortPool(gates, SystemClock())
    pool.driver(gates[0])
    missing, _ = pool.driver(gates[1], lambda: ending)
    board = pool.board(gates[0])
    with pytest.raises(RetryLater):
        missing.open()
    asked, ending = board.received(), True
    for attempt in (missing.open, lambda: missing.set(1, False)):
        with pytest.raises(RetryLater):
            attempt()
    assert board.received() == asked
    pool.close()


# -- boards with addresses on one line, played by pymodbus


@pytest.fixture
def two_addresses():
    """Our end of a line with boards at the addresses 1 and 2; what is written to them is noted."""
    cable = Cable()
    WaveshareCoil.flashed.clear()
    WaveshareCoil.written.clear()
    boards = PymodbusBoards(cable.board_end, [1, 2], [False] * 8)
    yield cable.host_end
    boards.close()
    cable.close()


MODBUS = {"protocol": "modbus", "profile": "coils", "pulse_s": 0.3, "min_interval_s": 0.0}


def test_two_boards_on_one_line_each_get_their_own_commands(bench, two_addresses):
    TwoDoors(bench, two_addresses, {**MODBUS, "address": 1, "channel": 3}, {**MODBUS, "address": 2})
    WaveshareCoil.written.clear()  # both were switched off when they were found
    for number, written in ((1, (1, 2)), (2, (2, 0))):
        bench.decide(f"d{number}", door_id=f"door{number}")
        assert bench.wait_for(DoorUnlocked, door_id=f"door{number}").acknowledged
        assert bench.wait_for(DoorLocked, door_id=f"door{number}", reason="time_over").acknowledged
        assert WaveshareCoil.written == [(*written, True), (*written, False)]
        WaveshareCoil.written.clear()


def test_both_boards_of_a_line_may_be_open_at_once(bench, two_addresses):
    TwoDoors(bench, two_addresses, {**MODBUS, "address": 1}, {**MODBUS, "address": 2})
    WaveshareCoil.written.clear()
    for number in range(4):
        bench.decide(f"a{number}", door_id="door1")
        bench.decide(f"b{number}", door_id="door2")
        for door in ("door1", "door2"):
            bench.wait_for(DoorLocked, number + 1, door_id=door, reason="time_over")
    assert all(event.acknowledged for event in bench.seen(DoorUnlocked))
    for address in (1, 2):
        assert [on for at, _, on in WaveshareCoil.written if at == address] == [True, False] * 4
    assert not bench.seen(GateLost)


def test_a_board_that_is_missing_on_the_line_leaves_the_other_in_service(bench, two_addresses):
    doors = TwoDoors(
        bench, two_addresses, {**MODBUS, "address": 1}, {**MODBUS, "address": 7}, ready=("door1",)
    )
    bench.wait_for(GateLost, door_id="door2")
    bench.decide("d1", door_id="door1")
    assert bench.wait_for(DoorUnlocked, door_id="door1").acknowledged
    assert [service.ready for service in doors.services] == [True, False]
    assert not bench.seen(GateLost, door_id="door1")
