"""Kill, stop and unplug a guarded gate at random moments, and look whether the door does what was declared.

Declared (docs/gate-guard.md): whatever happens to the daemon, the relay is off `LIMIT_S` later at the latest,
and not on again without a new grant; a self-powered board that was unplugged is off within `LIMIT_S` of being
plugged in again.

Run as a program this is the daemon's side: one door, a grant every now and then, until its input ends.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from guarding import running_guard

from edged.clock import SystemClock
from edged.gate.controller import LEASE_MARGIN_S
from edged.gate.service import BEAT_S
from edged.gate.sim import SimBoard, parse_url

HOLD_S = 3.0
LIMIT_S = max(HOLD_S, BEAT_S) + LEASE_MARGIN_S + 0.3
"""The end of what was planned, the margin of the lease, and the time of three writes and their delays."""

READY_S = 60.0
FAULTS = ("kill", "stop", "unplug")
_PATHS = [str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])]


@dataclass(frozen=True)
class Outcome:
    """One fault: what was done, whether the relay was on then, how long it still was, what was wrong."""

    fault: str
    was_on: bool
    off_after_s: float
    wrong: str = ""


class GateLab:
    """One board, one guard, and a daemon that is started again when it was killed.

    `slack_s` is added to `LIMIT_S`, for a busy machine.
    """

    def __init__(self, folder: Path, seed: int, slack_s: float = 0.0) -> None:
        self._random = random.Random(seed)
        self._limit_s = LIMIT_S + slack_s
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        url = f"sim:lcus?firmware=feedback&self_powered=1&baud=115200&link={folder / 'board'}"
        self.board = SimBoard(parse_url(url), SystemClock())
        self._socket = folder / "guard.sock"
        self._child: subprocess.Popen[str] | None = None

    @contextmanager
    def running(self) -> Iterator[GateLab]:
        """With the guard in a process of its own."""
        with running_guard(self.board.link, self._socket):
            try:
                yield self
            finally:
                self._end_child()
                self.board.close()

    def trial(self) -> Outcome:
        """Wait for a grant, let a random moment pass, do one fault, watch."""
        child = self._daemon()
        seen = len(self.board.edges)
        assert self.board.wait_for(lambda b: len(b.edges) > seen, READY_S), "no grant came through"
        time.sleep(self._random.uniform(0.0, 1.3 * HOLD_S))
        fault = self._random.choice(FAULTS)
        was_on, began_s = self.board.relays[0], time.monotonic()
        if fault == "unplug":
            return self._unplug(was_on)
        child.send_signal(signal.SIGKILL if fault == "kill" else signal.SIGSTOP)
        off = self.board.wait_for(lambda b: not b.relays[0], self._limit_s)
        off_after_s = time.monotonic() - began_s
        wrong = "" if off else f"still on after {self._limit_s:g} s"
        if off and self.board.wait_for(lambda b: b.relays[0], 0.3):
            wrong = "went on after the fault"
        if fault == "kill":
            self._end_child()
        else:
            child.send_signal(signal.SIGCONT)
        return Outcome(fault, was_on, off_after_s if was_on else 0.0, wrong)

    def _unplug(self, was_on: bool) -> Outcome:
        self.board.unplug()
        time.sleep(self._random.uniform(0.0, 1.5))
        self.board.plug()
        began_s = time.monotonic()
        off = self.board.wait_for(lambda b: not b.relays[0], self._limit_s)
        return Outcome(
            "unplug",
            was_on,
            time.monotonic() - began_s if was_on else 0.0,
            "" if off else "still on when plugged in",
        )

    def _daemon(self) -> subprocess.Popen[str]:
        if self._child is None:
            self._child = subprocess.Popen(
                [sys.executable, __file__, str(self._socket)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                text=True,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(_PATHS)},
            )
        return self._child

    def _end_child(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.communicate(timeout=READY_S)


def daemon(guard: str) -> None:
    """The daemon's side: grants whenever the door is free, until standard input ends."""
    from gate_bench import GateBench

    with GateBench() as bench:
        service = bench.service(
            "/dev/guarded",
            guard=guard,
            firmware="feedback",
            mode="hold",
            hold_s=HOLD_S,
            wait_until_ready=False,
        )
        number = 0
        while True:
            bench.wait_until(lambda: service.ready)
            number += 1
            bench.decide(f"d{number}")
            service.wait_idle(HOLD_S + 1.0)
            time.sleep(0.2)


if __name__ == "__main__":
    daemon(sys.argv[1])
