"""`edged delivery`: how records reach other systems; pausing, resuming, and records put aside."""

from __future__ import annotations

import getpass
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from edged.cli.common import (
    LARGEST_NUMBER,
    ConfigOption,
    DataDirOption,
    LimitOption,
    console,
    resolve_data_dir,
)
from edged.clock import SystemClock
from edged.delivery.outbox import Outbox, place_dict
from edged.errors import NeedsOperator, NotFound
from edged.journal.reader import JournalReader, journal_path
from edged.ops.control import ask

app = typer.Typer(no_args_is_help=True)

JsonOption = Annotated[bool, typer.Option("--json", help="JSON on standard output, nothing else.")]
TargetArgument = Annotated[str, typer.Argument(metavar="TARGET", help="Name of a target, see `status`.")]
_NOT_RUNNING = "daemon_not_running"


@app.command("status")
def status(as_json: JsonOption = False, config: ConfigOption = None, data_dir: DataDirOption = None) -> None:
    """Every target: how far it is, what holds it up. Exit code 69 when one needs the operator."""
    folder = resolve_data_dir(config, data_dir)
    try:
        targets = ask(folder, "delivery.status")["targets"]
    except NeedsOperator as error:
        if error.code != _NOT_RUNNING:
            raise
        targets = _without_daemon(folder)
    if as_json:
        typer.echo(json.dumps({"targets": targets}, ensure_ascii=False, indent=2))
    else:
        _print_status(targets)
    if any(target["state"] == "needs_operator" for target in targets):
        raise typer.Exit(NeedsOperator.exit_code)


@app.command("pause")
def pause(target: TargetArgument, config: ConfigOption = None, data_dir: DataDirOption = None) -> None:
    """Send nothing to a target until it is resumed, also after a restart. Its records wait in the journal."""
    by = getpass.getuser()
    result = _order(
        resolve_data_dir(config, data_dir),
        "delivery.pause",
        lambda outbox: {"changed": outbox.pause(target, by)},
        target=target,
        by=by,
    )
    typer.echo(f"{target} is paused{'' if result['changed'] else ' already'}.")


@app.command("resume")
def resume(target: TargetArgument, config: ConfigOption = None, data_dir: DataDirOption = None) -> None:
    """Go on sending at once; also ends the wait after failures."""
    result = _order(
        resolve_data_dir(config, data_dir),
        "delivery.resume",
        lambda outbox: {"changed": outbox.resume(target)},
        target=target,
    )
    typer.echo(f"{target} goes on." if result["changed"] else f"{target} was not paused; it tries again now.")


@app.command("dead")
def dead(
    target: Annotated[str | None, typer.Argument(metavar="TARGET", help="Only of this target.")] = None,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Records a target would not take, and why. `edged records list` shows a record by its seq."""
    with _outbox(resolve_data_dir(config, data_dir)) as outbox:
        if target is not None:
            outbox.place(target)
        letters = outbox.dead_letters(target, limit)
    if as_json:
        for letter in letters:
            typer.echo(json.dumps(vars(letter), ensure_ascii=False))
        return
    if not letters:
        typer.echo("No dead letters.", err=True)
        return
    table = Table("no.", "target", "seq", "event", "when", "tries", "why", box=None, pad_edge=False)
    for letter in letters:
        again = " (to be tried again)" if letter.retry else ""
        table.add_row(
            str(letter.letter_id), letter.target, str(letter.seq), letter.event, letter.at,
            str(letter.attempts), f"{letter.code}: {letter.reason}{again}",
        )  # fmt: skip
    console().print(table)


@app.command("retry")
def retry(
    target: TargetArgument,
    letter: Annotated[
        int | None,
        typer.Option(
            "--letter", min=1, max=LARGEST_NUMBER, metavar="NO", help="Only this one, numbered as in `dead`."
        ),
    ] = None,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Send the dead letters of a target again, before anything else."""
    result = _order(
        resolve_data_dir(config, data_dir),
        "delivery.retry",
        lambda outbox: {"letters": outbox.retry(target, letter)},
        target=target,
        letter=letter,
    )
    typer.echo(f"{result['letters']} dead letters of {target} are tried again.")


def _order(
    folder: Path, command: str, alone: Callable[[Outbox], dict[str, Any]], **arguments: Any
) -> dict[str, Any]:
    """Have the daemon do it, or, when none runs, do it for the next one."""
    try:
        return ask(folder, command, **arguments)
    except NeedsOperator as error:
        if error.code != _NOT_RUNNING:
            raise
    with _outbox(folder, writing=True) as outbox:
        return alone(outbox)


@contextmanager
def _outbox(folder: Path, *, writing: bool = False) -> Iterator[Outbox]:
    clock = SystemClock()
    outbox = Outbox.open_readonly(folder, clock)  # tells when there is none, instead of making one
    if writing:
        outbox.close()
        outbox = Outbox.open(folder, clock)
    try:
        yield outbox
    finally:
        outbox.close()


def _without_daemon(folder: Path) -> list[dict[str, Any]]:
    """What is known while no daemon runs: the places."""
    with _outbox(folder) as outbox:
        places = [place for place in outbox.places() if place.configured]
    newest = _newest(folder)
    return [
        {**place_dict(place, newest), "state": "paused" if place.paused_at else "not_running"}
        for place in places
    ]


def _newest(folder: Path) -> int:
    try:
        journal = JournalReader.open_readonly(journal_path(folder))
    except NotFound:
        return 0
    try:
        records = journal.list(limit=1)
        return records[0].seq if records else 0
    finally:
        journal.close()


def _print_status(targets: list[dict[str, Any]]) -> None:
    if not targets:
        typer.echo("There are no targets; add some to the section delivery.", err=True)
        return
    table = Table("target", "state", "delivered", "last", "behind", "dead", box=None, pad_edge=False)
    for target in targets:
        table.add_row(
            target["target"], target["state"].replace("_", " "), str(target["delivered"]),
            target["delivered_at"] or "-", str(target["behind"]), str(target["dead"]),
        )  # fmt: skip
    console().print(table)
    for target in targets:
        if target["paused_at"]:
            typer.echo(f"{target['target']}: paused by {target['paused_by']} at {target['paused_at']}.")
        if target.get("message"):
            again = f" Next attempt at {target['retry_at']}." if target.get("retry_at") else ""
            text = f"{target['target']}: {target['message']} {target['hint']}".rstrip()
            typer.echo(f"{text}{again} [{target['code']}, {target['failures']} in a row]")
