"""`edged records`: list, export and verify what was recorded. Reads only, also while the daemon runs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from edged.admin import inputs, records
from edged.admin.records import DECISION, UNDECIDED, RecordFilter
from edged.cli.common import ConfigOption, DataDirOption, LimitOption, at_box, console, printable
from edged.clock import SystemClock
from edged.errors import Misconfigured
from edged.events import Outcome
from edged.record import Record

app = typer.Typer(no_args_is_help=True)


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
    """A time as `inputs.recent` reads it; a mistake is wrong usage."""
    try:
        return inputs.recent(text, SystemClock().now())
    except Misconfigured as error:
        raise typer.BadParameter(error.message) from error


def _event(text: str) -> str:
    """The name of an event of this version, or `all`; a mistake is wrong usage."""
    try:
        return text if text == "all" else inputs.check_event_name(text)
    except Misconfigured as error:
        raise typer.BadParameter(error.message) from error


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
    wanted = RecordFilter(
        since=since, until=until, person=person, outcome=outcome, event=None if event == "all" else event
    )
    actor, box = at_box(config, data_dir)
    found = records.list_records(actor, box, wanted, passages=event is None, limit=limit)
    if as_json:
        for record in found:
            typer.echo(json.dumps(record.to_dict(), ensure_ascii=False))
    elif found:
        _print_table(found)
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
    wanted = RecordFilter(
        since=since, until=until, person=person, outcome=outcome, event=None if everything else DECISION
    )
    output = sys.stdout if out == "-" else Path(out)
    count = records.export_records(*at_box(config, data_dir), wanted, format.value, output)
    if out != "-":
        typer.echo(f"{count} records written to {out}.", err=True)


@app.command()
def verify(config: ConfigOption = None, data_dir: DataDirOption = None) -> None:
    """Check that the journal is undamaged and that no record is missing."""
    count = records.verify_records(*at_box(config, data_dir))
    typer.echo(f"{count} records, none missing, the file is undamaged.")


def _print_table(shown: Iterable[Record]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for title in ("seq", "when", "what", "person", "score", "reason", "passage"):
        table.add_column(title, justify="right" if title in ("seq", "score") else "left", no_wrap=True)
    for record in shown:
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
    """The order to a door, `open door1, mia (front desk)`; a dash for other records."""
    if record.event != "door_ordered":
        return "-"
    payload = record.payload
    by = f" ({payload['by']})" if payload.get("by") else ""
    return printable(f"{payload['action']} {payload.get('door_id')}, {payload.get('user')}{by}")
