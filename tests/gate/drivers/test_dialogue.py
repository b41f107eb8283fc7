"""Questions and commands on one line: what is sent after an answer that did not come in time."""

from __future__ import annotations

import pytest
from wire import Wire, sent

from edged.errors import RetryLater
from edged.gate.board.port import SerialPort
from edged.gate.drivers.dialogue import Dialogue


@pytest.fixture
def dialogue_on(clock):
    dialogues = []

    def make(wire: Wire) -> Dialogue:
        dialogue = Dialogue(SerialPort(wire.path, 9600, clock), check="everything", silent_hint="Plug it in.")
        dialogue.open()
        dialogues.append(dialogue)
        return dialogue

    yield make
    for dialogue in dialogues:
        dialogue.close()


def number(answer: bytes) -> int:
    if len(answer) != 1:
        raise ValueError(f"one byte expected, got {answer!r}")
    return answer[0]


def one_byte(data: bytes) -> bool:
    return len(data) >= 1


def test_a_question_is_asked_once_while_all_answers_come(dialogue_on):
    with Wire((b"?", b"\x01"), (b"?", b"\x02")) as wire:
        dialogue = dialogue_on(wire)
        assert [dialogue.ask(b"?", number, done=one_byte) for _ in range(2)] == [1, 2]
        assert wire.carried(b"??") == b"??"


def test_after_a_missed_answer_the_next_question_is_asked_twice_and_the_second_answer_counts(dialogue_on):
    """The first of the two answers may be the one that was missed."""
    with Wire((b"?", b""), (b"?", b"\x01"), (b"?", b"\x02"), (b"?", b"\x03")) as wire:
        dialogue = dialogue_on(wire)
        assert dialogue.ask(b"?", number, done=one_byte) is None
        assert dialogue.ask(b"?", number, done=one_byte) == 2
        assert dialogue.ask(b"?", number, done=one_byte) == 3
        assert wire.carried(b"????") == b"????"


def test_what_is_owed_is_remembered_over_a_new_connection(dialogue_on):
    with Wire((b"?", b""), (b"?", b"\x01"), (b"?", b"\x02")) as wire:
        dialogue = dialogue_on(wire)
        assert dialogue.ask(b"?", number, done=one_byte) is None
        dialogue.close()
        dialogue.open()
        assert dialogue.ask(b"?", number, done=one_byte) == 2


def test_a_command_leaves_at_once_but_its_answer_is_not_believed_while_another_is_owed(dialogue_on):
    with Wire((b"?", b""), (b"!", b"\x01"), (b"?", b"\x02"), (b"?", b"\x03"), (b"?", b"\x04")) as wire:
        dialogue = dialogue_on(wire)
        assert dialogue.ask(b"?", number, done=one_byte) is None
        assert dialogue.order(b"!", number, done=one_byte) is None
        assert dialogue.written_s is not None
        assert dialogue.ask(b"?", number, done=one_byte) == 4
        assert wire.carried(b"?!???") == sent(b"?!???")


def test_a_command_is_acknowledged_while_nothing_is_owed(dialogue_on):
    with Wire((b"!", b"\x07")) as wire:
        assert dialogue_on(wire).order(b"!", number, done=one_byte) == 7


def test_an_answer_that_must_stand_alone_is_refused_when_something_follows(dialogue_on):
    with Wire((b"?", b"\x01\x02")) as wire:
        assert dialogue_on(wire).ask(b"?", number, done=one_byte, alone_s=0.03) is None


def test_the_third_miss_in_a_row_is_a_lost_board_with_its_hint(dialogue_on):
    with Wire() as wire:
        dialogue = dialogue_on(wire)
        assert [dialogue.ask(b"?", number, done=one_byte) for _ in range(2)] == [None, None]
        with pytest.raises(RetryLater, match=r"Plug it in\.") as lost:
            dialogue.ask(b"?", number, done=one_byte)
        assert lost.value.code == "relay_no_answer"


def test_silence_is_no_miss_where_it_is_an_answer(dialogue_on):
    with Wire() as wire:
        dialogue = dialogue_on(wire)
        assert [dialogue.hear(b"?", number, quiet_s=0.03) for _ in range(4)] == [None] * 4
        assert dialogue.port.heard is False
