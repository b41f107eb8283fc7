"""`edged library`: people here and in the face cloud: compare, repair, see what is waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from edged.admin import cloud_people
from edged.cli.common import ConfigOption, DataDirOption, at_box, log_to_stderr
from edged.cli.library_view import diff_dict, print_diff, print_status, status_dict
from edged.cli.people_view import print_json

if TYPE_CHECKING:
    from edged.cloudsync.diff import GroupDiff

app = typer.Typer(no_args_is_help=True)

JsonOption = Annotated[bool, typer.Option("--json", help="JSON on standard output, nothing else.")]
IdsOnlyOption = Annotated[
    bool, typer.Option("--ids-only", help="Do not compare the faces of each person: a call for each.")
]


@app.command()
def diff(
    ids_only: IdsOnlyOption = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Ask the cloud who is missing, extra or different there. Exit code 0: the same; 1: it differs."""
    log_to_stderr()
    groups = cloud_people.compare_with_cloud(*at_box(config, data_dir), faces=not ids_only)
    _show(groups, as_json=as_json)
    if not all(group.is_same for group in groups):
        raise typer.Exit(1)


@app.command()
def sync(
    apply: Annotated[
        bool, typer.Option("--apply/--dry-run", help="Repair what differs, or only say what would be done.")
    ] = False,
    delete_extra: Annotated[
        bool,
        typer.Option("--delete-extra", help="Also delete people in the cloud who were not sent from here."),
    ] = False,
    wait_s: Annotated[
        float, typer.Option("--wait", metavar="SECONDS", min=0, help="Give up after this time.")
    ] = 600.0,
    ids_only: IdsOnlyOption = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Make the cloud hold whom it should. Exit code 0: it does; 1: not (yet), see `library status`."""
    log_to_stderr()
    actor, box = at_box(config, data_dir)
    if not apply:
        groups = cloud_people.compare_with_cloud(actor, box, faces=not ids_only)
        _show(groups, as_json=as_json)
        raise typer.Exit(int(any(group.needs_repair(delete_extra=delete_extra) for group in groups)))
    done = cloud_people.repair_cloud(
        actor,
        box,
        faces=not ids_only,
        delete_extra=delete_extra,
        wait_s=wait_s,
        on_compared=lambda groups: _show(groups, as_json=as_json),
    )
    if not as_json:
        typer.echo(
            f"{done.queued - done.left} of {done.queued} brought into line, {done.set_aside} set aside"
        )
    if done.left:
        raise typer.Exit(1)


@app.command()
def status(as_json: JsonOption = False, config: ConfigOption = None, data_dir: DataDirOption = None) -> None:
    """Show what is waiting to be done in the cloud, and how often it was asked. Asks nothing of it itself."""
    state = cloud_people.sync_state(*at_box(config, data_dir))
    if as_json:
        print_json(status_dict(state))
    else:
        print_status(state)


def _show(groups: tuple[GroupDiff, ...], *, as_json: bool) -> None:
    if as_json:
        print_json({"groups": [diff_dict(group) for group in groups]})
        return
    for group in groups:
        print_diff(group)
    if not groups:
        typer.echo("No group of the cloud is used: recognition.engine is local and nobody was sent before.")
