"""`edged verify`: is everything the box has written down whole? Reads only, also while the daemon runs."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from edged.cli.common import ConfigOption, DataDirOption, resolve_config
from edged.clock import SystemClock
from edged.errors import NeedsOperator
from edged.upkeep.backup_places import backup_folder, remembered_places
from edged.upkeep.files import BACKUPS
from edged.upkeep.verify import Finding, Level
from edged.upkeep.verify import verify as look

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
    folder, places, expected = _places(config, data_dir, backups or [])
    findings = look(folder, SystemClock(), backup_dirs=places, expect_backup=expected)
    worst = _worst(findings)
    if as_json:
        typer.echo(json.dumps({"state": worst, "findings": [asdict(finding) for finding in findings]}))
    else:
        for finding in findings:
            typer.echo(f"{_MARKS[finding.level]}  {finding.part}: {finding.message}")
    if worst is not Level.FINE:
        raise typer.Exit(NeedsOperator.exit_code if worst is Level.PROBLEM else 1)


def _places(config: Path | None, data_dir: Path | None, also: list[Path]) -> tuple[Path, list[Path], bool]:
    """Data directory, folders of backups, and whether there should be any."""
    if data_dir is not None:
        folder = data_dir.absolute()
        return folder, [folder / BACKUPS, *remembered_places(folder), *also], True
    settings = resolve_config(config)
    by_hand = remembered_places(settings.data_dir)
    expected = bool(settings.journal.keep_backups or also)
    return (
        settings.data_dir,
        [backup_folder(settings), settings.data_dir / BACKUPS, *by_hand, *also],
        expected,
    )


def _worst(findings: list[Finding]) -> Level:
    levels = {finding.level for finding in findings}
    return next((level for level in (Level.PROBLEM, Level.WARNING) if level in levels), Level.FINE)
