"""`edged delivery`: how records reach other systems; pausing, resuming, and records put aside."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from edged.admin import deliveries
from edged.cli.common import LARGEST_NUMBER, ConfigOption, DataDirOption, LimitOption, at_box, console
from edged.errors import NeedsOperator

app = typer.Typer(no_args_is_help=True)

JsonOption = Annotated[bool, typer.Option("--json", help="JSON on standard output, nothing else.")]
TargetArgument = Annotated[str, typer.Argument(metavar="TARGET", help="Name of a target, see `status`.")]


@app.command("status")
def status(as_json: JsonOption = False, config: ConfigOption = None, data_dir: DataDirOption = None) -> None:
    """Every target: how far it is, what holds it up. Exit code 69 when one needs the operator."""
    targets = deliveries.delivery_status(*at_box(config, data_dir))
    if as_json:
        typer.echo(json.dumps({"targets": targets}, ensure_ascii=False, indent=2))
    else:
        _print_status(targets)
    if any(target["state"] == "needs_operator" for target in targets):
        raise typer.Exit(NeedsOperator.exit_code)


@app.command("pause")
def pause(target: TargetArgument, config: ConfigOption = None, data_dir: DataDirOption = None) -> None:
    """Send nothing to a target until it is resumed, also after a restart. Its records wait in the journal."""
    changed = deliveries.pause_target(*at_box(config, data_dir), target)
    typer.echo(f"{target} is paused{'' if changed else ' already'}.")


@app.command("resume")
def resume(target: TargetArgument, config: ConfigOption = None, data_dir: DataDirOption = None) -> None:
    """Go on sending at once; also ends the wait after failures."""
    changed = deliveries.resume_target(*at_box(config, data_dir), target)
    typer.echo(f"{target} goes on." if changed else f"{target} was not paused; it tries again now.")


@app.command("dead")
def dead(
    target: Annotated[str | None, typer.Argument(metavar="TARGET", help="Only of this target.")] = None,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Records a target would not take, and why. `edged records list` shows a record by its seq."""
    letters = deliveries.list_dead_letters(*at_box(config, data_dir), target, limit=limit)
    if as_json:
        for letter in letters:
            typer.echo(json.dumps(vars(letter), ensure_ascii=False))
        return
    if not letters:
        typer.echo("No dead letters.", err=True)
        return
    from rich.table import Table

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
    count = deliveries.retry_dead_letters(*at_box(config, data_dir), target, letter)
    typer.echo(f"{count} dead letters of {target} are tried again.")


def _print_status(targets: list[dict[str, Any]]) -> None:
    if not targets:
        typer.echo("There are no targets; add some to the section delivery.", err=True)
        return
    from rich.table import Table

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
