"""The `edged` command: which commands there are. What each does is in its own module of this package."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Annotated

import typer
from typer.main import get_command

from edged import __version__
from edged.cli.lazy import Command, lazy_group

_EXIT_CODES = (
    "Exit codes: 0 fine, 1 failure, 2 wrong usage, 65 unusable picture or input, 66 not found, "
    "69 needs the operator, 75 try later, 78 wrong setting or value."
)

# Order of `edged --help`: what is needed first comes first.
_HELP = {
    "demo": "Play a scene with faces, a gate and its records; needs no hardware.",
    "check": "Check a configuration file and show what it means.",
    "run": "Watch the camera and move the gate, until stopped.",
    "people": "Add, list, change, import, export and erase people.",
    "library": "Compare and repair the people in the face cloud.",
    "records": "List, export and verify what was recorded.",
    "why": "Explain one passage: why did the gate open, or not?",
    "attendance": "Working time: days, months, corrections, export.",
    "delivery": "How records reach other systems; pause, resume, retry.",
    "backup": "Copy people, records and pictures into a folder.",
    "restore": "Put a backup back.",
    "verify": "Check that records, pictures and backups are whole and unchanged.",
    "forget": "Erase a person everywhere, backups included, and prove it.",
    "inspect": "Measure the faces in pictures and videos against the limits.",
    "aim": "Show live what the camera sees, and what to change about its place.",
    "gate": "List relay boards; look at, pulse and test the configured one.",
    "door": "See, open, lock and free the doors of the running daemon.",
    "serve": "Answer the face cloud's calls on this machine: a recognition server.",
    "gate-guard": "Own a relay board's port, apart from the daemon.",
}
COMMANDS = {
    name: Command(f"edged.cli.{name.replace('-', '_')}_command", text) for name, text in _HELP.items()
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of the `edged` script; `arguments` instead of the process's own, in tests."""
    _open_standard_streams()
    # one search fits one core, and threads that wait for each other cost more than they gain (read by numpy
    # when it is imported, which no command has done yet)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    build_app()(args=arguments, prog_name="edged")


def build_app() -> Callable[..., object]:
    """The complete command line; the modules of its commands are not imported yet."""
    app = typer.Typer(
        cls=lazy_group(COMMANDS), no_args_is_help=True, pretty_exceptions_enable=False, epilog=_EXIT_CODES
    )
    app.callback()(_root)
    return get_command(app)


def _open_standard_streams() -> None:
    """Open closed descriptors 0, 1 and 2 on /dev/null: the next files and ports would get them."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number, which is this one
    sys.stdout = sys.stdout or os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", encoding="utf-8", closefd=False)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"edged {__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """A face terminal for doors, turnstiles and attendance desks."""
