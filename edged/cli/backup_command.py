"""`edged backup`: copy everything the box knows into a folder. Works beside the daemon."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from edged.admin import maintenance
from edged.cli.common import ConfigOption, DataDirOption, at_box
from edged.clock import iso

app = typer.Typer()


@app.command()
def backup(
    target: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder in which the backup becomes a folder of its own.")
    ],
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output, nothing else.")] = False,
) -> None:
    """Copy databases, photographs and snapshots, checked; it holds faces and names: keep it safe."""
    place = target.absolute()
    actor, box = at_box(config, data_dir)
    result = maintenance.back_up(actor, box, place)
    made = result.backup
    if result.not_noted:
        typer.echo(
            f"edged: {place} cannot be noted in {box.data_dir} ({result.not_noted}).\n"
            f"       Give `--backups {place}` to `edged verify` and `edged forget`.",
            err=True,
        )
    if as_json:
        answer = {
            "path": str(made.path),
            "device": made.device,
            "made_at": iso(made.made_at),
            "databases": sorted(made.databases),
            "pictures": made.pictures,
            "bytes": made.bytes,
        }
        typer.echo(json.dumps(answer))
        return
    typer.echo(f"{made.path}: {', '.join(sorted(made.databases))}, {made.pictures} pictures.")
