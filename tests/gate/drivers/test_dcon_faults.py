"""What goes wrong with a DCON module, and what its host watchdog does when the host is gone."""

from __future__ import annotations

from typing import ClassVar

import pytest
from fault_matrix import DEADLINE_S, FaultMatrix, answers_until_lost

from edged.clock import SystemClock
from edged.errors import RetryLater
from edged.gate.board.port import SerialPort
from edged.gate.drivers.dcon import DconDriver
from edged.gate.sim import SimBoard, parse_url


class TestPlainModule(FaultMatrix):
    url = "sim:dcon"
    gate: ClassVar = {"protocol": "dcon"}
    noise = ("55AA", "00", "FF", "0D")


class TestModuleWithCheckSums(FaultMatrix):
    url = "sim:dcon?firmware=checksum"
    gate: ClassVar = {"protocol": "dcon", "checksum": True}
    noise = ("55AA", "00", "FF", "0D")


class TestBehindAnEchoingAdapter(FaultMatrix):
    url = "sim:dcon?firmware=checksum&echo=1"
    gate: ClassVar = {"protocol": "dcon", "checksum": True, "strip_echo": True}
    noise = ("55AA", "00", "FF", "0D")

    def test_a_line_that_returns_what_is_sent_is_never_believed(self, board, driver):
        """It is, here: the echo is expected and dropped. Without it nothing is."""
        driver.feed_watchdog()
        assert driver.read_output(1) is False
        board.echo = False
        states, code = answers_until_lost(driver)
        assert (set(states), code) == ({None}, "relay_bad_answer")

    def test_a_silent_board_is_lost_at_the_third_question(self, board, driver):
        """The echo is heard, so the answer counts as one without sense."""
        board.silent = True
        assert answers_until_lost(driver) == ([None, None], "relay_bad_answer")

    def test_a_hung_board_is_lost_and_found_again(self, board, driver):
        board.deaf = True
        assert answers_until_lost(driver)[1] == "relay_bad_answer"
        board.deaf = False
        driver.open()
        assert driver.read_output(1) is False


@pytest.fixture
def board():
    board = SimBoard(parse_url("sim:dcon?baud=115200&self_powered=1"), SystemClock())
    yield board
    board.close()


def open_driver(board: SimBoard, watchdog_s: float) -> DconDriver:
    driver = DconDriver(SerialPort(str(board.link), 9600, SystemClock()), address=1, watchdog_s=watchdog_s)
    driver.open()
    return driver


def test_a_host_that_dies_leaves_the_relay_off(board):
    driver = open_driver(board, watchdog_s=0.3)
    assert driver.capabilities.watchdog
    driver.set(1, True)
    assert board.wait_for(lambda b: b.relays[0], DEADLINE_S)
    assert board.wait_for(lambda b: not b.relays[0], DEADLINE_S)
    driver.close()


def test_the_relay_falls_after_an_unplug_too(board):
    driver = open_driver(board, watchdog_s=0.3)
    driver.set(1, True)
    assert board.wait_for(lambda b: b.relays[0], DEADLINE_S)
    board.unplug()
    assert board.wait_for(lambda b: not b.relays[0], DEADLINE_S)
    driver.close()


def test_a_fed_watchdog_does_not_strike(board):
    clock = SystemClock()
    driver = open_driver(board, watchdog_s=0.3)
    driver.set(1, True)
    until_s = clock.monotonic() + 0.7
    while clock.monotonic() < until_s:
        driver.feed_watchdog()
        assert driver.read_output(1) is True
    driver.close()


@pytest.mark.parametrize("how", ["feed", "set"])
def test_a_watchdog_that_has_struck_is_said_and_acknowledged_by_connecting_anew(board, how):
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
    driver.close()


def test_a_module_that_would_unlock_when_it_strikes_is_not_armed_before_that_is_mended(board):
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
    driver.close()


def test_settings_that_are_right_already_are_not_written_again(board):
    """They go into an EEPROM, which wears out."""
    open_driver(board, watchdog_s=5.0).close()
    before = len(board.received())
    open_driver(board, watchdog_s=5.0).close()
    again = board.received()[before:]
    assert b"~013" not in again
    assert b"~015" not in again
