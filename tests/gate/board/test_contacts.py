"""Contacts on the lines of a serial port, and readings that fail. pyserial's `loop://` is the port."""

from __future__ import annotations

import pytest
import serial

from edged.clock import ManualClock
from edged.config import GateConfig
from edged.errors import RetryLater
from edged.gate.board.contacts import POLL_S, RETRY_S, SILENT_S, Contacts, ContactsSeen
from edged.gate.door.inputs import InputKind
from edged.gate.drivers.control_line import LineDriver


def nothing() -> None:
    return None


def edges(seen: list[ContactsSeen]) -> dict[InputKind, bool]:
    return {edge.kind: edge.active for each in seen for edge in each.edges}


@pytest.fixture
def clock():
    return ManualClock()


def test_lines_of_the_port_are_contacts_by_their_names(clock):
    driver = LineDriver("loop://", clock, open_port=serial.serial_for_url)
    driver.open()
    config = GateConfig(protocol="line", exit_button="line:dsr", door_contact="line:cts,nc", debounce_s=0.05)
    contacts = Contacts(config, clock, read_board=nothing, read_lines=driver.read_inputs)
    assert contacts.poll(board=True) == [], "a first reading has to last as well"
    clock.advance(POLL_S)
    assert edges(contacts.poll(board=True)) == {InputKind.EXIT: False, InputKind.DOOR: True}
    driver.set(1, True)  # DTR comes back as DSR
    clock.advance(POLL_S)
    contacts.poll(board=True)
    clock.advance(POLL_S)
    assert edges(contacts.poll(board=True)) == {InputKind.EXIT: True}
    driver.close()


def test_nothing_is_read_before_its_time_and_nothing_of_a_board_that_is_away(clock):
    read: list[float] = []

    def board() -> tuple[bool, ...]:
        read.append(clock.monotonic())
        return (False,) * 8

    config = GateConfig(protocol="modbus", fire="board:1")
    contacts = Contacts(config, clock, read_board=board, read_lines=nothing)
    assert contacts.due_s(board=False) is None
    contacts.poll(board=False)
    assert read == []
    contacts.poll(board=True)
    contacts.poll(board=True)
    assert len(read) == 1
    assert contacts.due_s(board=True) == clock.monotonic() + POLL_S


def test_a_missed_answer_is_no_sign_and_a_silent_board_is_told_once(clock):
    answers: list[tuple[bool, ...] | None] = [(True,), (True,), None, (True,)]
    config = GateConfig(protocol="modbus", exit_button="board:1", debounce_s=0)
    contacts = Contacts(
        config, clock, read_board=lambda: answers.pop(0) if answers else None, read_lines=nothing
    )
    for _ in range(4):
        assert not [seen for seen in contacts.poll(board=True) if seen.lost or seen.problem]
        clock.advance(POLL_S)
    contacts.poll(board=True)
    clock.advance(SILENT_S)
    (seen,) = contacts.poll(board=True)
    assert seen.problem.code == "inputs_missing"
    assert seen.lost == (InputKind.EXIT,)
    for _ in range(5):
        clock.advance(RETRY_S)
        assert contacts.poll(board=True) == []
    answers += [(False,), (False,)]
    clock.advance(RETRY_S)
    (seen,) = contacts.poll(board=True)
    assert seen.ended


def test_a_board_that_is_lost_while_its_contacts_are_read_is_lost(clock):
    def gone() -> tuple[bool, ...]:
        raise RetryLater("unplugged", code="relay_port_lost")

    contacts = Contacts(
        GateConfig(protocol="modbus", fire="board:1"), clock, read_board=gone, read_lines=nothing
    )
    with pytest.raises(RetryLater):
        contacts.poll(board=True)
