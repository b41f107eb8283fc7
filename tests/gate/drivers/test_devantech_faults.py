"""What goes wrong with a Devantech module, and what text meant for another board does to it."""

from __future__ import annotations

from typing import ClassVar

import pytest
from fault_matrix import FaultMatrix, answers_until_lost, driver_on

from edged.clock import SystemClock
from edged.errors import Misconfigured, RetryLater
from edged.gate.sim import SimBoard, parse_url


@pytest.fixture
def make_board():
    boards = []

    def make(url: str) -> SimBoard:
        boards.append(SimBoard(parse_url(url), SystemClock()))
        return boards[-1]

    yield make
    for board in boards:
        board.close()


class TestDevantech(FaultMatrix):
    url = "sim:devantech?firmware=opto88"
    gate: ClassVar = {"protocol": "devantech"}

    def test_contacts_with_a_damaged_answer_are_unknown(self, board, driver):
        board.set_input(8, True)
        assert driver.read_inputs() == (False,) * 7 + (True,)
        board.garbage = b"\x01"
        assert driver.read_inputs() is None


def test_a_latching_module_is_refused_and_nothing_is_switched(make_board):
    board = make_board("sim:devantech?firmware=rly16l&self_powered=1")
    with pytest.raises(Misconfigured, match="latch") as refused:
        driver_on(board, protocol="devantech").open()
    assert refused.value.code == "relay_wrong_board"
    assert set(board.received()) == {0x5A}
    assert not board.edges


def test_a_relay_the_module_does_not_have_is_refused(make_board):
    board = make_board("sim:devantech?firmware=rly02&channels=2")
    with pytest.raises(Misconfigured, match=r"2 relays, gate\.channel is 3"):
        driver_on(board, protocol="devantech", channel=3).open()
    assert not board.edges


def test_a_module_that_does_not_say_what_it_is_gets_no_commands(make_board):
    board = make_board("sim:devantech?silent=1")
    with pytest.raises(RetryLater) as lost:
        driver_on(board, protocol="devantech").open()
    assert lost.value.code == "relay_no_answer"
    assert set(board.received()) == {0x5A}


def test_a_question_in_the_words_of_another_board_switches_every_relay_on_here(make_board):
    """Why protocols are configured and never probed (docs/reference/relay-boards.md 1.5): to a Numato module
    this is a harmless question, to a Devantech its letters are commands, and `d` means all relays on."""
    board = make_board("sim:devantech")
    numato = driver_on(board, protocol="numato")
    numato.open()
    assert numato.read_output(1) is None
    assert board.received() == b"\rrelay read 0\r"
    assert board.relays == [True] * 8


def test_a_command_in_the_words_of_another_board_moves_the_wrong_relays_here(make_board):
    """`relay on 0` contains `e` (1 on), `l` (8 on), `o` (1 off) and `n` (all off)."""
    board = make_board("sim:devantech")
    numato = driver_on(board, protocol="numato")
    numato.open()
    numato.set(1, True)
    assert [(edge.channel, edge.on) for edge in board.edges] == [(1, True), (8, True), (1, False), (8, False)]


@pytest.mark.parametrize("protocol", ["lcus", "kmtronic", "k8090", "dcon"])
def test_a_wrong_protocol_never_reads_a_state_out_of_this_module(make_board, protocol):
    board = make_board("sim:devantech")
    driver = driver_on(board, protocol=protocol, firmware="feedback")
    try:
        driver.open()
    except RetryLater as lost:
        states, code = [], lost.code
    else:
        states, code = answers_until_lost(driver)
    assert set(states) <= {None}
    assert code in ("relay_no_answer", "relay_bad_answer")


@pytest.mark.parametrize(
    "url", ["sim:lcus", "sim:kmtronic", "sim:numato", "sim:k8090", "sim:dcon", "sim:modbus"]
)
def test_this_protocol_never_believes_another_board_and_moves_nothing_there(make_board, url):
    board = make_board(url)
    with pytest.raises(RetryLater) as lost:
        driver_on(board, protocol="devantech").open()
    assert lost.value.code in ("relay_no_answer", "relay_bad_answer")
    assert not board.edges
