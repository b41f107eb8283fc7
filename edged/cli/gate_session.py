"""One board in the hands of `edged gate`: the session, what the installer sees, the answers as values."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from types import FrameType
from typing import Any

import typer

from edged.cli.gate_view import ask, print_json, print_status, say
from edged.clock import Clock, iso
from edged.config import GateConfig
from edged.errors import NeedsOperator
from edged.gate.commissioning.checklist import Checklist
from edged.gate.commissioning.session import (
    POLL_S,
    CommissioningSession,
    StepOutcome,
    StepResult,
    commissioning_session,
    pulse_length_s,
    pulse_once,
)
from edged.gate.sim import is_simulated

__all__ = [
    "StepOutcome",
    "ask_before_moving",
    "board_status",
    "checklist",
    "exit_if_failed",
    "opened",
    "pulse_length_s",
    "pulse_once",
    "watch",
]

FEED_S = 1.0
"""Boards with a watchdog are fed this often while they are watched."""


class _Nobody:
    """--yes, or a simulated board."""

    present = False

    def sees(self, question: str) -> bool | None:
        return None

    def asked_to(self, request: str) -> None:
        pass


class _AtTerminal:
    """The installer who started the command; standard output stays free for the results."""

    present = True

    def sees(self, question: str) -> bool | None:
        return ask(question)

    def asked_to(self, request: str) -> None:
        say(request)


def checklist(board: CommissioningSession, *, silent: bool) -> Iterator[StepResult]:
    """Each step as it ends. A simulated board and `silent` ask nobody."""
    witness = _Nobody() if silent or is_simulated(board.config.port) else _AtTerminal()
    return Checklist(board, witness).run()


def ask_before_moving(gate: GateConfig, yes: bool) -> None:
    """Ask at the terminal unless nothing real moves. Raises typer.Abort for a no."""
    if yes or is_simulated(gate.port) or gate.family.switched_by == "nothing":
        return
    if not ask(f"This moves relay {gate.channel} at {gate.port}: {gate.id} will open. Go on?"):
        raise typer.Abort


@contextmanager
def opened(gate: GateConfig, clock: Clock) -> Iterator[CommissioningSession]:
    """The board. Its relay is off at the end, also when a signal ends the command."""

    def on_signal(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        with commissioning_session(gate, clock) as board:
            yield board
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def board_status(board: CommissioningSession) -> dict[str, Any]:
    """Relay, contacts and capabilities, JSON-ready."""
    capabilities = board.driver.capabilities
    gate = board.config
    return {
        "door": gate.id,
        "port": gate.port,
        "protocol": gate.protocol,
        "simulated": board.sim is not None,
        "channel": gate.channel,
        "relay_on": board.state(),
        "inputs": board.contacts(),
        **_elsewhere(board),
        "readback": board.driver.capabilities.readback,
        "pulse": "hardware" if board.hardware_pulse else "software",
        "max_on": "hardware" if board.hardware_limit else "software",
        "hardware_pulse_s": asdict(capabilities.pulse) if capabilities.pulse else None,
        "watchdog": capabilities.watchdog,
    }


def _elsewhere(board: CommissioningSession) -> dict[str, Any]:
    """Configured contacts that are no inputs of the board. An error stands in their place."""
    try:
        return {"contacts": board.elsewhere() or None}
    except NeedsOperator as error:
        return {"contacts": None, "contacts_error": str(error)}


def watch(board: CommissioningSession, clock: Clock, seconds: float | None, as_json: bool) -> None:
    """Print every change of relay and contacts; for ever when `seconds` is None."""
    until_s = None if seconds is None else clock.monotonic() + seconds
    shown, fed_s = None, clock.monotonic()
    while True:
        seen = (board.state(), board.contacts(), board.elsewhere() or None)
        if seen != shown:
            shown = seen
            line = {"at": iso(clock.now()), "relay_on": seen[0], "inputs": seen[1], "contacts": seen[2]}
            print_json(line, indent=None) if as_json else print_status(line)
        if clock.monotonic() - fed_s >= FEED_S:
            board.relay.feed_watchdog()
            fed_s = clock.monotonic()
        if until_s is not None and clock.monotonic() >= until_s:
            return
        clock.sleep(POLL_S)


def exit_if_failed(outcomes: list[StepOutcome]) -> None:
    """Exit code 1 when a step failed."""
    if StepOutcome.FAILED in outcomes:
        raise typer.Exit(1)
