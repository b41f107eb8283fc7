"""Bytes of the KMTronic protocol, against docs/reference/relay-boards.md 1.3."""

from __future__ import annotations

import pytest
from board_contract import answers_until_lost
from hypothesis import given
from hypothesis import strategies as st
from leaping_clock import LeapingClock
from wire import Wire, sent

from edged.clock import SystemClock
from edged.config import GateConfig
from edged.errors import Misconfigured
from edged.gate.board.port import SerialPort
from edged.gate.drivers.base import Capabilities
from edged.gate.drivers.kmtronic import (
    KmtronicDriver,
    command_frame,
    parse_full_status,
    parse_single_status,
)
from edged.gate.drivers.registry import make_driver


def driver_on(wire: Wire, relays: int) -> KmtronicDriver:
    driver = KmtronicDriver(SerialPort(wire.path, 9600, LeapingClock()), relays=relays)
    driver.open()
    return driver


@pytest.mark.parametrize(
    ("channel", "on", "frame"), [(1, True, "FF 01 01"), (1, False, "FF 01 00"), (8, True, "FF 08 01")]
)
def test_commands_are_those_of_the_manual(channel, on, frame):
    assert command_frame(channel, on) == bytes.fromhex(frame)


@pytest.mark.parametrize(("answer", "state"), [("FF 02 00", False), ("FF 02 01", True)])
def test_a_small_board_answers_with_the_channel_and_its_state(answer, state):
    assert parse_single_status(bytes.fromhex(answer), channel=2) is state


@pytest.mark.parametrize("answer", ["", "FF 02", "FF 01 01", "FF 02 03", "FF 02 01 00", "00 FF 02"])
def test_anything_else_is_no_state_of_a_small_board(answer):
    with pytest.raises(ValueError, match="expected FF 02"):
        parse_single_status(bytes.fromhex(answer), channel=2)


def test_a_large_board_answers_with_one_byte_for_each_relay():
    assert parse_full_status(bytes.fromhex("01 00 00 01"), relays=4) == (True, False, False, True)


@pytest.mark.parametrize("answer", ["", "01 00 00", "01 00 00 01 00", "01 00 00 02", "FF 09 00 00"])
def test_anything_else_is_no_state_of_a_large_board(answer):
    with pytest.raises(ValueError, match="expected 4 bytes"):
        parse_full_status(bytes.fromhex(answer), relays=4)


@given(st.binary(max_size=12))
def test_noise_is_refused_and_nothing_else_happens(noise):
    for parse in (lambda: parse_single_status(noise, 1), lambda: parse_full_status(noise, 8)):
        try:
            parse()
        except ValueError:
            continue
        assert set(noise) <= {0x00, 0x01, 0xFF}


@pytest.mark.parametrize("relays", [1, 2])
def test_a_small_board_gets_the_question_for_one_relay(relays):
    with Wire(("FF 01 01", ""), ("FF 01 03", "FF 01 01")) as wire:
        driver = driver_on(wire, relays)
        assert driver.set(1, True) is None
        assert driver.read_output(1) is True
        driver.close()
        expected = ("FF 01 01", "FF 01 03")
        assert wire.carried(*expected) == sent(*expected)


@pytest.mark.parametrize(("relays", "answer"), [(4, "00 01 00 00"), (8, "00 01 00 00 00 00 00 01")])
def test_a_large_board_gets_the_question_for_all_relays(relays, answer):
    with Wire(("FF 02 01", ""), ("FF 09 00", answer)) as wire:
        driver = driver_on(wire, relays)
        driver.set(2, True)
        assert driver.read_output(2) is True
        driver.close()
        expected = ("FF 02 01", "FF 09 00")
        assert wire.carried(*expected) == sent(*expected)


@pytest.mark.parametrize("relays", [3, 6, 16])
def test_a_size_that_is_not_built_is_refused_before_anything_is_sent(relays):
    with pytest.raises(Misconfigured, match="1, 2, 4 or 8") as refused:
        make_driver(GateConfig(protocol="kmtronic", channels=relays), "/dev/null", SystemClock())
    assert refused.value.code == "relay_board_size"


def test_it_has_readback_and_nothing_else():
    driver = make_driver(GateConfig(protocol="kmtronic", channels=4), "/dev/null", SystemClock())
    assert driver.capabilities == Capabilities(readback=True)


@pytest.mark.parametrize(("relays", "wrong"), [(8, 2), (2, 4)])
def test_the_question_for_boards_of_another_size_is_not_understood_and_moves_nothing(
    make_board, open_driver, relays, wrong
):
    board = make_board(f"sim:kmtronic?channels={relays}")
    driver = open_driver(board, protocol="kmtronic", channels=wrong)
    assert answers_until_lost(driver) == ([None, None], "relay_no_answer")
    assert not board.edges
