"""A command of edged in this process: what it prints, how it ends. Python anew would cost a second."""

from __future__ import annotations

import contextlib
import io
import os
import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest
import structlog

from edged.cli import main

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    returncode: int
    stdout: str
    stderr: str


def run_edged(*arguments: object, env: Mapping[str, str] | None = None) -> Ended:
    """`edged ARGUMENTS`, with no variable EDGED_… but those of `env`. Leaves the process as it was."""
    out, err = io.StringIO(), io.StringIO()
    with _as_before(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        for name in [name for name in os.environ if name.startswith("EDGED_")]:
            del os.environ[name]
        os.environ.update(env or {})
        with pytest.raises(SystemExit) as end:
            main([str(one) for one in arguments])
    return Ended(int(end.value.code or 0), out.getvalue(), err.getvalue())


@contextlib.contextmanager
def _as_before() -> Iterator[None]:
    """Environment, signal handlers and logging of the block do not outlive it."""
    environment, logging = dict(os.environ), structlog.get_config()
    handlers = [signal.getsignal(number) for number in SIGNALS]
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(environment)
        structlog.configure(**logging)
        for number, handler in zip(SIGNALS, handlers, strict=True):
            signal.signal(number, handler)
