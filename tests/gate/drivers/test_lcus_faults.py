"""What goes wrong with an LCUS board of either firmware: no fault is ever taken for a state."""

from __future__ import annotations

from typing import ClassVar

import pytest
from fault_matrix import FaultMatrix, driver_on

from edged.clock import SystemClock
from edged.gate.drivers.lcus import CRLF_FRAME_GAP_S
from edged.gate.sim import SimBoard, parse_url


class TestFeedbackFirmware(FaultMatrix):
    url = "sim:lcus?firmware=feedback"
    gate: ClassVar = {"protocol": "lcus", "firmware": "feedback"}


class TestFeedbackFirmwareThatWantsCrLf(FaultMatrix):
    url = "sim:lcus?firmware=feedback&crlf=1"
    gate: ClassVar = {"protocol": "lcus", "firmware": "feedback", "append_crlf": True}


class TestBasicFirmware(FaultMatrix):
    """One that answers the text question; whether it does is found out by the first one after opening."""

    url = "sim:lcus?channels=2"
    gate: ClassVar = {"protocol": "lcus"}

    @pytest.fixture
    def driver(self, board):
        driver = driver_on(board, **self.gate)
        driver.open()
        assert driver.read_output(1) is False
        yield driver
        driver.close()


def test_a_board_that_wants_cr_lf_gets_it_and_a_pause_between_frames():
    board = SimBoard(parse_url("sim:lcus?firmware=feedback&crlf=1&baud=115200"), SystemClock())
    driver = driver_on(board, protocol="lcus", firmware="feedback", append_crlf=True)
    driver.open()
    sent_s = []
    for on in (True, False):
        assert driver.set(1, on) is True
        sent_s.append(driver.written_s)
    driver.close()
    board.close()
    assert board.received() == bytes.fromhex("A0 01 03 A4 0D 0A A0 01 02 A3 0D 0A")
    assert sent_s[1] - sent_s[0] >= CRLF_FRAME_GAP_S
