"""`edged why`: the whole story of one passage. Reads only, also while the daemon runs."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from edged.admin import records
from edged.admin.records import render, sentence
from edged.cli.common import ConfigOption, DataDirOption, at_box, printable

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
    story = records.explain_passage(*at_box(config, data_dir), identifier)
    if as_json:
        answer = {"explanation": sentence(story.explanation), **story.explanation.to_dict()}
        answer["records"] = [record.to_dict() for record in story.records]
        typer.echo(json.dumps(answer, ensure_ascii=False, indent=2))
    else:
        typer.echo("\n".join(printable(line) for line in render(story.explanation).split("\n")))
