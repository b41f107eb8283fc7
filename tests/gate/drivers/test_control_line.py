"""A relay on DTR or RTS. A pty has no such lines, so pyserial's own `loop://` stands in.

There RTS comes back as CTS and DTR as DSR. Levels on a real connector are not shown by these tests.
"""

from __future__ import annotations

import os
import tty

import pytest
import serial

from edged.clock import ManualClock
from edged.config import GateConfig
from edged.errors import Misconfigured, NeedsOperator, RetryLater
from edged.gate.drivers.base import Capabilities
from edged.gate.drivers.control_line import LineDriver
from edged.gate.drivers.registry import make_driver

CTS, DSR, DCD, RI = range(4)


@pytest.fixture
def ports():
    """The ports that were opened, latest last."""
    return []


@pytest.fixture
def driver(ports):
    def open_port(path: str) -> serial.SerialBase:
        ports.append(serial.serial_for_url(path))
        return ports[-1]

    driver = LineDriver("loop://", ManualClock(), open_port=open_port)
    driver.open()
    yield driver
    driver.close()


def test_both_lines_are_low_after_opening(driver, ports):
    assert (ports[0].dtr, ports[0].rts) == (False, False)


@pytest.mark.parametrize(("channel", "back"), [(1, DSR), (2, CTS)])
def test_channel_1_is_dtr_and_channel_2_is_rts(driver, channel, back):
    driver.set(channel, True)
    assert [number for number in (CTS, DSR) if driver.read_inputs()[number]] == [back]
    driver.set(channel, False)
    assert driver.read_inputs()[:2] == (False, False)


def test_nothing_confirms_a_command_and_nothing_can_be_read_back(driver):
    assert driver.set(1, True) is None
    assert driver.read_output(1) is None
    assert driver.capabilities == Capabilities(inputs=4)


def test_contacts_are_cts_dsr_dcd_and_ri(driver):
    assert driver.read_inputs() == (False, False, True, False)


def test_the_time_of_a_command_is_kept(driver):
    assert driver.written_s is None
    driver.set(1, True)
    assert driver.written_s == ManualClock().monotonic()


def test_closing_lowers_both_lines(driver, ports):
    driver.set(1, True)
    driver.set(2, True)
    lines = ports[0]
    driver.close()
    assert (lines.dtr, lines.rts) == (False, False)
    driver.close()


@pytest.mark.parametrize("call", ["set", "read_output", "read_inputs"])
def test_a_port_that_is_gone_is_said(driver, ports, call):
    ports[0].close()
    with pytest.raises(RetryLater) as lost:
        driver.set(1, False) if call == "set" else getattr(driver, call)(
            *([1] if call == "read_output" else [])
        )
    assert lost.value.code == "relay_port_lost"


def test_a_port_without_lines_is_refused_with_the_reason():
    master, slave = os.openpty()
    tty.setraw(slave)
    driver = LineDriver(os.ttyname(slave), ManualClock())
    try:
        with pytest.raises(NeedsOperator, match="no control lines") as refused:
            driver.open()
        assert refused.value.code == "relay_no_lines"
        with pytest.raises(RetryLater):
            driver.set(1, True)
    finally:
        os.close(master)
        os.close(slave)


def test_a_missing_port_is_tried_again_later():
    with pytest.raises(RetryLater) as missing:
        LineDriver("/dev/serial/by-id/none", ManualClock()).open()
    assert missing.value.code == "relay_port_missing"


def test_a_third_line_is_refused():
    with pytest.raises(Misconfigured, match="two lines"):
        make_driver(GateConfig(protocol="line", channel=3), "/dev/null", ManualClock())
