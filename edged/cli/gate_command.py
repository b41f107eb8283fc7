"""`edged gate`: look at relay boards, and try one while the daemon is stopped. The work is in edged.gate."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from types import FrameType
from typing import Annotated, Any

import typer

from edged.cli.common import ConfigOption, DoorOption, pick_gate, resolve_config
from edged.cli.gate_view import ask, print_json, print_ports, print_status, print_step, say
from edged.clock import Clock, SystemClock, iso
from edged.config import GateConfig
from edged.errors import Misconfigured, NeedsOperator
from edged.gate.commissioning.checklist import Checklist
from edged.gate.commissioning.ports import find_ports
from edged.gate.commissioning.session import (
    POLL_S,
    CommissioningSession,
    Outcome,
    commissioning_session,
    pulse_once,
)
from edged.gate.sim import is_simulated

app = typer.Typer(no_args_is_help=True)

JsonOption = Annotated[bool, typer.Option("--json", help="JSON on standard output, nothing else.")]
YesOption = Annotated[
    bool, typer.Option("--yes", "-y", help="Move the relay without asking; nobody stands at the door.")
]

FEED_S = 1.0
"""Boards with a watchdog are told of us so often while they are watched."""


@app.command("list-ports")
def list_ports(as_json: JsonOption = False) -> None:
    """List the serial ports and what may be behind them. No port is opened."""
    ports = find_ports()
    if as_json:
        print_json({"ports": [asdict(port) for port in ports]})
    else:
        print_ports(ports)


@app.command()
def status(as_json: JsonOption = False, door: DoorOption = None, config: ConfigOption = None) -> None:
    """Read the configured board: relay, contacts, what it can do. Switches nothing."""
    gate = pick_gate(resolve_config(config), door)
    with _board(gate, SystemClock()) as board:
        answer = _status(board)
    if as_json:
        print_json(answer)
    else:
        print_status(answer)


@app.command()
def watch(
    seconds: Annotated[
        float | None, typer.Option("--for", min=0, metavar="SECONDS", help="End after so long.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    door: DoorOption = None,
    config: ConfigOption = None,
) -> None:
    """Show every change of the relay and the contacts until Ctrl-C. Switches nothing."""
    gate, clock = pick_gate(resolve_config(config), door), SystemClock()
    with _board(gate, clock) as board:
        try:
            _watch(board, clock, seconds, as_json)
        except KeyboardInterrupt:
            return


@app.command()
def pulse(
    seconds: Annotated[
        float | None, typer.Option(help="Length; without it the on-time of the configuration.")
    ] = None,
    yes: YesOption = False,
    as_json: JsonOption = False,
    door: DoorOption = None,
    config: ConfigOption = None,
) -> None:
    """Open the door once, for one pulse, and measure it."""
    gate, clock = pick_gate(resolve_config(config), door), SystemClock()
    length_s = (gate.pulse_s if gate.mode == "pulse" else gate.hold_s) if seconds is None else seconds
    if not 0.1 <= length_s <= gate.max_on_s:
        raise Misconfigured(
            f"A pulse of {length_s:g} s is not possible.",
            code="bad_pulse",
            hint=f"Give 0.1 to {gate.max_on_s:g} seconds; gate.max_on_s is the limit.",
        )
    _ask_before_moving(gate, yes)
    with _board(gate, clock) as board:
        result, measured_s = pulse_once(board, length_s)
    if as_json:
        print_json({"door": gate.id, **asdict(result), "wanted_s": length_s, "measured_s": measured_s})
    else:
        print_step(result)
    _exit_if_failed([result.outcome])


@app.command("test")
def walk_through(
    yes: YesOption = False, as_json: JsonOption = False, door: DoorOption = None, config: ConfigOption = None
) -> None:
    """Walk through the commissioning checklist: off, on, pulse, contacts, plug.

    Asks what you see at the door. With --yes nobody is asked, and what only a person can see stays unsure.
    """
    gate, clock = pick_gate(resolve_config(config), door), SystemClock()
    _ask_before_moving(gate, yes)
    person = _Nobody() if yes or is_simulated(gate.port) else _AtTerminal()
    steps = []
    with _board(gate, clock) as board:
        for result in Checklist(board, person).run():
            steps.append(result)
            if not as_json:
                print_step(result)
    failed = any(step.outcome is Outcome.FAILED for step in steps)
    if as_json:
        print_json(
            {
                "door": gate.id,
                "port": gate.port,
                "protocol": gate.protocol,
                "ok": not failed,
                "steps": [asdict(s) for s in steps],
            }
        )
    _exit_if_failed([step.outcome for step in steps])


# -- people


class _Nobody:
    """--yes, or a simulated board."""

    present = False

    def sees(self, question: str) -> bool | None:
        return None

    def asked_to(self, request: str) -> None:
        pass


class _AtTerminal:
    """Whoever started the command; standard output stays free for the results."""

    present = True

    def sees(self, question: str) -> bool | None:
        return ask(question)

    def asked_to(self, request: str) -> None:
        say(request)


def _ask_before_moving(gate: GateConfig, yes: bool) -> None:
    if yes or is_simulated(gate.port) or gate.protocol == "dummy":
        return
    if not ask(f"This moves relay {gate.channel} at {gate.port}: {gate.id} will open. Go on?"):
        raise typer.Abort


# -- the board


@contextmanager
def _board(gate: GateConfig, clock: Clock) -> Iterator[CommissioningSession]:
    """The board, with the relay switched off at the end even when we are told to end by a signal."""

    def on_signal(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        with commissioning_session(gate, clock) as board:
            yield board
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _status(board: CommissioningSession) -> dict[str, Any]:
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
    """Contacts that are no inputs of the board, if any are configured; the rest is shown without them."""
    try:
        return {"contacts": board.elsewhere() or None}
    except NeedsOperator as error:
        return {"contacts": None, "contacts_error": str(error)}


def _watch(board: CommissioningSession, clock: Clock, seconds: float | None, as_json: bool) -> None:
    until_s = None if seconds is None else clock.monotonic() + seconds
    shown, fed_s = None, clock.monotonic()
    while True:
        seen = (board.state(), board.contacts(), board.elsewhere() or None)
        if seen != shown:
            shown = seen
            line = {"at": iso(clock.now()), "relay_on": seen[0], "inputs": seen[1], "contacts": seen[2]}
            print_json(line, indent=None) if as_json else print_status(line)
        if clock.monotonic() - fed_s >= FEED_S:
            board.link.feed_watchdog()
            fed_s = clock.monotonic()
        if until_s is not None and clock.monotonic() >= until_s:
            return
        time.sleep(POLL_S)


def _exit_if_failed(outcomes: list[Outcome]) -> None:
    if Outcome.FAILED in outcomes:
        raise typer.Exit(1)
