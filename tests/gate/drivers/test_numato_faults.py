"""What goes wrong with a Numato module: no fault is ever taken for a state."""

from __future__ import annotations

from typing import ClassVar

from fault_matrix import FaultMatrix


class TestNumato(FaultMatrix):
    url = "sim:numato"
    gate: ClassVar = {"protocol": "numato", "board_inputs": 4}
    noise = ("55AA", "00", "FF", "3E")

    def test_contacts_with_a_missed_answer_are_unknown_as_a_whole(self, board, driver):
        board.set_input(2, True)
        assert driver.read_inputs() == (False, True, False, False)
        board.cut = 2
        assert driver.read_inputs() is None
        board.cut = 0
        assert driver.read_inputs() == (False, True, False, False)

    def test_half_a_line_left_by_somebody_else_does_not_spoil_the_first_question(self, board, driver):
        driver.close()
        with open(board.link, "wb", buffering=0) as somebody:
            somebody.write(b"relay rea")
        assert board.wait_for(lambda b: b.received().endswith(b"relay rea"), 5)
        driver.open()
        assert driver.read_output(1) is False
