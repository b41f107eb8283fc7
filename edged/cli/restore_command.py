"""`edged restore`: put a backup back in the place of what the box knows now. The daemon must not run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edged.admin import maintenance
from edged.cli.common import ConfigOption, DataDirOption, at_box
from edged.clock import iso

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
    (actor, box), source = at_box(config, data_dir), source.absolute()
    backup = maintenance.look_at_backup(actor, box, source)
    if not yes:
        names = ", ".join(sorted(backup.databases))
        typer.confirm(f"Replace {names} in {box.data_dir} by those of {iso(backup.made_at)}?", abort=True)
    event = maintenance.restore(actor, box, source, force=force)
    typer.echo(event.reason if event is not None else f"restored {', '.join(sorted(backup.databases))}")
