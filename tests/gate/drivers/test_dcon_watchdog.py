"""What the host watchdog of a DCON module does when the host is gone."""

from __future__ import annotations

from contextlib import ExitStack, closing

import pytest
from gate_bench import DEADLINE_S

from edged.errors import RetryLater
from edged.events import DoorUnlocked
from edged.gate.board.port import SerialPort
from edged.gate.drivers.dcon import DconDriver
from edged.gate.sim import SimBoard


@pytest.fixture
def board(make_board):
    return make_board("sim:dcon?baud=115200&self_powered=1")


@pytest.fixture
def open_driver(clock):
    """Opens a driver whose module drops its relays after `watchdog_s` without a word."""
    with ExitStack() as stack:

        def make(board: SimBoard, watchdog_s: float) -> DconDriver:
            port = SerialPort(str(board.link), 9600, clock)
            driver = stack.enter_context(closing(DconDriver(port, address=1, watchdog_s=watchdog_s)))
            driver.open()
            return driver

        yield make


def test_a_host_that_dies_leaves_the_relay_off(board, open_driver):
    driver = open_driver(board, watchdog_s=0.3)
    assert driver.capabilities.watchdog
    driver.set(1, True)
    assert board.wait_for(lambda b: b.relays[0], DEADLINE_S)
    assert board.wait_for(lambda b: not b.relays[0], DEADLINE_S)


def test_the_relay_falls_after_an_unplug_too(board, open_driver):
    driver = open_driver(board, watchdog_s=0.3)
    driver.set(1, True)
    assert board.wait_for(lambda b: b.relays[0], DEADLINE_S)
    board.unplug()
    assert board.wait_for(lambda b: not b.relays[0], DEADLINE_S)


def test_a_fed_watchdog_does_not_strike(board, open_driver, clock):
    driver = open_driver(board, watchdog_s=0.3)
    driver.set(1, True)
    for _ in range(7):
        driver.feed_watchdog()
        assert driver.read_output(1) is True
        clock.sleep(0.1)


@pytest.mark.parametrize("how", ["feed", "set"])
def test_a_watchdog_that_has_struck_is_said_and_acknowledged_by_connecting_anew(board, open_driver, how):
    driver = open_driver(board, watchdog_s=0.1)
    driver.set(1, True)
    assert board.wait_for(lambda b: b.relays[0], DEADLINE_S)
    assert board.wait_for(lambda b: not b.relays[0], DEADLINE_S)
    with pytest.raises(RetryLater) as struck:
        driver.feed_watchdog() if how == "feed" else driver.set(1, True)
    assert struck.value.code == "relay_watchdog"
    assert board.relays[0] is False
    driver.close()
    driver = open_driver(board, watchdog_s=5.0)
    driver.set(1, True)
    assert driver.read_output(1) is True


def test_a_module_that_would_unlock_when_it_strikes_is_not_armed_before_that_is_mended(board, open_driver):
    """Somebody stored relay 1 on as the safe value, and it is on now: nothing is switched by connecting."""
    firmware = board.firmware
    firmware.safe = firmware.power_on = 1
    board.force(1, True)
    moved = len(board.edges)
    driver = open_driver(board, watchdog_s=5.0)
    assert not driver.capabilities.watchdog
    assert len(board.edges) == moved
    driver.feed_watchdog()
    assert b"~**" not in board.received()
    driver.set(1, False)
    assert driver.read_output(1) is False
    assert driver.capabilities.watchdog
    assert (firmware.safe, firmware.power_on) == (0, 0)


def test_settings_that_are_right_already_are_not_written_again(board, open_driver):
    """They go into an EEPROM, which wears out."""
    open_driver(board, watchdog_s=5.0).close()
    before = len(board.received())
    open_driver(board, watchdog_s=5.0).close()
    again = board.received()[before:]
    assert b"~013" not in again
    assert b"~015" not in again


def test_the_watchdog_of_a_module_is_armed_before_the_first_grant_and_fed_as_long_as_the_service_lives(bench):
    """That it strikes when nobody feeds it is shown with the driver's own tests."""
    board = bench.board("sim:dcon")
    bench.service(board.link, protocol="dcon", mode="hold", hold_s=60, max_on_s=60)
    assert b"~013132\r" in board.received()
    bench.decide("d1")
    assert bench.wait_for(DoorUnlocked, decision_id="d1").acknowledged is True
    fed = board.received().count(b"~**")
    assert board.wait_for(lambda b: b.received().count(b"~**") >= fed + 3, DEADLINE_S)
    assert board.relays[0] is True
