"""`edged library`: people here and in the face cloud: compare, repair, see what is waiting."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import typer

from edged.cli.common import ConfigOption, DataDirOption, log_to_stderr, resolve_config
from edged.cli.library_view import diff_dict, print_diff, print_status, status_dict
from edged.cli.people_view import print_json
from edged.clock import Clock, SystemClock
from edged.cloudsync.diff import CloudDiff, GroupDiff
from edged.cloudsync.queue import CloudQueue
from edged.cloudsync.sync import CloudSync
from edged.config.recognition_section import CloudConfig
from edged.errors import RetryLater
from edged.faceapi.client.face_cloud import FaceCloud, build_client
from edged.faceapi.governor.allowance import FILE_NAME, AllowanceStore, Used
from edged.faceapi.governor.call_limits import service_of
from edged.faceapi.governor.rate_governor import open_governor
from edged.library.store import LibraryStore

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
    with open_sync(config, data_dir) as (store, sync, cloud):
        groups = CloudDiff(store, sync, cloud).compare(faces=not ids_only)
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
    with open_sync(config, data_dir) as (store, worker, cloud):
        compared = CloudDiff(store, worker, cloud)
        groups = compared.compare(faces=not ids_only)
        _show(groups, as_json=as_json)
        if not apply:
            differs = any(
                g.missing or g.unwanted or g.different or (delete_extra and g.extra) for g in groups
            )
            raise typer.Exit(int(differs))
        compared.repair(groups, delete_extra=delete_extra)
        queued = [entry.cloud_id for entry in worker.queue.entries()]
        left = worker.finish(queued, wait_s)
        status = worker.queue.status()
    if not as_json:
        typer.echo(
            f"{len(queued) - len(left)} of {len(queued)} brought into line, {status.set_aside} set aside"
        )
    if left:
        raise typer.Exit(1)


@app.command()
def status(as_json: JsonOption = False, config: ConfigOption = None, data_dir: DataDirOption = None) -> None:
    """Show what is waiting to be done in the cloud, and how often it was asked. Asks nothing of it itself."""
    settings = resolve_config(config)
    folder = settings.data_dir if data_dir is None else data_dir.absolute()
    clock = SystemClock()
    with ExitStack() as stack:
        store = LibraryStore.open(folder, clock)
        stack.callback(store.close)
        queue = CloudQueue(store.database, clock)
        state, entries = queue.status(), queue.entries()
        calls = _calls(settings.recognition.cloud, folder, clock)
    if as_json:
        print_json(status_dict(state, entries, calls))
    else:
        print_status(state, entries, calls)


def _calls(service: CloudConfig, folder: Path, clock: Clock) -> dict[str, Used]:
    """How often the configured cloud was asked for what; a box that never did keeps no count."""
    if not (folder / FILE_NAME).exists():
        return {}
    counted = AllowanceStore.open(folder, clock, service=service_of(service))
    try:
        return {call.title: used for call, used in counted.used().items()}
    finally:
        counted.close()


@contextmanager
def open_sync(
    config: Path | None, data_dir: Path | None
) -> Iterator[tuple[LibraryStore, CloudSync, FaceCloud]]:
    """Library, worker and client for what the configuration says; closed at the end."""
    log_to_stderr()
    settings = resolve_config(config)
    folder = settings.data_dir if data_dir is None else data_dir.absolute()
    clock = SystemClock()
    service, enabled = settings.recognition.cloud, settings.recognition.engine != "local"
    with ExitStack() as stack:
        store = LibraryStore.open(folder, clock)
        stack.callback(store.close)
        governor = open_governor(service, folder, clock)
        stack.callback(governor.close)
        cloud = build_client(service, clock, governor=governor, data_dir=folder)
        stack.callback(cloud.close)
        yield store, CloudSync(store, cloud, service, clock, data_dir=folder, enabled=enabled), cloud


def wait_for_erasure(cloud_id: str, wait_s: float, config: Path | None, data_dir: Path | None) -> None:
    """Send what is queued about somebody who was erased, and wait for the cloud to confirm it.

    Raises:
        RetryLater: `cloud_erasure_unconfirmed`, not within `wait_s`; it stays queued.
    """
    with open_sync(config, data_dir) as (_, sync, _):
        left = sync.finish([cloud_id], wait_s)
    if left:
        raise RetryLater(
            f"The cloud has not confirmed the erasure of {cloud_id} within {wait_s:g} s.",
            code="cloud_erasure_unconfirmed",
            hint="It stays queued, and the id with it; `edged library status` shows it until then.",
        )


def _show(groups: tuple[GroupDiff, ...], *, as_json: bool) -> None:
    if as_json:
        print_json({"groups": [diff_dict(group) for group in groups]})
        return
    for group in groups:
        print_diff(group)
    if not groups:
        typer.echo("No group of the cloud is used: recognition.engine is local and nobody was sent before.")
