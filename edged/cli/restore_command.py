"""`edged restore`: put a backup back in the place of what the box knows now. The daemon must not run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edged.cli.common import ConfigOption, DataDirOption, resolve_data_dir
from edged.clock import SystemClock, iso
from edged.upkeep.backup import read_backup
from edged.upkeep.restore import restore as put_back

app = typer.Typer()


@app.command()
def restore(
    source: Annotated[Path, typer.Argument(metavar="DIR", help="The folder edged-… of a backup.")],
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    force: Annotated[bool, typer.Option("--force", help="Also a backup of another box.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Replace people, records and punches by those of a backup; what is there now is set aside."""
    folder, source = resolve_data_dir(config, data_dir), source.absolute()
    backup = read_backup(source)
    if not yes:
        typer.confirm(
            f"Replace {', '.join(sorted(backup.databases))} in {folder} by those of {iso(backup.made_at)}?",
            abort=True,
        )
    event = put_back(source, folder, SystemClock(), force=force)
    typer.echo(event.reason if event is not None else f"restored {', '.join(sorted(backup.databases))}")
