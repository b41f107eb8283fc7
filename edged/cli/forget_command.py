"""`edged forget`: erase a person everywhere, and prove it. Works beside the daemon."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from edged.cli.common import ConfigOption, DataDirOption, resolve_config
from edged.clock import SystemClock
from edged.errors import Misconfigured, NeedsOperator
from edged.upkeep.backup_places import backup_folder, missing_places, remembered_places
from edged.upkeep.erasure.forget import Forgotten, look_again, unfinished
from edged.upkeep.erasure.forget import forget as erase
from edged.upkeep.files import BACKUPS

app = typer.Typer()


@app.command()
def forget(
    person_id: Annotated[
        str | None,
        typer.Argument(metavar="ID", help="Id of the person; see `people list`.", show_default=False),
    ] = None,
    finish: Annotated[bool, typer.Option("--finish", help="Finish an erasure that was interrupted.")] = False,
    backups: Annotated[
        list[Path] | None,
        typer.Option(
            "--backups",
            exists=True,
            file_okay=False,
            metavar="DIR",
            help="Erase in the backups in this folder, too.",
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    wait_s: Annotated[
        float,
        typer.Option("--wait", metavar="SECONDS", min=0, help="Wait until the cloud has confirmed it, too."),
    ] = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output, nothing else.")] = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Erase a person: faces, photographs, snapshots, name and id in records, punches and backups.

    What is left is counted under a pseudonym. The exit code is 69 when something of them is still found, and
    75 when the cloud has not confirmed it within --wait.
    """
    folder, places = _places(config, data_dir, backups or [])
    person = unfinished(folder) if finish else person_id
    if person is None:
        raise Misconfigured(
            "No erasure was interrupted." if finish else "Whom?",
            code="nobody_to_forget",
            hint="Give the id of the person; `edged people list` shows them.",
        )
    if not yes:
        typer.confirm(f"Erase {person} everywhere, backups included? It cannot be undone.", abort=True)
    done = erase(folder, person, SystemClock(), backup_dirs=places)
    if done.cloud_id is not None and wait_s:
        # loads the client of the cloud, which the erasure does without
        from edged.cli.library_command import wait_for_erasure

        wait_for_erasure(done.cloud_id, wait_s, config, data_dir)
        look_again(folder, done, SystemClock())
    _print(done, as_json=as_json)
    for place in missing_places(folder):
        typer.echo(
            f"Not reached: {place}, where backups were made. Attach it and run this again.",
            err=True,
        )
    if done.left:
        raise typer.Exit(NeedsOperator.exit_code)


def _places(config: Path | None, data_dir: Path | None, also: list[Path]) -> tuple[Path, list[Path]]:
    if data_dir is not None:
        folder = data_dir.absolute()
        return folder, [folder / BACKUPS, *remembered_places(folder), *also]
    settings = resolve_config(config)
    by_hand = remembered_places(settings.data_dir)
    return settings.data_dir, [backup_folder(settings), settings.data_dir / BACKUPS, *by_hand, *also]


def _print(done: Forgotten, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(done.summary()))
        return
    typer.echo(f"Erased; what is left is counted as {done.pseudonym}.")
    for number, what in (
        (done.photographs, "photographs erased"),
        (done.snapshots, "snapshots erased"),
        (done.records, "records anonymised"),
        (done.punches, "punches anonymised"),
        (done.backups, "backups written anew without the person"),
    ):
        typer.echo(f"{number:7d}  {what}")
    for path in done.removed:
        typer.echo(f"removed {path}")
    if done.cloud_id is not None:
        typer.echo("The deletion in the cloud is queued; the id is kept until it is confirmed.")
    for line in done.summary()["left"]:
        typer.echo(f"STILL THERE: {line}", err=True)
    if not done.left:
        typer.echo("Every file was searched afterwards: nothing of the person is left.")
