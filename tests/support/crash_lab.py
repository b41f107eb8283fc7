"""The crash laboratory: kills, starves and feeds rubbish to a box at seeded moments, then checks it.

The box is a real process with real databases (crash_lab_box.py); what must be true is in crash_lab_checks.py.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import crash_lab_checks
from crash_lab_checks import Told
from crash_lab_power import cut_power
from crash_lab_receiver import RoughReceiver

_PATHS = (str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[2]))
DEADLINE_S = 60.0
MOMENTS = {"starting": 0.2, "working": 0.6, "quiet": 0.1, "stopping": 0.1}
"""What the box is doing when it is struck, and how often."""
_WITHIN_S = {
    "starting": (0.0, 0.04),
    "working": (0.0, 0.02),
    "quiet": (0.0, 2.0),  # in it, what waited for half a second is written, and found by the delivery
    "stopping": (0.0, 0.03),
}


@dataclass(frozen=True)
class Point:
    """One fault and what it left behind.

    Attributes:
        moment: what the box was doing.
        start_s: time the box took to start, None where it did not come so far.
        wrong: broken promises, empty when all were kept.
    """

    fault: str
    moment: str
    acknowledged: int
    start_s: float | None
    wrong: list[str] = field(default_factory=list)


class Life:
    """One run of a box, from its start to its end."""

    def __init__(self, process: int, pipe: Path, told: Told) -> None:
        self.process = process
        self.told = told
        self.said: list[list[Any]] = []
        self.commits_ms: list[float] = []
        self.start_s: float | None = None
        self._began_s = time.monotonic()
        self._changed = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._listen, args=(pipe,), daemon=True)
        self._thread.start()

    def wait_for(self, what: str, times: int = 1) -> bool:
        """Wait until it has said something so often. False: it ended before."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._ended or self.count(what) >= times, DEADLINE_S):
                raise AssertionError(f"no {what} within {DEADLINE_S:g} s; it said {self.said[-5:]}")
            return self.count(what) >= times

    @property
    def acknowledged(self) -> int:
        """Decisions that were committed."""
        return len(self.commits_ms)

    def count(self, what: str) -> int:
        """How often it has said that."""
        return sum(said[0] == what for said in list(self.said))

    def send(self, number: int) -> None:
        """A signal."""
        os.kill(self.process, number)

    def join(self) -> None:
        """Wait until nothing more can come."""
        self._thread.join(DEADLINE_S)

    def _listen(self, pipe: Path) -> None:
        with pipe.open() as lines:
            for line in lines:
                if not line.endswith("\n"):
                    break
                with self._changed:
                    self._note(json.loads(line))
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _note(self, said: list[Any]) -> None:
        self.said.append(said)
        what, *about = said
        if what == "acknowledged":
            self.told.acknowledged[about[0]] = about[1]
            self.commits_ms.append(about[2])
        elif what == "acted":
            self.told.acted.add(about[0])
        elif what == "unwritten":
            self.told.unwritten.add(about[0])
        elif what == "library":
            self.told.library = max(self.told.library, about[0])
        elif what == "ready":
            self.start_s = time.monotonic() - self._began_s


class CrashLab:
    """One box, its receivers, and the faults it is put through.

    Args:
        folder: for everything but the databases.
        seed: of all that is random; the moments are the same for the same seed, what the box has just done at
            them is not, because it is a real process.
        data_dir: of the box; in `folder` when left out.
        trouble: share of requests to the receivers that go wrong.
        preload: shared library for the box, see crash_lab_power.py.
    """

    def __init__(
        self,
        folder: Path,
        seed: int,
        *,
        data_dir: Path | None = None,
        trouble: float = 0.05,
        preload: Path | None = None,
    ) -> None:
        self.folder = folder
        self.data_dir = data_dir or folder / "data"
        self.random = random.Random(seed)
        self.told = Told()
        self.syncs = folder / "syncs"
        self._preload = preload
        self.lost_bytes = 0
        self._living: Life | None = None
        self._lives = 0
        self.receivers = {
            name: RoughReceiver(self.random.randrange(2**32), trouble) for name in ("office", "archive")
        }

    @contextmanager
    def running(self) -> Iterator[CrashLab]:
        """With the process that forks boxes, and the receivers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join(_PATHS), "OPENBLAS_NUM_THREADS": "1"}
        if self._preload is not None:
            environ["LD_PRELOAD"] = str(self._preload)
        with (self.folder / "errors.txt").open("w") as errors:
            self._nursery = subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("crash_lab_box.py"))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=environ,
            )
        try:
            yield self
        finally:
            if self._living is not None:
                self._living.send(signal.SIGKILL)  # not reaped yet, so the id is its own
            self._nursery.kill()
            self._nursery.communicate()
            for receiver in self.receivers.values():
                receiver.stop()

    # -- lives

    def start(
        self,
        *,
        passages: int | None = None,
        pause_s: float = 0.0,
        drain_s: float = 0.0,
        linger: bool = False,
        step_s: float = 0.0,
    ) -> Life:
        """A box that lets people pass: so many, or until it is stopped.

        Args:
            pause_s: between two passages.
            drain_s: before it ends, it waits until everything is delivered, at most so long.
            linger: before it ends, it waits to be told to.
            step_s: the wall clock is set by this in the middle of its life; 0: it is not.
        """
        self._lives += 1
        pipe = self.folder / f"pipe{self._lives}"
        os.mkfifo(pipe)
        options = {
            "data_dir": str(self.data_dir),
            "pipe": str(pipe),
            "seed": self.random.randrange(2**32),
            "passages": passages,
            "pause_s": pause_s,
            "drain_s": drain_s,
            "linger": linger,
            "steps": [[self.random.randrange(1, 8), step_s]] if step_s else [],
            "ahead_s": self.random.choice((0.0, 0.0, 0.0, 3600.0, -3600.0)),
            "targets": [
                {"name": "office", "events": ["decisions", "punches"], "batch": 1},
                {"name": "archive", "events": ["all"], "batch": 50},
            ],
            "syncs": str(self.syncs) if self._preload is not None else "",
        }
        for target in options["targets"]:
            url = self.receivers[target["name"]].url
            target.update(kind="http", url=url, retry_s=0.05, retry_max_s=0.1, timeout_s=5.0)
        self._nursery.stdin.write(json.dumps(options) + "\n")
        self._nursery.stdin.flush()
        self._living = Life(int(self._nursery.stdout.readline()), pipe, self.told)
        return self._living

    def end(self, life: Life) -> int:
        """Wait for its end; its exit code, negative for a signal."""
        self._nursery.stdin.write("\n")
        self._nursery.stdin.flush()
        code = os.waitstatus_to_exitcode(int(self._nursery.stdout.readline()))
        self._living = None
        life.join()
        return code

    # -- faults

    def kill(self) -> Point:
        """SIGKILL at a random moment of a life."""
        moment, life, wrong = self._strike()
        return Point("kill", moment, life.acknowledged, life.start_s, wrong + self.problems())

    def power_cut(self) -> Point:
        """The same, and what was not flushed to the disk is lost. Needs `preload`."""
        moment, life, wrong = self._strike()
        self.lost_bytes += cut_power(self.data_dir, self.syncs, self.random)
        return Point("power cut", moment, life.acknowledged, life.start_s, wrong + self.problems())

    def clock_step(self, by_s: float) -> Point:
        """The wall clock is set while people pass; then SIGKILL."""
        life = self.start(step_s=by_s)
        passed = life.wait_for("acknowledged", 8 + self.random.randrange(8))
        wrong = [] if passed else [f"The box ended by itself after {life.said[-3:]}."]
        life.send(signal.SIGKILL)
        self.end(life)
        fault = f"clock {by_s / 3600:+g} h"
        return Point(fault, "working", life.acknowledged, life.start_s, wrong + self.problems())

    def settle(self, drain_s: float = DEADLINE_S) -> Point:
        """A life in which nothing goes wrong any more: at its end nothing may be missing anywhere."""
        for receiver in self.receivers.values():
            receiver.trouble = 0.0
        life = self.start(passages=0, drain_s=drain_s)
        code = self.end(life)
        wrong = self.problems(settled=True)
        if code:
            wrong.append(f"The box ended with {code}; see {self.folder / 'errors.txt'}.")
        return Point("none", "settling", life.acknowledged, life.start_s, wrong)

    def problems(self, *, settled: bool = False) -> list[str]:
        """What is wrong with what was left behind."""
        return crash_lab_checks.problems(self.data_dir, self.told, self.receivers, settled=settled)

    def _strike(self) -> tuple[str, Life, list[str]]:
        moment = self.random.choices(list(MOMENTS), list(MOMENTS.values()))[0]
        passages = self.random.randrange(1, 25)
        life = self.start(passages=passages if moment == "quiet" else None, linger=True)
        wrong = []
        if moment != "starting" and not life.wait_for("acknowledged", passages):
            wrong.append(f"The box ended by itself after {life.said[-3:]}.")
        if moment == "stopping":
            life.send(signal.SIGTERM)
        time.sleep(self.random.uniform(*_WITHIN_S[moment]))  # the random moment
        life.send(signal.SIGKILL)
        self.end(life)
        return moment, life, wrong
