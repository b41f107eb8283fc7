"""`edged attendance`: days, months, punches, corrections, export. The rules are in edged.admin.punches."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from edged.admin import inputs, punches
from edged.admin.punches import Direction, Punch, WorkDay, hours, to_dict, totals
from edged.cli.common import LARGEST_NUMBER, ConfigOption, DataDirOption, at_box, console, printable

app = typer.Typer(no_args_is_help=True)

JsonOption = Annotated[bool, typer.Option("--json", help="JSON on standard output, nothing else.")]
PersonOption = Annotated[str | None, typer.Option("--person", "-p", metavar="ID", help="Only this person.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; it is kept for ever.")]
AuthorOption = Annotated[str, typer.Option("--by", metavar="NAME", help="Who corrects.")]
PunchArgument = Annotated[
    int, typer.Argument(min=1, max=LARGEST_NUMBER, metavar="NO", help="Number of the punch; see `list`.")
]


class Format(StrEnum):
    """Formats of `attendance export`."""

    CSV = "csv"
    XLSX = "xlsx"


@app.command("day")
def day(
    day: Annotated[str, typer.Argument(metavar="DATE", help="2026-11-21, or today.")] = "today",
    person: PersonOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """One day: who came and went, and how long they worked."""
    actor, box = at_box(config, data_dir)
    zone = ZoneInfo(box.config.timezone)
    wanted = inputs.day_of(day, box.clock.now(), zone)
    days = punches.list_days(actor, box, wanted, wanted, person=person)
    _show(days, zone, as_json, title=f"{wanted:%A, %Y-%m-%d}")


@app.command("month")
def month(
    month: Annotated[str, typer.Argument(metavar="YYYY-MM", help="For example 2026-11.")],
    person: PersonOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """One month: the sum for each person; with --person, the days."""
    from rich.table import Table

    actor, box = at_box(config, data_dir)
    days = punches.list_days(actor, box, *inputs.month_of(month), person=person)
    if as_json or person:
        _show(days, ZoneInfo(box.config.timezone), as_json, title=month)
        return
    table = Table("person", "name", "days", "worked", "missing", title=month)
    for person_id, name, count, worked, missing in totals(days):
        table.add_row(printable(person_id), printable(name), str(count), hours(worked), str(missing or ""))
    console().print(table if days else f"No punches in {month}.")


@app.command("list")
def list_punches(
    since: Annotated[str, typer.Option(metavar="DATE", help="First day.")] = "today",
    until: Annotated[str | None, typer.Option(metavar="DATE", help="Last day.")] = None,
    person: PersonOption = None,
    all_rows: Annotated[
        bool, typer.Option("--all", help="Also repeats, voided punches and the corrections themselves.")
    ] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """The punches one by one, with their numbers."""
    from rich.table import Table

    actor, box = at_box(config, data_dir)
    zone = ZoneInfo(box.config.timezone)
    first = inputs.day_of(since, box.clock.now(), zone)
    last = inputs.day_of(until, box.clock.now(), zone) if until else first
    shown = punches.list_punches(actor, box, first, last, person=person, all_rows=all_rows)
    if as_json:
        _print_json([_punch_dict(punch) for punch in shown])
        return
    table = Table("no.", "when", "person", "name", "way", "by", "row", "note")
    for punch in shown:
        when = punch.at.astimezone(zone)
        table.add_row(
            str(punch.punch_id), f"{when:%Y-%m-%d %H:%M:%S}", printable(punch.person_id),
            printable(punch.person_name), punch.direction.value, punch.direction_by, _what(punch),
            _note(punch),
        )  # fmt: skip
    console().print(table if shown else "No punches.")


@app.command("export")
def export(
    month: Annotated[str, typer.Argument(metavar="YYYY-MM", help="For example 2026-11.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Where to; `-` is standard output.")
    ],
    format_: Annotated[
        Format | None,
        typer.Option("--format", help="Format; without it as the name of the file ends, else CSV."),
    ] = None,
    person: PersonOption = None,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """A month's days as CSV or XLSX, for payroll."""
    kind = format_ or (Format.XLSX if output.suffix.lower() == ".xlsx" else Format.CSV)
    to_stream = str(output) == "-"
    if to_stream and kind is Format.XLSX:
        raise typer.BadParameter("a workbook needs a file", param_hint="--output")
    actor, box = at_box(config, data_dir)
    target = sys.stdout if to_stream else output
    count = punches.export_days(actor, box, *inputs.month_of(month), target, kind.value, person=person)
    typer.echo(f"{count} days written to {output}.", err=True)


@app.command("void")
def void(
    punch: PunchArgument,
    reason: ReasonOption,
    author: AuthorOption,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Take a punch back. It stays visible with `list --all`."""
    punches.void_punch(*at_box(config, data_dir), punch, reason=reason, author=author)
    typer.echo(f"Punch {punch} does not count any more.")


@app.command("correct")
def correct(
    punch: PunchArgument,
    reason: ReasonOption,
    author: AuthorOption,
    at: Annotated[str | None, typer.Option(metavar="TIME", help="Its right time, 2026-11-21T08:00.")] = None,
    direction: Annotated[Direction | None, typer.Option(help="Its right direction.")] = None,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Give a punch another time or direction. What was recorded stays visible with `list --all`."""
    actor, box = at_box(config, data_dir)
    moment = inputs.wall_time(at, box.config.timezone) if at else None
    punches.correct_punch(actor, box, punch, at=moment, direction=direction, reason=reason, author=author)
    typer.echo(f"Punch {punch} is corrected.")


@app.command("add")
def add(
    person: Annotated[str, typer.Argument(metavar="ID", help="Who; see `edged people list`.")],
    at: Annotated[str, typer.Argument(metavar="TIME", help="When, 2026-11-21T08:00.")],
    direction: Annotated[Direction, typer.Argument(help="Which way.")],
    reason: ReasonOption,
    author: AuthorOption,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Add a passage that was not recorded."""
    actor, box = at_box(config, data_dir)
    moment = inputs.wall_time(at, box.config.timezone)
    added = punches.add_punch(actor, box, person, moment, direction, reason=reason, author=author)
    typer.echo(f"Punch {added.punch_id} is added for {added.person_name}.")


@app.command("key")
def key(
    direction: Annotated[Direction, typer.Argument(help="Which way the next person goes.")],
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Say which way the next person goes, for `attendance.direction: key`."""
    punches.press_key(*at_box(config, data_dir), direction)
    typer.echo(f"The next passage within 10 s counts as {direction.value}.")


# -- inside


def _show(days: list[WorkDay], zone: ZoneInfo, as_json: bool, *, title: str) -> None:
    from rich.table import Table

    if as_json:
        _print_json([to_dict(day) for day in days])
        return
    table = Table("day", "name", "in", "out", "worked", "missing", title=title)
    for day in days:
        for number, pair in enumerate(day.pairs):
            first = number == 0
            table.add_row(
                day.day.isoformat() if first else "",
                printable(day.person_name) if first else "",
                _clock_time(pair.came, zone),
                _clock_time(pair.left, zone),
                hours(day.worked) if first else "",
                " ".join(way.value for way in day.missing) if first else "",
            )
    console().print(table if days else f"No punches: {title}.")


def _clock_time(punch: Punch | None, zone: ZoneInfo) -> str:
    return f"{punch.at.astimezone(zone):%H:%M}" if punch else "-"


def _what(punch: Punch) -> str:
    return "repeated" if punch.repeated else punch.action.value


def _note(punch: Punch) -> str:
    about = f"no. {punch.corrects}: " if punch.corrects else ""
    return printable(f"{about}{punch.reason} ({punch.author})") if punch.author else ""


def _punch_dict(punch: Punch) -> dict[str, Any]:
    values = asdict(punch)
    return {k: v.isoformat() if isinstance(v, datetime) else v for k, v in values.items()}


def _print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=None) + os.linesep)
