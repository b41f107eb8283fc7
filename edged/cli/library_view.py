"""How `edged library` shows differences and the state of the queue. No commands."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import typer

from edged.admin.cloud_people import SyncState
from edged.clock import iso

if TYPE_CHECKING:
    from edged.cloudsync.diff import GroupDiff


def diff_dict(diff: GroupDiff) -> dict[str, Any]:
    """A group as `--json` shows it."""
    return {**asdict(diff), "is_same": diff.is_same}


def print_diff(diff: GroupDiff) -> None:
    """One group, a line for each person who differs."""
    state = "" if diff.exists else "the cloud has no such group; "
    typer.echo(f"group {diff.group}: {state}{diff.same} the same")
    for cloud_id in diff.missing:
        typer.echo(f"  missing    {cloud_id}  should be in the cloud and is not")
    for person in diff.different:
        typer.echo(
            f"  different  {person.cloud_id}  {person.missing} photograph(s) missing there, "
            f"{person.surplus} face(s) there that are not here"
        )
    for cloud_id in diff.unwanted:
        typer.echo(f"  unwanted   {cloud_id}  sent from here, should not be there any more")
    for cloud_id in diff.extra:
        typer.echo(f"  extra      {cloud_id}  in the cloud, not sent from here")


def status_dict(state: SyncState) -> dict[str, Any]:
    """The state as `--json` shows it."""
    return {
        **_plain(asdict(state.status)),
        "entries": [_plain(asdict(entry)) for entry in state.entries],
        "calls": {call: asdict(used) for call, used in state.calls.items()},
    }


def print_status(state: SyncState) -> None:
    """The state, the entries that have failed, and the calls counted for the present address."""
    status = state.status
    typer.echo(f"people in the cloud    {status.people}")
    typer.echo(f"waiting                {status.waiting}{_since(status.oldest_at)}")
    typer.echo(f"set aside              {status.set_aside}")
    typer.echo(f"erasures not confirmed {status.erasures}")
    typer.echo(f"last success           {_local(status.last_success_at)}")
    typer.echo(f"last use of the cloud  {_local(status.last_use_at)}")
    if status.last_error_at is not None:
        typer.echo(f"last error             {_local(status.last_error_at)}: {status.last_error}")
    for call, used in state.calls.items():
        typer.echo(f"calls: {call:<15} {used.today} today, {used.total} in all")
    for entry in state.entries:
        if entry.error_code:
            again = f"tried {entry.attempts} time(s), again {_local(entry.next_at)}"
            word = "set aside" if entry.set_aside else again
            typer.echo(f"{entry.cloud_id}: {word}: {entry.error}")


def _since(at: datetime | None) -> str:
    return f", since {_local(at)}" if at else ""


def _local(at: datetime | None) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S}" if at else "never"


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: iso(value) if isinstance(value, datetime) else value for key, value in fields.items()}
