"""What all commands share: common options, the actor and the box for admin, how errors look. No command."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edged.errors import EdgedError, Misconfigured

if TYPE_CHECKING:
    from rich.console import Console

    from edged.admin.actor import Actor
    from edged.admin.box import Box
    from edged.config import Config, GateConfig

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        envvar="EDGED_CONFIG",
        metavar="FILE",
        readable=False,  # a file without permission is reported like all that is wrong with it
        help="Configuration file; without it /etc/edged/edged.yaml, or the defaults.",
        show_default=False,
    ),
]

DataDirOption = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        metavar="DIR",
        help="Library and journal; without it data_dir of the configuration.",
        show_default=False,
    ),
]

DoorOption = Annotated[
    str | None,
    typer.Option(
        "--door", metavar="ID", help="Which door, where there are several: its gate.id.", show_default=False
    ),
]


LARGEST_NUMBER = 2**63 - 1
"""The largest number a row of a database can have."""


LimitOption = Annotated[int, typer.Option(min=1, max=LARGEST_NUMBER, help="At most so many, the newest.")]


def log_to_stderr() -> None:
    """Send warnings of the daemon's parts to standard error: they must not stand in the output."""
    import structlog  # most commands do without

    def only_warnings(logger: Any, method: str, event: Any) -> Any:
        if method not in ("warning", "error", "exception", "critical"):
            raise structlog.DropEvent
        return event

    structlog.configure(
        processors=[
            only_warnings,
            structlog.processors.add_log_level,
            structlog.dev.ConsoleRenderer(colors=False),
        ],
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )


def console() -> Console:
    """For tables. A pipe has no width, and nothing may be cut off there."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else 200
    return Console(width=width, markup=False, highlight=False, emoji=False)


def printable(text: str) -> str:
    """`text` with a `?` for each control character, which may move the cursor or colour, and undecoded byte.

    Names of files may hold anything; OpenCV's writing ends the program at such bytes.
    """
    return "".join(c if c.isprintable() else "?" for c in text)


def resolve_config(path: Path | None) -> Config:
    """The configuration for this command. Errors: see `edged.config.load.load`."""
    from edged.config import load_config  # the schema, which a command with --data-dir does without

    return load_config(path, environ=os.environ)


def pick_gate(config: Config, door: str | None) -> GateConfig:
    """The door named by `--door`; the only one needs no name. Raises BadParameter, which lists them."""
    named = [gate for gate in config.gates if door is None or gate.id == door]
    if len(named) == 1:
        return named[0]
    doors = ", ".join(gate.id for gate in config.gates)
    message = (
        f"there are several doors; name one of {doors}" if door is None else f"{door} is not one of {doors}"
    )
    raise typer.BadParameter(message, param_hint="--door")


def at_box(config: Path | None, data_dir: Path | None) -> tuple[Actor, Box]:
    """Who runs this command, and the box it is about; each function of admin takes both.

    No configuration is read before something needs it, see `Box`.
    """
    from edged.admin.actor import local_actor  # `--version` does without
    from edged.admin.box import Box
    from edged.clock import SystemClock

    named = None if data_dir is None else data_dir.absolute()
    return local_actor(), Box(SystemClock(), lambda: resolve_config(config), named)


def report(error: EdgedError) -> None:
    """Say on standard error what happened and what to do; configuration problems one per line."""
    if isinstance(error, Misconfigured):
        from edged.config import ConfigProblems

        if isinstance(error, ConfigProblems):
            for problem in error.problems:
                typer.echo(str(problem), err=True)
            return
    typer.echo(f"edged: {error.message}", err=True)
    if error.hint:
        typer.echo(f"       {error.hint}", err=True)
