"""A command group whose commands are imported when they are used, and the one place where errors are shown.

Importing OpenCV and the feature packages takes longer than a person waits for `--help`, so a command is only
a name and a sentence until somebody calls it.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command as click_command

from edged.cli.common import report
from edged.errors import EdgedError, NeedsOperator

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

# typer gives these to every app; they belong to the program, not to each of its commands
_ROOT_OPTIONS = ("install_completion", "show_completion")


@dataclass(frozen=True)
class Command:
    """Where a command lives: `module` has a `typer.Typer` named `app`; `help` is shown before that."""

    module: str
    help: str


class _QuickHelp:
    """Gives `--help` a plain default. Typer has pydantic check a missing one, and that takes long to load."""

    def get_help_option(self, ctx: Any) -> Any:
        option = super().get_help_option(ctx)  # type: ignore[misc]  # a mix-in: the class behind has it
        if option is not None:
            option.default = False
        return option


class QuickCommand(_QuickHelp, TyperCommand):
    """A command that loads no pydantic while its options are flags."""


class QuickGroup(_QuickHelp, TyperGroup):
    """A group with such commands."""


def lazy_group(commands: Mapping[str, Command]) -> type[TyperGroup]:
    """A group class for `typer.Typer(cls=…)` with these commands, in this order."""

    class LazyGroup(QuickGroup):
        """Shows placeholders, runs the real commands, and turns an EdgedError into text and exit code."""

        def __init__(self, **attributes: Any) -> None:
            super().__init__(**attributes)
            for name, command in commands.items():
                self.commands[name] = TyperCommand(name, help=command.help)

        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            if args and not args[0].startswith("-"):
                # typer has pydantic check options that nobody gave
                self.params = [p for p in self.params if p.name not in _ROOT_OPTIONS]
            return super().parse_args(ctx, args)

        def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
            name, found, rest = super().resolve_command(ctx, args)
            if name is not None and name in commands and found is not None:
                found = _load(name, commands[name])
            return name, found, rest

        def invoke(self, ctx: Any) -> Any:
            try:
                return super().invoke(ctx)
            except EdgedError as error:
                report(error)
                raise typer.Exit(error.exit_code) from error
            except OSError as error:
                if error.errno not in _NO_ROOM:
                    raise
                os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the rest of the buffer has no room either
                full = _no_room(error)
                report(full)
                raise typer.Exit(full.exit_code) from error

    return LazyGroup


def _no_room(error: OSError) -> NeedsOperator:
    return NeedsOperator(
        f"The output could not be written: {error.strerror}.",
        code="output_unusable",
        hint="Make room on that disk, or write to another one.",
    )


def _load(name: str, command: Command) -> Any:
    try:
        module = import_module(command.module)
    except ImportError as error:
        raise NeedsOperator(
            f"the command {name} cannot be loaded: {error}.",
            code="command_unavailable",
            hint="The installation is incomplete; install edged again.",
        ) from error
    loaded = click_command(module.app)
    loaded.name = name
    loaded.help = loaded.help or command.help
    loaded.params = [p for p in loaded.params if p.name not in _ROOT_OPTIONS]
    return loaded
