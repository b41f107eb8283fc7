"""A gate guard in a process of its own, for tests."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from processes import start_process

from edged.gate.board.relay_channel import FIRST_LEASE_S

BEYOND_A_LEASE_S = FIRST_LEASE_S + 0.7
"""The leases after the first are shorter, because the gate of the bench looks at its board often."""


@contextmanager
def running_guard(port: Path | str, path: Path) -> Iterator[subprocess.Popen]:
    """`edged gate-guard` on `port`, listening at `path` when the block begins; ended with SIGTERM."""
    process = start_process(
        [sys.executable, "-m", "edged.gate_guard", "--port", str(port), "--socket", str(path)],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        assert "guarding" in process.stderr.readline()
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=30)
