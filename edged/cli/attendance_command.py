"""`edged attendance`: days, months, punches, corrections, export. The reckoning is in edged.attendance."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.table import Table

from edged.attendance.punch import Direction, Punch, effective
from edged.attendance.report import hours, to_dict, totals, write_csv, write_xlsx
from edged.attendance.store import PunchLedger
from edged.attendance.worktime import WorkDay, work_days
from edged.cli.common import LARGEST_NUMBER, ConfigOption, DataDirOption, console, printable, resolve_config
from edged.clock import SystemClock
from edged.config import Config
from edged.errors import EdgedError, Misconfigured, NeedsOperator
from edged.library.store import LibraryStore
from edged.ops.control import ask

app = typer.Typer(no_args_is_help=True)

JsonOption = Annotated[bool, typer.Option("--json", help="JSON on standard output, nothing else.")]
PersonOption = Annotated[str | None, typer.Option("--person", "-p", metavar="ID", help="Only this person.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; it is kept for ever.")]
AuthorOption = Annotated[str, typer.Option("--by", metavar="NAME", help="Who corrects.")]
PunchArgument = Annotated[
    int, typer.Argument(min=1, max=LARGEST_NUMBER, metavar="NO", help="Number of the punch; see `list`.")
]
_A_DAY = timedelta(days=1)
_YEARS = range(2000, 2200)


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
    with _opened(config, data_dir) as (settings, ledger):
        wanted = _date(day, settings)
        days = _days(settings, ledger, wanted, wanted, person)
    _show(days, settings, as_json, title=f"{wanted:%A, %Y-%m-%d}")


@app.command("month")
def month(
    month: Annotated[str, typer.Argument(metavar="YYYY-MM", help="For example 2026-11.")],
    person: PersonOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """One month: the sum for each person; with --person, the days."""
    with _opened(config, data_dir) as (settings, ledger):
        days = _days(settings, ledger, *_month(month), person)
    if as_json or person:
        _show(days, settings, as_json, title=month)
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
    with _opened(config, data_dir) as (settings, ledger):
        zone = ZoneInfo(settings.timezone)
        first = _date(since, settings)
        begin, _ = _bounds(first, zone)
        _, end = _bounds(_date(until, settings) if until else first, zone)
        rows = ledger.rows(since=begin, until=end, person_id=person)
    shown = rows if all_rows else [punch for punch in effective(rows) if begin <= punch.at < end]
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
        Format | None, typer.Option("--format", help="Of the file; without it as its name ends, else CSV.")
    ] = None,
    person: PersonOption = None,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """A month's days as CSV or XLSX, for payroll."""
    with _opened(config, data_dir) as (settings, ledger):
        days = _days(settings, ledger, *_month(month), person)
    zone = ZoneInfo(settings.timezone)
    wanted = format_ or (Format.XLSX if output.suffix.lower() == ".xlsx" else Format.CSV)
    if str(output) == "-" and wanted is Format.XLSX:
        raise typer.BadParameter("a workbook needs a file", param_hint="--output")
    try:
        if str(output) == "-":
            write_csv(days, zone, sys.stdout)
        elif wanted is Format.XLSX:
            write_xlsx(days, zone, output)
        else:
            with output.open("w", encoding="utf-8", newline="") as stream:
                write_csv(days, zone, stream)
    except OSError as error:
        raise NeedsOperator(
            f"{output} cannot be written: {error.strerror}.",
            code="output_unwritable",
            hint="Choose another place with --output.",
        ) from error
    typer.echo(f"{len(days)} days written to {output}.", err=True)


@app.command("void")
def void(
    punch: PunchArgument,
    reason: ReasonOption,
    author: AuthorOption,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Take a punch back. It stays visible with `list --all`."""
    with _correcting(config, data_dir) as (_, ledger):
        ledger.correct(punch, void=True, reason=reason, author=author)
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
    with _correcting(config, data_dir) as (settings, ledger):
        moment = _moment(at, settings) if at else None
        ledger.correct(punch, at=moment, direction=direction, reason=reason, author=author)
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
    with _correcting(config, data_dir) as (settings, ledger):
        moment = _moment(at, settings)
        library = LibraryStore.open(_data_dir(settings, data_dir), SystemClock())
        try:
            name = library.get(person).name
        finally:
            library.close()
        added = ledger.add_by_hand(
            person, name, moment, direction, zone=settings.timezone, reason=reason, author=author
        )
    typer.echo(f"Punch {added.punch_id} is added for {name}.")


@app.command("key")
def key(
    direction: Annotated[Direction, typer.Argument(help="Which way the next person goes.")],
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Say which way the next person goes, for `attendance.direction: key`."""
    settings = resolve_config(config)
    ask(_data_dir(settings, data_dir), "attendance.key", direction=direction.value)
    typer.echo(f"The next passage within 10 s counts as {direction.value}.")


# -- inside


@contextmanager
def _opened(config: Path | None, data_dir: Path | None) -> Iterator[tuple[Config, PunchLedger]]:
    settings = resolve_config(config)
    ledger = PunchLedger.open_readonly(_data_dir(settings, data_dir), SystemClock())
    try:
        yield settings, ledger
    finally:
        ledger.close()


@contextmanager
def _correcting(config: Path | None, data_dir: Path | None) -> Iterator[tuple[Config, PunchLedger]]:
    """The ledger for writing; then the daemon is told, so that the correction is delivered. Without one, its
    next start does that."""
    settings = resolve_config(config)
    folder = _data_dir(settings, data_dir)
    ledger = PunchLedger.open(folder, SystemClock())
    try:
        yield settings, ledger
    finally:
        ledger.close()
    with suppress(EdgedError):
        ask(folder, "attendance.corrected")


def _data_dir(settings: Config, data_dir: Path | None) -> Path:
    return data_dir.absolute() if data_dir is not None else settings.data_dir


def _days(
    settings: Config, ledger: PunchLedger, first: date, last: date, person: str | None
) -> list[WorkDay]:
    zone, rules = ZoneInfo(settings.timezone), settings.attendance
    begin, end = _bounds(first, zone)[0], _bounds(last, zone)[1]
    around = timedelta(hours=rules.max_shift_h) + _A_DAY
    rows = ledger.rows(since=begin - around, until=end + around, person_id=person)
    days = work_days(
        effective(rows),
        zone,
        longest=timedelta(hours=rules.max_shift_h),
        day_change=time.fromisoformat(rules.day_change),
        policy=rules.policy,
    )
    return [day for day in days if first <= day.day <= last]


def _show(days: list[WorkDay], settings: Config, as_json: bool, *, title: str) -> None:
    if as_json:
        _print_json([to_dict(day) for day in days])
        return
    zone = ZoneInfo(settings.timezone)
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


def _bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    return datetime.combine(day, time(), zone), datetime.combine(day + _A_DAY, time(), zone)


def _date(text: str, settings: Config) -> date:
    if text == "today":
        return SystemClock().now().astimezone(ZoneInfo(settings.timezone)).date()
    try:
        return _in_range(date.fromisoformat(text))
    except ValueError as error:
        raise Misconfigured(
            f"{text!r} is not a date.", code="date_malformed", hint="Write it like 2026-11-21, or today."
        ) from error


def _in_range(day: date) -> date:
    """The same day. Raises ValueError for a year that is a slip of the pen."""
    if day.year not in _YEARS:
        raise ValueError(f"the year {day.year}")
    return day


def _month(text: str) -> tuple[date, date]:
    try:
        first = _in_range(date.fromisoformat(f"{text}-01"))
    except ValueError as error:
        raise Misconfigured(
            f"{text!r} is not a month.", code="month_malformed", hint="Write it like 2026-11."
        ) from error
    return first, (first + timedelta(days=31)).replace(day=1) - _A_DAY


def _moment(text: str, settings: Config) -> datetime:
    """A wall time of the site (or with an offset of its own). A time that the clocks leave out is refused."""
    try:
        at = datetime.fromisoformat(text)
        _in_range(at.date())
        if len(text) <= len("2026-11-21"):
            raise ValueError("a day without a time")
    except ValueError as error:
        raise Misconfigured(
            f"{text!r} is not a time.", code="time_malformed", hint="Write it like 2026-11-21T08:00."
        ) from error
    if at.tzinfo is not None:
        return at
    zone = ZoneInfo(settings.timezone)
    local = at.replace(tzinfo=zone)
    there_and_back = local.astimezone(ZoneInfo("UTC")).astimezone(zone).replace(tzinfo=None)
    if there_and_back != at:
        raise Misconfigured(
            f"There is no {text} in {settings.timezone}: the clocks were put forward.",
            code="time_left_out",
            hint=f"Did you mean {there_and_back:%Y-%m-%dT%H:%M}?",
        )
    return local
