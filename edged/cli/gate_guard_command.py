"""`edged gate-guard`: becomes the process that owns a relay board's port; edged itself is not loaded."""

from __future__ import annotations

import os
import sys

import typer

app = typer.Typer()


@app.command(
    "gate-guard",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    add_help_option=False,
)
def gate_guard(context: typer.Context) -> None:
    """Own a relay board's port, so that no door stays open when the daemon cannot act. --help for options."""
    os.execv(sys.executable, [sys.executable, "-m", "edged.gate_guard", *context.args])
