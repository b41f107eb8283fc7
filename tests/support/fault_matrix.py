"""The faults every readable relay board must survive, as test methods to be inherited.

The list is that of docs/reference/relay-boards.md 6.4. A test class inherits `FaultMatrix` and says which
board; the faults are the same for all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from edged.clock import SystemClock
from edged.config import GateConfig
from edged.errors import RetryLater
from edged.gate.drivers.base import RelayDriver
from edged.gate.drivers.registry import make_driver
from edged.gate.sim import SimBoard, parse_url

DEADLINE_S = 30.0


def driver_on(board: SimBoard, **gate: Any) -> RelayDriver:
    """The driver for these settings of the gate section, not yet opened."""
    return make_driver(GateConfig(port=str(board.link), **gate), str(board.link), SystemClock())


def answers_until_lost(driver: RelayDriver) -> tuple[list[bool | None], str]:
    """What is read until the driver gives the board up, and the code it does that with; at most 3 answers."""
    states: list[bool | None] = []
    try:
        while len(states) < 3:
            states.append(driver.read_output(1))
    except RetryLater as lost:
        return states, lost.code
    return states, "not lost"


class FaultMatrix:
    """Faults of one board.

    Attributes:
        url: the simulated board.
        gate: settings of the gate section besides the port.
        noise: four kinds of bytes that may come in front of an answer.
    """

    url: ClassVar[str]
    gate: ClassVar[dict[str, Any]]
    noise: ClassVar[tuple[str, ...]] = ("55AA", "00", "FF", "0D0A")

    @pytest.fixture
    def board(self) -> Iterator[SimBoard]:
        board = SimBoard(parse_url(f"{self.url}{'&' if '?' in self.url else '?'}baud=115200"), SystemClock())
        yield board
        board.close()

    @pytest.fixture
    def driver(self, board: SimBoard) -> Iterator[RelayDriver]:
        driver = driver_on(board, **self.gate)
        driver.open()
        yield driver
        driver.close()

    def switch(self, board: SimBoard, driver: RelayDriver, on: bool) -> None:
        """Switch and wait until the board has done it."""
        driver.set(1, on)
        assert board.wait_for(lambda b: b.relays[0] is on, DEADLINE_S)

    def test_a_relay_that_is_switched_reads_back_as_switched(self, board, driver):
        assert driver.read_output(1) is False
        for on in (True, False):
            assert driver.set(1, on) in (None, True)
            assert driver.read_output(1) is on
            assert board.relays[0] is on

    def test_an_unplug_is_noticed_by_the_next_call(self, board, driver):
        board.unplug()
        with pytest.raises(RetryLater) as lost:
            driver.read_output(1)
        assert lost.value.code == "relay_port_lost"
        with pytest.raises(RetryLater):
            driver.set(1, False)

    def test_after_a_replug_the_board_answers_again_and_is_off(self, board, driver):
        self.switch(board, driver, True)
        board.unplug()
        driver.close()
        with pytest.raises(RetryLater) as missing:
            driver.open()
        assert missing.value.code == "relay_port_missing"
        board.plug()
        driver.open()
        assert driver.read_output(1) is False

    @pytest.mark.parametrize("number", range(4))
    def test_noise_before_answers_is_never_believed(self, board, driver, number):
        board.garbage = bytes.fromhex(self.noise[number])
        states, code = answers_until_lost(driver)
        assert set(states) <= {None}
        assert code == "relay_bad_answer"

    def test_one_answer_with_noise_is_forgiven(self, board, driver):
        board.garbage = bytes.fromhex(self.noise[0])
        assert driver.read_output(1) is None
        board.garbage = b""
        self.switch(board, driver, True)
        assert driver.read_output(1) is True

    def test_an_answer_that_is_late_but_in_time_is_fine(self, board, driver):
        board.delay_s = 0.05
        driver.set(1, True)
        assert driver.read_output(1) is True

    def test_an_answer_in_two_pieces_is_fine(self, board, driver):
        board.split_s = 0.05
        assert driver.read_output(1) is False

    def test_a_relay_that_does_not_move_shows_in_the_readback_only(self, board, driver):
        board.stuck = {1}
        assert driver.set(1, True) is not True
        assert driver.read_output(1) is False
        board.stuck = set()
        self.switch(board, driver, True)
        board.stuck = {1}
        assert driver.set(1, False) is not True
        assert driver.read_output(1) is True

    def test_a_line_that_returns_what_is_sent_is_never_believed(self, board, driver):
        board.echo = True
        states, code = answers_until_lost(driver)
        assert set(states) <= {None}
        assert code == "relay_bad_answer"

    def test_a_damaged_answer_is_never_believed(self, board, driver):
        board.bad_sum = True
        states, code = answers_until_lost(driver)
        assert set(states) <= {None}
        assert code == "relay_bad_answer"

    def test_a_silent_board_is_lost_at_the_third_question(self, board, driver):
        board.silent = True
        assert answers_until_lost(driver) == ([None, None], "relay_no_answer")

    def test_half_answers_are_never_believed(self, board, driver):
        board.cut = 1
        states, code = answers_until_lost(driver)
        assert set(states) <= {None}
        assert code in ("relay_bad_answer", "relay_no_answer")

    @pytest.mark.parametrize("delay_s", [0.22, 0.26, 0.33, 0.45])
    def test_a_late_answer_is_not_taken_for_that_of_the_next_question(self, board, driver, delay_s):
        """The old answer says off, the relay is on by then."""
        board.delay_s = delay_s
        assert driver.read_output(1) is None
        board.delay_s = 0.0
        assert driver.set(1, True) is not False
        states = [driver.read_output(1), driver.read_output(1)]
        assert False not in states
        assert board.relays[0] is True
        assert driver.read_output(1) is True

    def test_a_late_answer_is_not_taken_for_that_of_the_next_connection(self, board, driver):
        board.delay_s = 0.33
        assert driver.read_output(1) is None
        board.delay_s = 0.0
        board.force(1, True)
        driver.close()
        driver.open()
        assert driver.read_output(1) is not False
        assert True in (driver.read_output(1), driver.read_output(1))

    def test_a_hung_board_is_lost_and_found_again(self, board, driver):
        board.deaf = True
        assert answers_until_lost(driver)[1] == "relay_no_answer"
        driver.close()
        board.deaf = False
        driver.open()
        assert driver.read_output(1) is False
