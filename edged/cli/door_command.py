"""`edged door`: what the doors of the running daemon do, and orders to them. The daemon does the work."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

import typer

from edged.admin import doors
from edged.admin.doors import ModeOrder
from edged.cli.common import ConfigOption, DataDirOption, at_box
from edged.errors import Misconfigured
from edged.reasons import describe

app = typer.Typer(no_args_is_help=True)

DoorArgument = Annotated[
    str | None,
    typer.Argument(metavar="DOOR", help="Its id; may be left out when there is one.", show_default=False),
]
AllOption = Annotated[bool, typer.Option("--all", help="All doors of this box.")]
ByOption = Annotated[str | None, typer.Option("--by", metavar="NAME", help="Who says so, for the journal.")]
ForOption = Annotated[
    str | None,
    typer.Option(
        "--for", metavar="TIME", help="How long: 90s, 30m, 2h, 1d. Without it, until the hours change next."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON on standard output, nothing else.")]

_MODES: dict[ModeOrder, str] = {
    "lock": "Lock down: no grant opens. The exit button and fire do as ever.",
    "free": "Let everybody pass: the relay is held on until the end of the order.",
    "normal": "Back to those who are granted: ends lock-down and free, also of the hours.",
}
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_DONE = {
    "opened": "opened for one person",
    "queued": "will open as soon as the lane is free",
    "locked": "locked down; exit and fire work",
    "free": "free for everybody",
    "normal": "open to those who are granted",
}


@app.command()
def status(
    door: DoorArgument = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Show state, mode, contacts and alarms."""
    answers = doors.door_status(*at_box(config, data_dir), door)
    if as_json:
        _print_json({"doors": answers})
        return
    for each in answers:
        _print_status(each)


@app.command("open")
def open_(
    door: DoorArgument = None,
    by: ByOption = None,
    extra_time: Annotated[
        bool, typer.Option("--extra-time", help="For somebody who needs more time to pass.")
    ] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Open once, as for a person who was granted. Written to the journal before the relay moves."""
    _print_answers(doors.open_door(*at_box(config, data_dir), door, by=by, extra_time=extra_time), as_json)


def _mode_command(mode: ModeOrder) -> Callable[..., None]:
    """The command of an order that says who may pass."""

    def command(
        door: DoorArgument = None,
        every: AllOption = False,
        by: ByOption = None,
        for_: ForOption = None,
        as_json: JsonOption = False,
        config: ConfigOption = None,
        data_dir: DataDirOption = None,
    ) -> None:
        actor, box = at_box(config, data_dir)
        for_s = _seconds(for_)
        _print_answers(doors.set_door_mode(actor, box, mode, door, every=every, by=by, for_s=for_s), as_json)

    return command


for _mode, _help in _MODES.items():
    app.command(_mode, help=_help)(_mode_command(_mode))


@app.command()
def ack(
    door: DoorArgument = None,
    every: AllOption = False,
    by: ByOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Acknowledge the alarms of a door: somebody has seen them."""
    _print_answers(doors.acknowledge_alarms(*at_box(config, data_dir), door, every=every, by=by), as_json)


def _print_answers(answers: list[dict[str, Any]], as_json: bool) -> None:
    """The answer of each door; exit code 1 when one of several doors refused."""
    if as_json:
        _print_json({"doors": answers})
    for each in answers:
        if "error" in each:
            typer.echo(f"edged: {each['error']}\n       {each['hint']}", err=True)
        elif not as_json:
            typer.echo(f"{each['door']}: {_outcome(each)}")
    if any("error" in each for each in answers):
        raise typer.Exit(1)


def _outcome(answer: dict[str, Any]) -> str:
    if answer["outcome"] == "acknowledged":
        seen = ", ".join(answer["alarms"])
        return f"acknowledged: {seen}" if seen else "there was no alarm that nobody had seen"
    text = _DONE.get(answer["outcome"], answer["outcome"])
    if answer["action"] != "open" and answer["mode_until"]:
        text += f" until {_local(answer['mode_until'])}"
    return text if answer["ready"] else f"{text} (but the relay board is away)"


def _print_status(door: dict[str, Any]) -> None:
    until = f" until {_local(door['mode_until'])}" if door["mode_until"] else ""
    typer.echo(f"{door['door']}: {door['state']}, relay {'on' if door['relay_on'] else 'off'}")
    typer.echo(f"  mode      {door['mode']} by {door['mode_by']}{until}")
    typer.echo(f"  board     {door['protocol']} at {door['port']}, {'ready' if door['ready'] else 'away'}")
    if door["error"]:
        typer.echo(f"            {door['error']}")
    for name, active in door["contacts"].items():
        typer.echo(f"  {name:15} {'not known' if active is None else 'active' if active else 'quiet'}")
    for alarm in door["alarms"]:
        typer.echo(f"  ALARM     {alarm['code']}: {describe(alarm['code']).meaning}{_since(alarm)}")


def _local(at: str) -> str:
    """A time of the answer as the clock on this machine shows it."""
    return f"{datetime.fromisoformat(at).astimezone():%Y-%m-%d %H:%M:%S %z}"


def _since(alarm: dict[str, Any]) -> str:
    minutes = alarm["age_s"] / 60
    ago = f"{alarm['age_s']:.0f} s ago" if minutes < 2 else f"{minutes:.0f} min ago"
    times = f", {alarm['count']} times" if alarm["count"] > 1 else ""
    lasts = "lasts" if alarm["active"] else "over"
    seen = f"seen by {alarm['acknowledged_by']}" if alarm["acknowledged_by"] else "not acknowledged"
    return f" ({ago}{times}; {lasts}, {seen})"


def _print_json(value: dict[str, Any]) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def _seconds(text: str | None) -> float | None:
    """`90s`, `30m`, `2h`, `1d` as seconds."""
    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,6}(?:\.\d{1,3})?)([smhd])", text.strip())
    if match is None:
        raise Misconfigured(
            f"{text!r} is no time such as 30m.",
            code="order_malformed",
            hint="Write a number and s, m, h or d: 90s, 30m, 2h, 1d.",
        )
    return float(match[1]) * _UNITS[match[2]]
