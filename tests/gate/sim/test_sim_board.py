"""The simulated board as hardware: cable, power, clockwork and faults, on a real pty."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing

import pytest

from edged.clock import Clock
from edged.gate.board.port import SerialPort
from edged.gate.sim import SimBoard

DEADLINE_S = 30.0
READ_COILS = bytes.fromhex("01 01 00 00 00 08 3D CC")
ALL_OFF = bytes.fromhex("01 01 01 00 51 88")


@pytest.fixture
def ask(clock: Clock) -> Callable[..., bytes]:
    """Sends a request to a board, and gives what comes back in `within_s` seconds of its clock."""

    def answer(board: SimBoard, request: bytes = READ_COILS, within_s: float = 0.3) -> bytes:
        with closing(SerialPort(str(board.link), 9600, clock)) as port:
            port.open()
            port.write(request)
            return port.read(lambda data: False, within_s)

    return answer


@pytest.mark.parametrize(
    ("option", "answer"),
    [
        ("", ALL_OFF),
        ("silent=1", b""),
        ("garbage=55AA", b"\x55\xaa" + ALL_OFF),
        ("bad_sum=1", ALL_OFF[:-1] + bytes([ALL_OFF[-1] ^ 1])),
        ("cut=2", ALL_OFF[:-2]),
        ("cut=99", b""),
        ("echo=1", READ_COILS + ALL_OFF),
        ("echo=1&silent=1", READ_COILS),
        ("delay_ms=50", ALL_OFF),
        ("split_ms=50", ALL_OFF),
    ],
)
def test_each_fault_is_on_the_wire(make_board, ask, option, answer):
    assert ask(make_board(f"sim:modbus?{option}")) == answer


def test_a_deaf_board_hears_nothing(make_board, ask):
    board = make_board("sim:modbus?deaf=1")
    assert ask(board) == b""
    assert board.received() == READ_COILS  # it came to the board, and was ignored


@pytest.mark.parametrize(("self_powered", "stays"), [(0, False), (1, True)])
def test_a_relay_stays_on_without_the_plug_only_with_a_supply_of_its_own(make_board, self_powered, stays):
    board = make_board(f"sim:modbus?self_powered={self_powered}")
    board.force(1, True)
    board.unplug()
    assert not os.path.lexists(board.link)
    board.plug()
    assert board.relays[0] is stays


def test_the_url_can_have_the_plug_pulled_and_put_back(make_board, ask, clock):
    board = make_board("sim:modbus?unplug_ms=100&replug_ms=100&self_powered=1")
    until_s = clock.monotonic() + DEADLINE_S
    seen = set()
    while not {"gone", "back"} <= seen and clock.monotonic() < until_s:
        there = os.path.lexists(board.link)
        seen.add("back" if there and "gone" in seen else "there" if there else "gone")
        clock.sleep(0.01)
    assert seen == {"there", "gone", "back"}
    assert ask(board) == ALL_OFF


def test_a_board_is_closed_before_its_plug_was_to_be_pulled(make_board):
    board = make_board("sim:modbus?unplug_ms=60000")
    board.close()
    assert not os.path.lexists(board.link)


def test_the_clockwork_runs_on_without_the_plug_when_there_is_power(make_board, ask):
    board = make_board("sim:modbus?self_powered=1")
    ask(board, bytes.fromhex("01 05 02 00 00 05 0C 71"))
    board.unplug()
    assert board.wait_for(lambda b: len(b.edges) == 2, DEADLINE_S)
    on, off = board.edges
    assert (on.on, off.on) == (True, False)
    assert off.at_s - on.at_s >= 0.5


def test_without_power_the_clockwork_forgets(make_board, ask):
    board = make_board("sim:modbus")
    ask(board, bytes.fromhex("01 05 02 00 00 05 0C 71"))
    board.unplug()
    assert [edge.on for edge in board.edges] == [True, False]
    board.plug()
    board.force(1, True)
    ask(board, within_s=0.7)  # longer than the forgotten pulse would have lasted
    assert board.relays[0] is True


def test_inputs_can_be_operated_from_outside(make_board, ask):
    board = make_board("sim:modbus?inputs=10000000")
    read_inputs = bytes.fromhex("01 02 00 00 00 08 79 CC")
    assert ask(board, read_inputs)[3] == 0b00000001
    board.set_input(8, True)
    assert ask(board, read_inputs)[3] == 0b10000001
