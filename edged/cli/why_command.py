"""`edged why`: the whole story of one passage. Reads only, also while the daemon runs."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from edged.cli.common import ConfigOption, DataDirOption, printable
from edged.cli.records_command import open_journal
from edged.errors import NotFound
from edged.journal.text import render, sentence
from edged.journal.why import explain

app = typer.Typer()


@app.command()
def why(
    identifier: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="A passage or decision id, its beginning, or the seq of `edged records list`."
        ),
    ],
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object, with the records it was made from.")
    ] = False,
) -> None:
    """Explain one passage: why did the gate open, or not?"""
    with open_journal(config, data_dir) as journal:
        records = journal.find(identifier)
    if not any(record.passage_id or record.decision_id for record in records):
        raise _no_passage(identifier, records[0].event)
    explained = explain(records)
    if as_json:
        answer = {"explanation": sentence(explained), **explained.to_dict()}
        answer["records"] = [record.to_dict() for record in records]
        typer.echo(json.dumps(answer, ensure_ascii=False, indent=2))
    else:
        typer.echo("\n".join(printable(line) for line in render(explained).split("\n")))


def _no_passage(identifier: str, event: str) -> NotFound:
    return NotFound(
        f"Record {identifier} is {event}, which belongs to no passage.",
        code="record_without_passage",
        hint=f"`edged records list` shows passages, with `--event {event} --json` records like this one.",
    )
