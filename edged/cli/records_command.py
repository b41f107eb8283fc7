"""`edged records`: list, export and verify what was recorded. Reads only, also while the daemon runs."""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer
from rich.table import Table

from edged import events
from edged.cli.common import ConfigOption, DataDirOption, LimitOption, console, printable, resolve_data_dir
from edged.clock import SystemClock
from edged.errors import NeedsOperator
from edged.events import Event, Outcome, event_name
from edged.journal.reader import UNDECIDED, JournalReader, journal_path
from edged.reasons import describe
from edged.record import Record
from edged.spreadsheets import disarmed

app = typer.Typer(no_args_is_help=True)

CSV_COLUMNS = (
    "seq", "at", "event", "outcome", "person_id", "person_name", "score", "threshold", "reason", "meaning",
    "door_id", "camera_id", "passage_id", "decision_id",
)  # fmt: skip
_AGO = re.compile(r"(\d{1,6})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


class Ending(StrEnum):
    """How a passage ended."""

    GRANTED = "granted"
    DENIED = "denied"
    UNDECIDED = UNDECIDED


class ExportFormat(StrEnum):
    """Formats of `records export`."""

    CSV = "csv"
    JSONL = "jsonl"


def _moment(text: str) -> datetime:
    """`2026-11-21`, `2026-11-21T08:30`, `90m`, `12h`, `7d`, `today`; without a zone, that of the machine."""
    now = SystemClock().now()
    if text == "today":
        return now.astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    try:
        if ago := _AGO.fullmatch(text):
            return now - timedelta(**{_UNITS[ago.group(2)]: int(ago.group(1))})
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(
            f"{text!r} is no time; write 2026-11-21, 2026-11-21T08:30, today, 90m, 12h or 7d."
        ) from error


def _event(text: str) -> str:
    """The name of an event of this version, or `all`."""
    kinds = (kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, Event))
    names = {event_name(kind) for kind in kinds if kind is not Event} | {"all"}
    if text not in names:
        near = get_close_matches(text, names, n=3)
        raise typer.BadParameter(
            f"{text!r} is no event"
            + (f"; did you mean {' or '.join(near)}?" if near else "; docs/events.md lists them.")
        )
    return text


SinceOption = Annotated[
    datetime | None,
    typer.Option(parser=_moment, metavar="TIME", help="From then on: 2026-11-21T08:30, today, 90m, 12h, 7d."),
]
UntilOption = Annotated[
    datetime | None, typer.Option(parser=_moment, metavar="TIME", help="Before then; written like --since.")
]
PersonOption = Annotated[str | None, typer.Option("--person", "-p", metavar="ID", help="Only this person.")]
OutcomeOption = Annotated[Outcome | None, typer.Option(help="Only decisions that ended like this.")]


@app.command("list")
def list_records(
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    person: PersonOption = None,
    outcome: Annotated[
        Ending | None,
        typer.Option(help="Only passages that ended like this; undecided: no shot could be decided on."),
    ] = None,
    event: Annotated[
        str | None,
        typer.Option(
            parser=_event,
            metavar="NAME",
            help="Instead, events of this kind, e.g. gate_lost; all: every event.",
        ),
    ] = None,
    limit: LimitOption = 50,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show passages, the newest first: what was decided, or that nothing could be."""
    with open_journal(config, data_dir) as journal:
        records = journal.list(
            since=since,
            until=until,
            person=person,
            outcome=outcome,
            event=None if event == "all" else event,
            passages=event is None,
            limit=limit,
        )
    if as_json:
        for record in records:
            typer.echo(json.dumps(record.to_dict(), ensure_ascii=False))
    elif records:
        _print_table(records)
    else:
        typer.echo("No records fit.", err=True)


@app.command()
def export(
    format: Annotated[ExportFormat, typer.Option("--format", help="Kind of file.")] = ExportFormat.CSV,
    out: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="Where to; `-` is standard output.")
    ] = "-",
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    person: PersonOption = None,
    outcome: OutcomeOption = None,
    everything: Annotated[bool, typer.Option("--all", help="Every event, not only decisions.")] = False,
) -> None:
    """Write decisions to a file, the oldest first. Text that a spreadsheet would run is made harmless."""
    with open_journal(config, data_dir) as journal:
        records = journal.iterate(
            since=since,
            until=until,
            person=person,
            outcome=outcome,
            event=None if everything else "access_decided",
        )
        write = _write_csv if format is ExportFormat.CSV else _write_jsonl
        if out == "-":
            write(records, sys.stdout)
        else:
            typer.echo(f"{_to_file(Path(out), write, records)} records written to {out}.", err=True)


@app.command()
def verify(config: ConfigOption = None, data_dir: DataDirOption = None) -> None:
    """Check that the journal is undamaged and that no record is missing."""
    with open_journal(config, data_dir) as journal:
        problems, count = journal.verify(), journal.count()
    if problems:
        raise NeedsOperator(
            " ".join(problems),
            code="journal_damaged",
            hint="Copy the data directory before anything else, then look for disk errors in `dmesg`.",
        )
    typer.echo(f"{count} records, none missing, the file is undamaged.")


@contextmanager
def open_journal(config: Path | None, data_dir: Path | None) -> Iterator[JournalReader]:
    """The journal of this box, for reading. Errors: see `JournalReader.open_readonly`."""
    journal = JournalReader.open_readonly(journal_path(resolve_data_dir(config, data_dir)))
    try:
        yield journal
    finally:
        journal.close()


def _print_table(records: Iterable[Record]) -> None:
    table = Table(box=None, pad_edge=False)
    for title in ("seq", "when", "what", "person", "score", "reason", "passage"):
        table.add_column(title, justify="right" if title in ("seq", "score") else "left", no_wrap=True)
    for record in records:
        table.add_row(*_cells(record))
    console().print(table)


def _cells(record: Record) -> tuple[str, ...]:
    local = record.at.astimezone()
    return (
        str(record.seq),
        f"{local:%Y-%m-%d %H:%M:%S}",
        record.outcome or (UNDECIDED if record.event == "track_ended" else record.event),
        printable(record.payload.get("person_name") or record.person_id or "-"),
        "-" if record.score is None else f"{record.score:.1f}",
        record.reason or _order(record),
        record.passage_id or "-",
    )


def _order(record: Record) -> str:
    """What somebody ordered a door to do: `open door1, mia (front desk)`; a dash for other records."""
    if record.event != "door_ordered":
        return "-"
    payload = record.payload
    by = f" ({payload['by']})" if payload.get("by") else ""
    return printable(f"{payload['action']} {payload.get('door_id')}, {payload.get('user')}{by}")


def _to_file(path: Path, write: Any, records: Iterator[Record]) -> int:
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            return write(records, file)
    except OSError as error:
        raise NeedsOperator(
            f"{path} cannot be written ({error.strerror}).",
            code="export_not_written",
            hint="Name another file, or `-` for standard output.",
        ) from error


def _write_csv(records: Iterator[Record], file: TextIO) -> int:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    count = 0
    for record in records:
        writer.writerow(disarmed(value) if isinstance(value, str) else value for value in _csv_values(record))
        count += 1
    return count


def _csv_values(record: Record) -> Iterator[Any]:
    fields = {**record.to_dict(), "reason": record.reason}
    fields["meaning"] = describe(record.reason).meaning if record.reason else None
    return (fields.get(column) for column in CSV_COLUMNS)


def _write_jsonl(records: Iterator[Record], file: TextIO) -> int:
    count = 0
    for record in records:
        file.write(json.dumps(record.to_dict(), ensure_ascii=False) + "\n")
        count += 1
    return count
