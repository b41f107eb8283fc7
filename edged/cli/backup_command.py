"""`edged backup`: copy everything the box knows into a folder. Works beside the daemon."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from edged.cli.common import ConfigOption, DataDirOption, resolve_data_dir
from edged.clock import SystemClock, iso
from edged.upkeep.backup import make_backup
from edged.upkeep.backup_places import remember_place

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
    folder = resolve_data_dir(config, data_dir)
    made = make_backup(folder, target.absolute(), SystemClock())
    _remember(folder, target.absolute())
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


def _remember(data_dir: Path, target: Path) -> None:
    """A backup is most wanted from a disk that can no longer be written."""
    try:
        remember_place(data_dir, target)
    except OSError as error:
        typer.echo(
            f"edged: {target} cannot be noted in {data_dir} ({error.strerror}).\n"
            f"       Give `--backups {target}` to `edged verify` and `edged forget`.",
            err=True,
        )
