"""Checking a configuration: is it right, what does it mean, would the daemon start with it? No hardware."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edged.admin.actor import Actor
from edged.admin.rights import Right, needs
from edged.clock import Clock
from edged.errors import EdgedError, Misconfigured, NotFound

if TYPE_CHECKING:
    from edged.config import Loaded, Problem

_CODES_OF_THE_SERVICE = ("cloud_secret", "cloud_secrets_file")
"""The service may have these although the user who checks has not: its environment, credentials and files."""


@dataclass(frozen=True)
class SettingsCheck:
    """A configuration that was looked at.

    Attributes:
        file: as named; None: the built-in defaults.
        problems: mistakes that keep the daemon from starting; then there are no settings.
        warnings: what may be unwanted, or may keep the daemon from starting.
        settings: what it amounts to, name to sentence; None with problems.
        error: what the daemon would end with; None without problems.
    """

    file: str | None
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    settings: dict[str, str] | None = None
    error: Misconfigured | None = None


@needs(Right.BOX_SEE)
def check_settings(
    actor: Actor, clock: Clock, path: Path | None, environ: Mapping[str, str]
) -> SettingsCheck:
    """Check a configuration file, and build the parts it names without starting them.

    Loads cameras, board drivers and the cloud's client into this process.

    Args:
        path, environ: see `edged.config.load.load`.
    """
    from edged.config import DEFAULT_PATH, load
    from edged.config.advice import advise, summary

    try:
        loaded = load(path, environ=environ)
        doubts = _doubts(loaded, clock)
    except Misconfigured as error:
        file = str(path or DEFAULT_PATH)
        return SettingsCheck(file, _problems(error, file), error=error)
    return SettingsCheck(
        None if loaded.path is None else str(loaded.path),
        warnings=(*advise(loaded, os.path.exists), *doubts),
        settings=summary(loaded.config),
    )


@needs(Right.BOX_SEE)
def settings_schema(actor: Actor) -> dict[str, Any]:
    """The JSON Schema of the configuration file, for editors."""
    from edged.config.export import json_schema

    return json_schema()


def _doubts(loaded: Loaded, clock: Clock) -> list[Problem]:
    """What may keep the daemon from starting. Raises ConfigProblems with what does keep it."""
    from edged.app.preflight import preflight
    from edged.config import ConfigProblems

    file = "built-in defaults" if loaded.path is None else str(loaded.path)
    found = preflight(loaded.config, clock)
    sure = [
        error
        for error in found
        if isinstance(error, Misconfigured) and error.code not in _CODES_OF_THE_SERVICE
    ]
    if sure:
        raise ConfigProblems([problem for error in sure for problem in _problems(error, file)])
    unsure = [error for error in found if not isinstance(error, NotFound)]  # `advise` warns of those
    return [_problem(error, file) for error in unsure]


def _problems(error: Misconfigured, file: str) -> tuple[Problem, ...]:
    """The mistakes in the file, or the one that kept the file from being used."""
    from edged.config import ConfigProblems

    if isinstance(error, ConfigProblems):
        return tuple(error.problems)
    return (_problem(error, file),)


def _problem(error: EdgedError, file: str) -> Problem:
    from edged.config import Problem

    return Problem(file=file, message=error.message.removesuffix("."), hint=error.hint)
