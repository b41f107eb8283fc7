"""How `edged gate` shows things. Decides nothing."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from edged.gate.commissioning.ports import PortSeen
    from edged.gate.commissioning.session import StepResult


def print_json(value: dict[str, Any], indent: int | None = 2) -> None:
    """One JSON object on standard output."""
    typer.echo(json.dumps(value, indent=indent, ensure_ascii=False))


def say(text: str) -> None:
    """To the person, beside the results."""
    typer.echo(text, err=True)


def ask(question: str) -> bool:
    """Yes or no; asked on standard error, as standard output holds results only. Raises typer.Abort."""
    while True:
        typer.echo(f"{question} [y/n] ", nl=False, err=True)
        answer = sys.stdin.readline()
        if not answer:
            raise typer.Abort
        if answer.strip().lower() in ("y", "yes", "n", "no"):
            return answer.strip().lower().startswith("y")


def print_ports(ports: list[PortSeen]) -> None:
    """Every port with the line for the configuration, and what may be behind it."""
    if not ports:
        typer.echo("No serial port is there. Plug the board in; if it vanishes again at once, remove brltty.")
    for port in ports:
        typer.echo(
            f"{port.device}  {' '.join(filter(None, [port.usb_id, port.product, port.serial_number]))}"
        )
        typer.echo(f"  gate.port: {port.gate_port}")
        if port.by_path and port.by_path != port.gate_port:
            typer.echo(f"  by socket: {port.by_path}")
        if port.known is None:
            typer.echo("  may be:    not known here; see the board's own papers for its protocol")
            continue
        typer.echo(f"  may be:    {port.known.boards}")
        typer.echo(f"  protocol:  {' or '.join(port.known.protocols)}")
        if port.known.remark:
            typer.echo(f"  mind:      {port.known.remark}")


def print_status(values: dict[str, Any]) -> None:
    """Name and value, one a line; contacts as 0 and 1, the first one first."""
    for name, value in values.items():
        typer.echo(f"{name:<17} {_readable(value)}")


def print_step(result: StepResult) -> None:
    """One line of the checklist."""
    typer.echo(f"{result.outcome.value:<8} {result.step:<8} {result.text}")


def _readable(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        from edged.gate.commissioning.session import bits  # a board was read, so the drivers are here

        return bits(value)
    if isinstance(value, dict):
        return ", ".join(f"{key} {_readable(part)}" for key, part in value.items())
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)
