"""`edged gate`: look at relay boards, and try one while the daemon is stopped. The work is in edged.gate.

The commands that open a board import it when they are called: `list-ports` loads no driver.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from edged.cli.common import ConfigOption, DoorOption, pick_gate, resolve_config
from edged.cli.gate_view import print_json, print_ports, print_status, print_step
from edged.cli.lazy import QuickCommand, QuickGroup
from edged.clock import SystemClock

app = typer.Typer(no_args_is_help=True, cls=QuickGroup)

JsonOption = Annotated[bool, typer.Option("--json", help="JSON on standard output, nothing else.")]
YesOption = Annotated[
    bool, typer.Option("--yes", "-y", help="Move the relay without asking; nobody stands at the door.")
]


@app.command("list-ports", cls=QuickCommand)
def list_ports(as_json: JsonOption = False) -> None:
    """List the serial ports and what may be behind them. No port is opened."""
    from edged.gate.commissioning.ports import find_ports

    ports = find_ports()
    if as_json:
        print_json({"ports": [asdict(port) for port in ports]})
    else:
        print_ports(ports)


@app.command()
def status(as_json: JsonOption = False, door: DoorOption = None, config: ConfigOption = None) -> None:
    """Read the configured board: relay, contacts, what it can do. Switches nothing."""
    from edged.cli.gate_session import board_status, opened

    gate = pick_gate(resolve_config(config), door)
    with opened(gate, SystemClock()) as board:
        answer = board_status(board)
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
    from edged.cli.gate_session import opened
    from edged.cli.gate_session import watch as show_changes

    gate, clock = pick_gate(resolve_config(config), door), SystemClock()
    with opened(gate, clock) as board:
        try:
            show_changes(board, clock, seconds, as_json)
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
    from edged.cli.gate_session import ask_before_moving, exit_if_failed, opened, pulse_length_s, pulse_once

    gate, clock = pick_gate(resolve_config(config), door), SystemClock()
    length_s = pulse_length_s(gate, seconds)
    ask_before_moving(gate, yes)
    with opened(gate, clock) as board:
        result, measured_s = pulse_once(board, length_s)
    if as_json:
        print_json({"door": gate.id, **asdict(result), "wanted_s": length_s, "measured_s": measured_s})
    else:
        print_step(result)
    exit_if_failed([result.outcome])


@app.command("test")
def walk_through(
    yes: YesOption = False, as_json: JsonOption = False, door: DoorOption = None, config: ConfigOption = None
) -> None:
    """Walk through the commissioning checklist: off, on, pulse, contacts, plug.

    Asks what you see at the door. With --yes nobody is asked, and what only a person can see stays unsure.
    """
    from edged.cli.gate_session import StepOutcome, ask_before_moving, checklist, exit_if_failed, opened

    gate, clock = pick_gate(resolve_config(config), door), SystemClock()
    ask_before_moving(gate, yes)
    steps = []
    with opened(gate, clock) as board:
        for result in checklist(board, silent=yes):
            steps.append(result)
            if not as_json:
                print_step(result)
    failed = any(step.outcome is StepOutcome.FAILED for step in steps)
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
    exit_if_failed([step.outcome for step in steps])
