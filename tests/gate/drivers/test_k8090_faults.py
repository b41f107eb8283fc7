"""What goes wrong with a K8090 card, and what its own timers do when the host is gone."""

from __future__ import annotations

from typing import ClassVar

from fault_matrix import DEADLINE_S, FaultMatrix


class TestK8090(FaultMatrix):
    url = "sim:k8090?self_powered=1"
    gate: ClassVar = {"protocol": "k8090"}

    def test_after_a_replug_the_board_answers_again_and_is_off(self, board, driver):
        """Self-powered: what was on is still on, and reading tells so."""
        self.switch(board, driver, True)
        board.unplug()
        driver.close()
        board.plug()
        driver.open()
        assert driver.read_output(1) is True

    def test_a_pulse_ends_by_itself_after_an_unplug(self, board, driver):
        assert driver.pulse(1, 1.0) is True
        board.unplug()
        assert board.relays[0] is True
        assert board.wait_for(lambda b: b.relays[0] is False, DEADLINE_S)

    def test_a_pulse_of_a_relay_that_does_not_move_is_seen(self, board, driver):
        board.stuck = {1}
        assert driver.pulse(1, 1.0) is False

    def test_a_pulse_whose_answer_is_lost_is_not_sent_again(self, board, driver):
        board.silent = True
        assert driver.pulse(1, 1.0) is None
        assert board.received().count(bytes.fromhex("04 41")) == 1
        board.silent = False
        assert driver.read_output(1) is True

    def test_an_off_ends_a_pulse_for_good(self, board, driver):
        driver.pulse(1, 1.0)
        assert driver.set(1, False) is True
        assert driver.set(1, True) is True
        driver.pulse(2, 1.0)
        assert board.wait_for(lambda b: b.relays[1] is False, DEADLINE_S)
        assert driver.read_output(1) is True

    def test_a_report_nobody_asked_for_is_not_taken_for_an_answer(self, board, driver):
        """A button on the card was pressed: an old report is still in the buffer."""
        board.say(bytes.fromhex("04 51 00 01 00 AA 0F"))
        assert board.wait_for(lambda b: any(entry.direction == "tx" for entry in b.log), DEADLINE_S)
        assert driver.read_output(1) is False
