"""A command of edged: in this process, as Python anew costs a second; or, for a few, in one of its own."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pytest
import structlog
from places import PROJECT

from edged.cli import main

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
PROCESS_S = 300.0
"""Longest time that a command in a process of its own may take."""


class Ended(NamedTuple):
    """A command that has ended."""

    returncode: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """Standard output as one JSON value."""
        return json.loads(self.stdout)


def run_edged(*arguments: object, answers: str = "", env: Mapping[str, str] | None = None) -> Ended:
    """`edged ARGUMENTS` here, with `answers` as standard input. Leaves the process as it was.

    It sees no variable EDGED_… but those of `env`, and a terminal of 200 columns unless `env` says otherwise.
    """
    out, err = io.StringIO(), io.StringIO()
    with _as_before(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        sys.stdin = io.StringIO(answers)
        wanted = surroundings(env)
        os.environ.clear()
        os.environ.update(wanted)
        with pytest.raises(SystemExit) as end:
            main([str(one) for one in arguments])
    return Ended(int(end.value.code or 0), out.getvalue(), err.getvalue())


def run_process(*arguments: object, answers: str = "", env: Mapping[str, str] | None = None) -> Ended:
    """`python -m edged ARGUMENTS` in a process of its own; arguments as for `run_edged`."""
    done = subprocess.run(
        [sys.executable, "-m", "edged", *map(str, arguments)],
        cwd=PROJECT,
        env=surroundings(env),
        input=answers,
        capture_output=True,
        text=True,
        timeout=PROCESS_S,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def surroundings(env: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a command: that of the tests, without EDGED_…, 200 columns wide, and `env`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("EDGED_")}
    return {**kept, "COLUMNS": "200", **(env or {})}


@contextlib.contextmanager
def _as_before() -> Iterator[None]:
    """Environment, standard input, signal handlers and logging of the block do not outlive it."""
    environment, stdin, config = dict(os.environ), sys.stdin, structlog.get_config()
    root = logging.getLogger()
    before = list(root.handlers), root.level
    handlers = [signal.getsignal(number) for number in SIGNALS]
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(environment)
        sys.stdin = stdin
        structlog.configure(**config)
        root.handlers[:], root.level = before
        for number, handler in zip(SIGNALS, handlers, strict=True):
            signal.signal(number, handler)
