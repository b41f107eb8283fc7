"""Whose turn it is on a shared line: in the order of asking, those who look for a lost board last."""

from __future__ import annotations

import threading
import time

import pytest

from edged.gate.board.line_lock import LineTurn

DEADLINE_S = 30.0


class Users:
    """Threads that want the line, and the order in which they got it."""

    def __init__(self, turn: LineTurn) -> None:
        self.served: list[str] = []
        self._turn = turn
        self._threads: list[threading.Thread] = []

    def ask(self, name: str, *, patient: bool = False) -> None:
        """Start one; returns when it is waiting."""
        waiting = self._turn.waiting
        thread = threading.Thread(target=self._use, args=(name, patient))
        self._threads.append(thread)
        thread.start()
        until_s = time.monotonic() + DEADLINE_S
        while self._turn.waiting == waiting and time.monotonic() < until_s:
            time.sleep(0.001)

    def join(self) -> None:
        for thread in self._threads:
            thread.join(DEADLINE_S)
            assert not thread.is_alive()

    def _use(self, name: str, patient: bool) -> None:
        with self._turn.patiently() if patient else self._turn:
            self.served.append(name)


@pytest.fixture
def turn():
    return LineTurn()


@pytest.fixture
def users(turn):
    return Users(turn)


def test_the_line_is_given_in_the_order_of_asking(turn, users):
    with turn:
        for name in "abcdef":
            users.ask(name)
    users.join()
    assert users.served == list("abcdef")


def test_whoever_looks_for_a_lost_board_waits_for_all_others(turn, users):
    with turn:
        users.ask("lost", patient=True)
        for name in "abc":
            users.ask(name)
    users.join()
    assert users.served == ["a", "b", "c", "lost"]


def test_whoever_has_the_line_may_take_it_again(turn, users):
    with turn, turn, turn.patiently():
        users.ask("other")
        assert not users.served
    users.join()
    assert users.served == ["other"]


def test_an_error_gives_the_line_back(turn, users):
    for take in (turn, turn.patiently()):
        with pytest.raises(ValueError, match="exchange"), take:
            raise ValueError("exchange")
    with turn:
        users.ask("next")
    users.join()
    assert users.served == ["next"]
