"""A board in the hands of an installer: the commissioning checklist with a person, on ptys."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest

from edged.config import GateConfig
from edged.errors import NeedsOperator
from edged.gate.commissioning.checklist import Checklist
from edged.gate.commissioning.session import StepOutcome, commissioning_session, pulse_once


class Installer:
    """Pulls the plug when asked to and operates a contact."""

    present = True

    def __init__(self, board, *, lazy: bool = False) -> None:
        self._board = board
        self._lazy = lazy
        self.asked: list[str] = []

    def sees(self, question: str) -> bool | None:
        return True

    def asked_to(self, request: str) -> None:
        self.asked.append(request)
        if self._lazy:
            return
        if request.startswith("The relay is on. Pull"):
            self._board.unplug()
        elif request.startswith("It is gone"):
            self._board.plug()
        else:
            self._board.set_input(3, True)


def test_a_board_left_on_is_an_error_that_says_to_look_at_the_door(bench):
    board = bench.board("sim:modbus?firmware=coils")
    config = GateConfig(port=str(board.link), protocol="modbus", profile="coils")

    def weld() -> None:
        with commissioning_session(config, bench.clock) as at_hand:
            at_hand.on()
            board.stuck = {1}

    with pytest.raises(NeedsOperator) as caught:
        weld()
    assert caught.value.code == "relay_stuck"
    assert "Look at the door" in caught.value.hint


def test_a_pulse_the_board_does_not_end_fails_and_is_ended(bench):
    board = bench.board("sim:modbus")
    config = GateConfig(port=str(board.link), protocol="modbus", pulse_s=0.3)
    with commissioning_session(config, bench.clock) as at_hand:
        later, board.later = board.later, lambda *plan: None
        result, length_s = pulse_once(at_hand, 0.3)
        board.later = later
    assert (result.outcome, length_s) == (StepOutcome.FAILED, None)
    assert board.relays[0] is False


def test_a_plug_that_nobody_pulls_leaves_the_door_open_no_longer_than_allowed(bench):
    board = bench.board("sim:modbus")
    config = GateConfig(port=str(board.link), protocol="modbus", pulse_s=0.3, max_on_s=0.5)
    installer = Installer(board, lazy=True)
    with commissioning_session(config, bench.clock) as at_hand:
        result = Checklist(at_hand, installer).plug()
    assert (result.outcome, result.text) == (StepOutcome.SKIPPED, "the plug was not pulled")
    assert board.relays[0] is False


def test_contacts_are_named_as_configured_and_one_that_did_not_move_is_told(bench, monkeypatch):
    monkeypatch.setattr("edged.gate.commissioning.checklist.CONTACT_WAIT_S", 0.3)
    board = bench.board("sim:modbus")
    contacts = {"exit_button": "board:3", "fire": "board:5,nc"}
    config = GateConfig(port=str(board.link), protocol="modbus", pulse_s=0.3, **contacts)
    with commissioning_session(config, bench.clock) as at_hand:
        result = Checklist(at_hand, Installer(board)).inputs()
    assert result.outcome.value == "unsure"
    assert result.text == "changed: input 3 (exit_button); did not: input 5 (fire)"


def test_an_installer_is_led_through_contacts_and_plug(bench, monkeypatch):
    monkeypatch.setattr("edged.gate.commissioning.checklist.CONTACT_WAIT_S", 0.3)
    board = bench.board("sim:modbus?self_powered=1")
    installer = Installer(board)
    config = GateConfig(port=str(board.link), protocol="modbus", pulse_s=0.3)
    with commissioning_session(config, bench.clock) as at_hand:
        results = {result.step: result for result in Checklist(at_hand, installer).run()}
    assert {step: result.outcome.value for step, result in results.items()} == dict.fromkeys(
        ("connect", "off", "on", "pulse", "inputs", "plug"), "ok"
    )
    assert results["inputs"].text == "changed: input 3"
    assert "STAYED ON" in results["plug"].text
    assert len(installer.asked) == 3
    assert board.relays[0] is False


@pytest.fixture
def chip(monkeypatch):
    """Stands in for libgpiod and a chip, which this machine need not have; its lines by offset."""
    lines: dict[int, str] = {}
    gpiod, line = ModuleType("gpiod"), ModuleType("gpiod.line")
    line.Direction, line.Bias = SimpleNamespace(INPUT="input"), SimpleNamespace(PULL_UP="up")
    line.Value = SimpleNamespace(ACTIVE="closed")
    gpiod.line, gpiod.LineSettings = line, SimpleNamespace
    gpiod.request_lines = lambda *_, **__: SimpleNamespace(
        get_values=lambda wanted: [lines[offset] for offset in wanted], release=lambda: None
    )
    monkeypatch.setitem(sys.modules, "gpiod", gpiod)
    monkeypatch.setitem(sys.modules, "gpiod.line", line)
    return lines


def test_contacts_on_gpio_lines_are_part_of_the_checklist(bench, monkeypatch, chip):
    monkeypatch.setattr("edged.gate.commissioning.checklist.CONTACT_WAIT_S", 0.3)
    chip.update({4: "closed", 5: "closed"})
    board = bench.board("sim:lcus")
    contacts = {"fire": "gpio:gpiochip0/4,nc", "tamper": "gpio:gpiochip0/5,nc"}
    config = GateConfig(port=str(board.link), **contacts)
    with commissioning_session(config, bench.clock) as at_hand:
        assert at_hand.elsewhere() == {"fire": False, "tamper": False}
        checklist = Checklist(at_hand, Installer(board))
        monkeypatch.setattr(board, "set_input", lambda *_: chip.update({4: "open"}))
        result = checklist.inputs()
    assert (result.outcome.value, result.text) == ("unsure", "changed: fire; did not: tamper")


def test_contacts_that_cannot_be_read_fail_their_step_and_no_other(bench):
    board = bench.board("sim:lcus")
    config = GateConfig(port=str(board.link), pulse_s=0.1, exit_button="line:cts")
    with commissioning_session(config, bench.clock) as at_hand:
        results = {result.step: result for result in Checklist(at_hand, Installer(board)).run()}
    assert results["inputs"].outcome is StepOutcome.FAILED
    assert "no lines for contacts" in results["inputs"].text
    assert results["plug"].outcome is StepOutcome.OK


def test_a_board_that_turns_out_silent_is_not_said_to_be_readable(bench):
    board = bench.board("sim:lcus?silent=1")
    with commissioning_session(GateConfig(port=str(board.link)), bench.clock) as at_hand:
        assert "cannot be read" in Checklist(at_hand, Installer(board)).connect().text
