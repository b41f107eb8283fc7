"""Words of the Numato protocol, against docs/reference/relay-boards.md 1.4."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from leaping_clock import LeapingClock
from wire import Wire, sent

from edged.clock import SystemClock
from edged.config import GateConfig
from edged.errors import Misconfigured
from edged.gate.board.port import SerialPort
from edged.gate.drivers.base import Capabilities
from edged.gate.drivers.numato import (
    NumatoDriver,
    command_line,
    parse_done,
    parse_reply,
    parse_state,
)
from edged.gate.drivers.registry import make_driver

READ = b"relay read 0\r"


@pytest.mark.parametrize(
    ("words", "number", "line"),
    [
        ("relay on", 0, b"relay on 0\r"),
        ("relay off", 9, b"relay off 9\r"),
        ("relay read", 10, b"relay read A\r"),
        ("relay on", 15, b"relay on F\r"),
        ("relay on", 31, b"relay on V\r"),
        ("gpio read", 3, b"gpio read 3\r"),
    ],
)
def test_relays_above_9_have_one_letter(words, number, line):
    assert command_line(words, number) == line


@pytest.mark.parametrize(
    ("reply", "lines"),
    [
        (b"relay read 0\n\ron\n\r>", [b"on"]),
        (b"relay read 0\r\noff\r\n>", [b"off"]),
        (b"relay read 0\n\r\n\ron\n\r\n\r> ", [b"on"]),
        (b"relay read 0\n\r>", []),
    ],
)
def test_the_answer_is_between_the_repeated_command_and_the_prompt(reply, lines):
    assert parse_reply(reply, READ) == lines


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b">",
        b"on\n\r>",
        b"relay read 0\n\ron",
        b"relay read 1\n\ron\n\r>",
        b"elay read 0\n\ron\n\r>",
        b"\xffrelay read 0\n\ron\n\r>",
        b"relay read 0\n\ron\n\r>relay",
    ],
)
def test_a_reply_to_something_else_is_not_believed(reply):
    with pytest.raises(ValueError, match="repeated and a prompt"):
        parse_reply(reply, READ)


@pytest.mark.parametrize(
    "reply", [b"relay read 0\n\ro\n\r>", b"relay read 0\n\ron\n\roff\n\r>", b"relay read 0\n\r>"]
)
def test_only_the_two_words_are_states(reply):
    with pytest.raises(ValueError, match="expected on or off"):
        parse_state(reply, READ, on=b"on", off=b"off")


def test_a_command_is_taken_without_a_word():
    parse_done(b"relay on 0\n\r>", b"relay on 0\r")
    with pytest.raises(ValueError, match="nothing but a prompt"):
        parse_done(b"relay on 0\n\rerror\n\r>", b"relay on 0\r")


@given(st.binary(max_size=40))
def test_noise_is_refused_and_nothing_else_happens(noise):
    try:
        parse_state(noise, READ, on=b"on", off=b"off")
    except ValueError:
        return
    assert b"relay read 0" in noise


def test_exactly_these_bytes_are_on_the_line():
    script = (
        (b"\r", b"\n\r>"),
        (b"relay on 0\r", b"relay on 0\n\r>"),
        (b"relay read 0\r", b"relay read 0\n\ron\n\r>"),
        (b"gpio read 0\r", b"gpio read 0\n\r0\n\r>"),
        (b"gpio read 1\r", b"gpio read 1\n\r1\n\r>"),
        (b"relay off 0\r", b"relay off 0\n\r>"),
    )
    with Wire(*script) as wire:
        driver = NumatoDriver(SerialPort(wire.path, 9600, LeapingClock()), inputs=2)
        driver.open()
        assert driver.set(1, True) is None
        assert driver.read_output(1) is True
        assert driver.read_inputs() == (False, True)
        assert driver.set(1, False) is None
        driver.close()
        questions = [question for question, _ in script]
        assert wire.carried(*questions) == sent(*questions)


def test_contacts_are_as_configured():
    config = GateConfig(protocol="numato", board_inputs=4)
    assert make_driver(config, "/dev/null", SystemClock()).capabilities == Capabilities(
        readback=True, inputs=4
    )
    assert make_driver(GateConfig(protocol="numato"), "/dev/null", SystemClock()).read_inputs() is None


def test_a_relay_without_a_known_name_is_refused():
    with pytest.raises(Misconfigured, match="up to 32"):
        make_driver(GateConfig(protocol="numato", channels=64, channel=33), "/dev/null", SystemClock())


@pytest.fixture
def board(make_board):
    return make_board("sim:numato?baud=115200")


@pytest.fixture
def driver(board, open_driver):
    return open_driver(board, protocol="numato", board_inputs=4)


def test_contacts_with_a_missed_answer_are_unknown_as_a_whole(board, driver):
    board.set_input(2, True)
    assert driver.read_inputs() == (False, True, False, False)
    board.cut = 2
    assert driver.read_inputs() is None
    board.cut = 0
    assert driver.read_inputs() == (False, True, False, False)


def test_half_a_line_left_by_somebody_else_does_not_spoil_the_first_question(board, driver):
    driver.close()
    with open(board.link, "wb", buffering=0) as somebody:
        somebody.write(b"relay rea")
    assert board.wait_for(lambda b: b.received().endswith(b"relay rea"), 5)
    driver.open()
    assert driver.read_output(1) is False
