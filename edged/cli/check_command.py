"""`edged check`: is the configuration right, and what does it amount to? Touches no hardware."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from edged.app.preflight import preflight
from edged.cli.common import ConfigOption
from edged.clock import SystemClock
from edged.config import DEFAULT_PATH, ConfigProblems, Loaded, Problem, load
from edged.config.advice import advise, summary
from edged.config.export import json_schema
from edged.errors import EdgedError, Misconfigured, NotFound

app = typer.Typer()

_OF_THE_SERVICE = ("cloud_secret", "cloud_secrets_file")
"""What the service may have although whoever checks has not: its environment, its credentials, its files."""


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
        _print_json(json_schema())
        return
    try:
        loaded, doubts = _look(config)
    except Misconfigured as error:
        if not as_json:
            raise
        file = str(config or DEFAULT_PATH)
        _print_json(_answer(file, _problems(error, file), (), None))
        raise typer.Exit(error.exit_code) from error
    warnings = (*advise(loaded, os.path.exists), *doubts)
    if as_json:
        _print_json(_answer(_name(loaded), (), warnings, summary(loaded.config)))
    else:
        _print_text(loaded, warnings)


def _look(config: Path | None) -> tuple[Loaded, list[Problem]]:
    """The configuration, and what may keep the daemon from starting.

    Raises:
        ConfigProblems: with every mistake that does keep it from starting.
        Misconfigured: the file cannot be read.
    """
    loaded = load(config, environ=os.environ)
    found = preflight(loaded.config, SystemClock())
    file = _name(loaded) or "built-in defaults"
    sure = [
        error for error in found if isinstance(error, Misconfigured) and error.code not in _OF_THE_SERVICE
    ]
    if sure:
        raise ConfigProblems([problem for error in sure for problem in _problems(error, file)])
    unsure = [error for error in found if not isinstance(error, NotFound)]  # on which `advise` has a word
    return loaded, [_problem(error, file) for error in unsure]


def _problems(error: Misconfigured, file: str) -> tuple[Problem, ...]:
    """Those in the file, or the one that kept the file from being used."""
    if isinstance(error, ConfigProblems):
        return error.problems
    return (_problem(error, file),)


def _problem(error: EdgedError, file: str) -> Problem:
    return Problem(file=file, message=error.message.removesuffix("."), hint=error.hint)


def _name(loaded: Loaded) -> str | None:
    return None if loaded.path is None else str(loaded.path)


def _print_text(loaded: Loaded, warnings: tuple[Problem, ...]) -> None:
    for warning in warnings:
        typer.echo(f"warning: {warning}", err=True)
    typer.echo(f"{_name(loaded) or 'built-in defaults (no configuration file)'}: fine")
    settings = summary(loaded.config)
    width = max(map(len, settings)) + 1
    for name, text in settings.items():
        typer.echo(f"  {name:<{width}} {text}")


def _answer(
    file: str | None,
    problems: tuple[Problem, ...],
    warnings: tuple[Problem, ...],
    settings: dict[str, str] | None,
) -> dict[str, Any]:
    return {
        "file": file,
        "ok": not problems,
        "problems": [p.to_dict() for p in problems],
        "warnings": [w.to_dict() for w in warnings],
        "settings": settings,
    }


def _print_json(value: dict[str, Any]) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))
