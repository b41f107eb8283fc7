"""`edged forget`: erase a person everywhere, and prove it. Works beside the daemon."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from edged.admin import maintenance
from edged.admin.maintenance import Forgotten
from edged.cli.common import ConfigOption, DataDirOption, at_box, log_to_stderr
from edged.errors import NeedsOperator

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
    actor, box = at_box(config, data_dir)
    person = maintenance.person_to_forget(actor, box, person_id, finish=finish)
    if not yes:
        typer.confirm(f"Erase {person} everywhere, backups included? It cannot be undone.", abort=True)
    if wait_s:
        log_to_stderr()
    done = maintenance.forget(actor, box, person, backups=backups or [], wait_s=wait_s)
    _print(done, as_json=as_json)
    for place in maintenance.unreachable_backups(actor, box):
        typer.echo(
            f"Not reached: {place}, where backups were made. Attach it and run this again.",
            err=True,
        )
    if done.left:
        raise typer.Exit(NeedsOperator.exit_code)


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
