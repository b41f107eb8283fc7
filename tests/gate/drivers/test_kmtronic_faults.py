"""What goes wrong with a KMTronic board, small and large: no fault is ever taken for a state."""

from __future__ import annotations

from typing import ClassVar

from fault_matrix import FaultMatrix, answers_until_lost, driver_on


class TestLargeBoard(FaultMatrix):
    url = "sim:kmtronic?channels=8"
    gate: ClassVar = {"protocol": "kmtronic", "channels": 8}

    def test_the_question_for_small_boards_is_not_understood_and_moves_nothing(self, board):
        driver = driver_on(board, protocol="kmtronic", channels=2)
        driver.open()
        assert answers_until_lost(driver) == ([None, None], "relay_no_answer")
        assert not board.edges
        driver.close()


class TestSmallBoard(FaultMatrix):
    url = "sim:kmtronic?channels=2"
    gate: ClassVar = {"protocol": "kmtronic", "channels": 2}

    def test_the_question_for_large_boards_is_not_understood_and_moves_nothing(self, board):
        driver = driver_on(board, protocol="kmtronic", channels=4)
        driver.open()
        assert answers_until_lost(driver) == ([None, None], "relay_no_answer")
        assert not board.edges
        driver.close()
