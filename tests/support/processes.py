"""Starting processes that get signals in a test, whatever signals the starter of pytest ignores."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Sequence
from typing import Any

INHERITED = (signal.SIGINT, signal.SIGHUP, signal.SIGTERM)


def start_process(command: Sequence[str], **options: Any) -> subprocess.Popen[Any]:
    """`subprocess.Popen(command, **options)`, with the default reaction to SIGINT, SIGHUP and SIGTERM.

    A shell starts what it puts into the background with SIGINT ignored, `nohup` with SIGHUP, and children
    inherit that. Call it from the main thread.
    """
    before = [signal.signal(number, signal.SIG_DFL) for number in INHERITED]
    try:
        return subprocess.Popen(command, **options)
    finally:
        for number, handler in zip(INHERITED, before, strict=True):
            signal.signal(number, handler)
