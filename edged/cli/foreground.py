"""How a daemon in the foreground ends: the signals that stop it, and its exit code. For `run` and `demo`."""

from __future__ import annotations

import signal
from contextlib import suppress
from types import FrameType

from edged.app.daemon import Daemon


def catch_signals(daemon: Daemon) -> None:
    """SIGTERM, SIGINT and SIGHUP ask the daemon to stop; a second one does not interrupt the stopping.

    A terminal that is closed sends SIGHUP, and the relay must not stay on behind it; under nohup it is
    ignored.
    """

    def on_signal(number: int, frame: FrameType | None) -> None:
        daemon.ask_to_stop(signal.Signals(number).name)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if number == signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
            continue
        with suppress(ValueError):  # not in the main thread: the caller there stops us another way
            signal.signal(number, on_signal)


def exit_code(daemon: Daemon, in_time: bool) -> int:
    """0 after an orderly end; 65 when the source broke off; 1 when a part had to be left behind."""
    if daemon.ended is not None and not daemon.ended.complete:
        return 65
    return 0 if in_time else 1
