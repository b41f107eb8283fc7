"""Bytes of the Devantech modules, against docs/reference/relay-boards.md 1.5."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wire import Wire, sent

from edged.clock import SystemClock
from edged.config import GateConfig
from edged.errors import Misconfigured
from edged.gate.board.port import SerialPort
from edged.gate.drivers.base import Capabilities
from edged.gate.drivers.devantech import DevantechDriver, parse_bits, switch_byte
from edged.gate.drivers.registry import make_driver


def driver_on(wire: Wire, channel: int = 1) -> DevantechDriver:
    return DevantechDriver(SerialPort(wire.path, 9600, SystemClock()), channel=channel)


@pytest.mark.parametrize(
    ("channel", "on", "byte"),
    [(1, True, "65"), (8, True, "6C"), (1, False, "6F"), (2, False, "70"), (8, False, "76")],
)
def test_each_relay_has_a_byte_for_on_and_one_for_off(channel, on, byte):
    assert switch_byte(channel, on) == bytes.fromhex(byte)


@pytest.mark.parametrize("channel", [0, 9])
def test_the_bytes_beside_them_switch_all_relays_and_are_never_sent(channel):
    with pytest.raises(ValueError, match="no relay"):
        switch_byte(channel, True)


def test_a_set_bit_before_the_id_is_a_relay_that_is_on():
    assert parse_bits(bytes.fromhex("81 0C 02"), module_id=12) == (True, *(False,) * 6, True)


@pytest.mark.parametrize("answer", ["", "81", "81 0C", "81 08 02", "55 81 0C", "81 0C 02 00"])
def test_bits_without_the_right_id_are_not_believed(answer):
    with pytest.raises(ValueError, match="expected a byte, 0C"):
        parse_bits(bytes.fromhex(answer), module_id=12)


@given(st.binary(max_size=6))
def test_noise_is_refused_unless_it_carries_the_id(noise):
    try:
        parse_bits(noise, module_id=9)
    except ValueError:
        return
    assert noise[1] == 9


def test_exactly_these_bytes_are_on_the_line():
    script = (
        ("5A 5A", "0C 03 0C 03"),
        ("65", ""),
        ("5B 5A", "01 0C 03"),
        ("19 5A", "80 0C 03"),
        ("6F", ""),
        ("5B 5A", "00 0C 03"),
    )
    with Wire(*script) as wire:
        driver = driver_on(wire)
        driver.open()
        assert driver.capabilities == Capabilities(readback=True, inputs=8)
        assert driver.set(1, True) is None
        assert driver.read_output(1) is True
        assert driver.read_inputs() == (*(False,) * 7, True)
        assert driver.set(1, False) is None
        assert driver.read_output(1) is False
        driver.close()
        questions = [question for question, _ in script]
        assert wire.carried(*questions) == sent(*questions)


@pytest.mark.parametrize("module_id", ["08", "09", "0A"])
def test_modules_without_contacts_are_not_asked_for_any(module_id):
    with Wire(("5A 5A", f"{module_id} 01 {module_id} 01")) as wire:
        driver = driver_on(wire)
        driver.open()
        assert driver.capabilities == Capabilities(readback=True)
        assert driver.read_inputs() is None
        driver.close()
        assert wire.carried("5A 5A") == sent("5A 5A")


@pytest.mark.parametrize(("module_id", "why"), [("0F", "latch"), ("0D", "unknown module id 13")])
def test_latching_and_unknown_modules_are_refused_by_their_id(module_id, why):
    with Wire(("5A 5A", f"{module_id} 01 {module_id} 01")) as wire:
        driver = driver_on(wire)
        with pytest.raises(Misconfigured, match=why) as refused:
            driver.open()
        driver.close()
        assert refused.value.code == "relay_wrong_board"
        assert refused.value.hint
        assert wire.carried("5A 5A") == sent("5A 5A")


def test_before_it_is_open_nothing_is_known_of_contacts():
    driver = make_driver(GateConfig(protocol="devantech"), "/dev/null", SystemClock())
    assert driver.capabilities == Capabilities(readback=True)
    driver.close()
