"""`edged check`: is the configuration right, and what does it amount to? Touches no hardware."""

from __future__ import annotations

import json
import os
from typing import Annotated, Any

import typer

from edged.admin.actor import local_actor
from edged.admin.settings import SettingsCheck, check_settings, settings_schema
from edged.cli.common import ConfigOption
from edged.clock import SystemClock

app = typer.Typer()


@app.command()
def check(
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema of the file for editors, and exit.")
    ] = False,
) -> None:
    """Check a configuration file and show what it means.

    Mistakes go to standard error, all of them at once, and the exit code is 78. Warnings do not change the
    exit code.
    """
    if schema:
        _print_json(settings_schema(local_actor()))
        return
    checked = check_settings(local_actor(), SystemClock(), config, os.environ)
    if as_json:
        _print_json(_answer(checked))
    elif checked.error is None:
        _print_text(checked)
    if checked.error is not None:
        raise typer.Exit(checked.error.exit_code) if as_json else checked.error


def _print_text(checked: SettingsCheck) -> None:
    for warning in checked.warnings:
        typer.echo(f"warning: {warning}", err=True)
    typer.echo(f"{checked.file or 'built-in defaults (no configuration file)'}: fine")
    settings = checked.settings or {}
    width = max(map(len, settings)) + 1
    for name, text in settings.items():
        typer.echo(f"  {name:<{width}} {text}")


def _answer(checked: SettingsCheck) -> dict[str, Any]:
    return {
        "file": checked.file,
        "ok": not checked.problems,
        "problems": [p.to_dict() for p in checked.problems],
        "warnings": [w.to_dict() for w in checked.warnings],
        "settings": checked.settings,
    }


def _print_json(value: dict[str, Any]) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))
