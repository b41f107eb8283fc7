"""The faults of docs/reference/relay-boards.md 6.4 on Modbus boards: what is not sure is never believed."""

from __future__ import annotations

import pytest
from gate_bench import DEADLINE_S, GateBench

from edged.config import GateConfig
from edged.errors import RetryLater
from edged.events import (
    DoorLocked,
    DoorUnlocked,
    GateAlarmRaised,
    GateConnected,
    GateLost,
)
from edged.gate.board.port import SerialPort
from edged.gate.drivers.modbus import ModbusDriver
from edged.gate.drivers.registry import make_driver
from edged.gate.drivers.rtu import BROADCAST, AnswerPending, RtuMaster
from edged.gate.sim import SimBoard

PROFILES = ["waveshare", "coils", "fc06"]


def driver_on(bench: GateBench, board: SimBoard, **gate: object) -> ModbusDriver:
    driver = make_driver(
        GateConfig(port=str(board.link), protocol="modbus", **gate), str(board.link), bench.clock
    )
    driver.open()
    bench.callback(driver.close)
    return driver


def master_on(bench: GateBench, board: SimBoard) -> RtuMaster:
    port = SerialPort(str(board.link), 9600, bench.clock)
    port.open()
    bench.callback(port.close)
    return RtuMaster(port)


def test_while_an_old_answer_may_come_no_question_of_its_kind_is_sent(bench):
    board = bench.board("sim:modbus?silent=1")
    master = master_on(bench, board)
    with pytest.raises(ValueError, match="no whole answer"):
        master.read_bits(1, 1, 0, 8)
    sent = len(board.received())
    with pytest.raises(AnswerPending):
        master.read_bits(1, 1, 0, 8)
    assert len(board.received()) == sent


def test_an_answer_to_a_later_question_of_another_kind_settles_the_older_one(bench):
    board = bench.board("sim:modbus?silent=1")
    master = master_on(bench, board)
    with pytest.raises(ValueError, match="no whole answer"):
        master.read_bits(1, 1, 0, 8)
    board.silent = False
    master.write(1, 5, 0, 0xFF00)
    assert master.read_bits(1, 1, 0, 8)[0] is True


def test_a_broadcast_is_sent_and_nothing_is_waited_for(bench):
    board = bench.board("sim:modbus")
    master = master_on(bench, board)
    assert master.call(BROADCAST, bytes.fromhex("05 00 00 FF 00"), 5) == b""
    assert board.wait_for(lambda b: b.relays[0], DEADLINE_S)
    assert master.read_bits(1, 1, 0, 8)[0] is True


def test_an_echo_alone_is_not_a_board_when_echo_is_stripped(bench):
    board = bench.board("sim:modbus?echo=1&silent=1")
    with pytest.raises(RetryLater) as caught:
        driver_on(bench, board, strip_echo=True)
    assert caught.value.code == "relay_no_answer"


def test_an_adapter_that_does_not_echo_is_found_out_when_it_should(bench):
    with pytest.raises(RetryLater) as caught:
        driver_on(bench, bench.board("sim:modbus"), strip_echo=True)
    assert caught.value.code == "relay_bad_answer"
    assert "gate.strip_echo" in caught.value.hint


def test_a_stuck_relay_is_seen_though_every_write_is_answered(bench):
    board = bench.board("sim:modbus?stuck=1")
    bench.service(board.link, protocol="modbus")
    bench.decide("d1")
    assert bench.wait_for(GateAlarmRaised).code == "relay_stuck"
    assert bench.wait_for(DoorUnlocked).acknowledged is False


def test_a_relay_that_welds_during_the_boards_own_pulse_takes_the_gate_out_of_service(bench):
    board = bench.board("sim:modbus")
    service = bench.service(board.link, protocol="modbus", pulse_s=1)
    bench.decide("d1")
    assert bench.wait_for(DoorUnlocked).acknowledged is True
    board.stuck = {1}
    assert bench.wait_for(GateLost).code == "relay_stuck"
    assert "may be unlocked" in bench.wait_for(GateAlarmRaised, code="relay_stuck").reason
    assert not service.ready
    after_flash = board.received().split(bytes.fromhex("01 05 02 00"))[-1]
    assert bytes.fromhex("01 05 00 00 00 00 CD CA") in after_flash


def test_a_pulse_the_board_does_not_end_is_ended_by_command(bench):
    board = bench.board("sim:modbus")
    service = bench.service(board.link, protocol="modbus", pulse_s=1)
    bench.decide("d1")
    bench.wait_for(DoorUnlocked)
    board.cancel(1)  # its clockwork stands still
    assert bench.wait_for(DoorLocked).acknowledged is True
    assert board.relays[0] is False
    assert service.ready


def test_the_boards_own_pulse_ends_while_the_plug_is_out(bench):
    board = bench.board("sim:modbus?self_powered=1")
    bench.service(board.link, protocol="modbus", pulse_s=0.8)
    bench.decide("d1")
    bench.wait_for(DoorUnlocked)
    board.unplug()
    assert board.wait_for(lambda b: len(b.edges) == 2, DEADLINE_S)
    assert [edge.on for edge in board.edges] == [True, False]
    bench.wait_for(GateLost)
    board.plug()
    assert bench.wait_for(GateConnected, count=2).relay_was_on is False


def test_a_pulse_timed_here_is_still_on_after_an_unplug_and_switched_off_at_the_replug(bench):
    board = bench.board("sim:modbus?firmware=coils&self_powered=1")
    bench.service(board.link, protocol="modbus", profile="coils", pulse_s=5)
    bench.decide("d1")
    bench.wait_for(DoorUnlocked)
    board.unplug()
    bench.wait_for(GateLost)
    assert board.relays[0] is True
    board.plug()
    assert bench.wait_for(GateConnected, count=2).relay_was_on is True
    assert bench.wait_for(DoorLocked).reason == "reconciled"
    assert board.relays[0] is False


def test_a_hold_that_nobody_ends_is_ended_by_the_board_at_the_longest_permitted_time(bench):
    board = bench.board("sim:modbus?self_powered=1")
    bench.service(board.link, protocol="modbus", mode="hold", hold_s=1, max_on_s=1)
    bench.decide("d1")
    bench.wait_for(DoorUnlocked)
    board.unplug()  # as good as a dead host: no command comes through any more
    assert board.wait_for(lambda b: len(b.edges) == 2, DEADLINE_S)
    assert [edge.on for edge in board.edges] == [True, False]


def test_the_longest_permitted_time_of_one_opening_does_not_cut_the_next_one_short(bench):
    board = bench.board("sim:modbus")
    bench.service(board.link, protocol="modbus", mode="hold", hold_s=0.5, max_on_s=0.9, min_interval_s=0.1)
    for number in (1, 2):
        bench.decide(f"d{number}")
        assert bench.wait_for(DoorLocked, count=number).reason == "time_over"
    first_off, second_off = (edge.at_s for edge in board.edges if not edge.on)
    assert second_off > first_off
    assert bench.seen(GateAlarmRaised) == []


@pytest.mark.parametrize("answers_lost", [1, 2])
def test_a_pulse_whose_answer_was_lost_is_not_given_twice(bench, answers_lost):
    board = bench.board("sim:modbus")
    bench.service(board.link, protocol="modbus", pulse_s=2)
    obey, lost = board.firmware.feed, []

    def lose_first_answers(data: bytes) -> list[bytes]:
        answers = obey(data)
        if data[1] == 5 and data[2] == 2 and len(lost) < answers_lost:
            lost.append(answers)
            return []
        return answers

    board.firmware.feed = lose_first_answers
    bench.decide("d1")
    assert bench.wait_for(DoorUnlocked).acknowledged is True
    bench.wait_for(DoorLocked)
    assert board.received().count(bytes.fromhex("01 05 02 00 00 14")) == 1


def test_a_board_that_is_silent_from_the_start_is_never_used(bench):
    service = bench.service(
        bench.board("sim:modbus?silent=1").link, protocol="modbus", wait_until_ready=False
    )
    assert bench.wait_for(GateLost).code == "relay_no_answer"
    assert not service.ready
