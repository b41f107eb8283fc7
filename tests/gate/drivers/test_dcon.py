"""Words of DCON modules, against docs/reference/relay-boards.md 1.7 and examples of the maker's manual."""

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
from edged.gate.drivers.dcon import DconDriver, line, parse_hex, parse_io, parse_line
from edged.gate.drivers.registry import make_driver

CONNECT = (
    (b"~010\r", b"!0100\r"),
    (b"~014S\r", b"!010000\r"),
    (b"~014P\r", b"!010000\r"),
    (b"~012\r", b"!01000\r"),
    (b"~013164\r", b"!01\r"),
    (b"~012\r", b"!01164\r"),
)


def driver_on(wire: Wire, **options: object) -> DconDriver:
    port = SerialPort(wire.path, 9600, LeapingClock())
    return DconDriver(port, address=1, **{"watchdog_s": 10.0, **options})


def questions(script):
    return [question for question, _ in script]


def test_a_check_sum_is_the_low_byte_of_the_sum_as_two_digits():
    assert line("$012", checksum=True) == b"$012B7\r"
    assert line("$012") == b"$012\r"


@pytest.mark.parametrize("reply", [b"", b"!01", b"!01\r\r", b"\xff!01\r"])
def test_something_that_is_not_one_line_is_refused(reply):
    with pytest.raises(ValueError, match="expected one line"):
        parse_line(reply)


@given(st.binary(max_size=12))
def test_noise_with_a_wrong_check_sum_is_refused(noise):
    try:
        text = parse_line(noise, checksum=True)
    except ValueError:
        return
    assert line(text, checksum=True) == noise


def test_outputs_come_before_inputs():
    assert parse_io("!050F00") == (0x05, 0x0F)


@pytest.mark.parametrize("text", ["!050F", "!01", ">", "?01", "!050F01", "!0G0F00", "x050F00"])
def test_anything_else_is_no_state(text):
    with pytest.raises(ValueError, match="expected"):
        parse_io(text)


def test_an_answer_of_another_module_is_refused():
    with pytest.raises(ValueError, match="expected !01"):
        parse_hex("!0200", "!01", 2)


def test_connecting_arms_the_host_watchdog_in_the_words_of_the_manual():
    with Wire(*CONNECT) as wire:
        driver = driver_on(wire)
        assert driver.capabilities == Capabilities(readback=True)
        driver.open()
        assert driver.capabilities == Capabilities(readback=True, watchdog=True)
        driver.close()
        assert wire.carried(*questions(CONNECT)) == sent(*questions(CONNECT))


def test_older_firmware_reports_the_time_without_the_flag():
    script = (*CONNECT[:3], (b"~012\r", b"!0132\r"), (b"~013164\r", b"!01\r"), (b"~012\r", b"!0164\r"))
    with Wire(*script) as wire:
        driver = driver_on(wire)
        driver.open()
        assert driver.capabilities.watchdog
        driver.close()


def test_a_watchdog_that_has_struck_is_acknowledged_first():
    script = ((b"~010\r", b"!0104\r"), (b"~011\r", b"!01\r"), *CONNECT[1:])
    with Wire(*script) as wire:
        driver = driver_on(wire)
        driver.open()
        driver.close()
        assert wire.carried(*questions(script)) == sent(*questions(script))


def test_a_safe_value_that_is_not_all_off_is_stored_anew_while_all_are_off():
    script = (
        CONNECT[0],
        (b"~014S\r", b"!010F00\r"),
        (b"$016\r", b"!000000\r"),
        (b"~015S\r", b"!01\r"),
        *CONNECT[2:],
    )
    with Wire(*script) as wire:
        driver = driver_on(wire)
        driver.open()
        assert driver.capabilities.watchdog
        driver.close()
        assert wire.carried(*questions(script)) == sent(*questions(script))


def test_exactly_these_bytes_are_on_the_line():
    script = (
        *CONNECT,
        (b"#011001\r", b">\r"),
        (b"$016\r", b"!010300\r"),
        (b"$016\r", b"!010300\r"),
        (b"~**\r", b""),
        (b"~010\r", b"!0100\r"),
        (b"#011000\r", b">\r"),
        (b"$016\r", b"!000000\r"),
    )
    with Wire(*script) as wire:
        driver = driver_on(wire, inputs=4)
        driver.open()
        assert driver.set(1, True) is None
        assert driver.read_output(1) is True
        assert driver.read_inputs() == (True, True, False, False)
        driver.feed_watchdog()
        assert driver.set(1, False) is None
        assert driver.read_output(1) is False
        driver.close()
        assert wire.carried(*questions(script)) == sent(*questions(script))


def test_relay_4_is_channel_3_of_the_module():
    with Wire(*CONNECT, (b"#011301\r", b">\r"), (b"$016\r", b"!080000\r")) as wire:
        driver = driver_on(wire)
        driver.open()
        driver.set(4, True)
        assert driver.read_output(4) is True
        driver.close()


def test_what_is_configured_is_used():
    config = GateConfig(protocol="dcon", board_inputs=16)
    driver = make_driver(config, "/dev/null", SystemClock())
    assert driver.capabilities == Capabilities(readback=True, inputs=8)
    with pytest.raises(Misconfigured, match="up to relay 8"):
        make_driver(GateConfig(protocol="dcon", channels=16, channel=9), "/dev/null", SystemClock())
