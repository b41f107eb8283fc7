"""`edged verify`: is everything the box has written down whole? Reads only, also while the daemon runs."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from edged.admin import maintenance
from edged.admin.maintenance import Level
from edged.cli.common import ConfigOption, DataDirOption, at_box
from edged.errors import NeedsOperator

app = typer.Typer()

_MARKS = {Level.FINE: "ok  ", Level.WARNING: "look", Level.PROBLEM: "BAD "}


@app.command()
def verify(
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    backups: Annotated[
        list[Path] | None,
        typer.Option(
            "--backups",
            exists=True,
            file_okay=False,
            metavar="DIR",
            help="Look at the backups in this folder, too.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output, nothing else.")] = False,
) -> None:
    """Check databases, numbers, the chain over decisions, pictures and backups.

    Exit codes: 0 all is well, 1 something should be looked at, 69 something is damaged, missing or changed.
    """
    found = maintenance.verify(*at_box(config, data_dir), backups=backups or [])
    if as_json:
        typer.echo(json.dumps({"state": found.worst, "findings": [asdict(each) for each in found.findings]}))
    else:
        for finding in found.findings:
            typer.echo(f"{_MARKS[finding.level]}  {finding.part}: {finding.message}")
    if found.worst is not Level.FINE:
        raise typer.Exit(NeedsOperator.exit_code if found.worst is Level.PROBLEM else 1)
