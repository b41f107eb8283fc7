"""Measure the gate: from the decision to the wire and to the board's answer, and how exact pulses are.

Prints a table, and writes it as JSON with --json FILE. Bus, service, driver and guard are the
production code; the board is simulated at 9600 baud in a process of its own, which notes when bytes came
and when its relay moved. Loaded means that the vision thread analyses pictures with five faces meanwhile, as
fast as it can, in the process of the gate.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "support"))

import numpy as np
from bench import five_faces, machine, vision_thread
from guarding import running_guard
from rich.console import Console
from rich.table import Table

from edged.bus import EventBus
from edged.clock import SystemClock
from edged.config import GateConfig
from edged.events import AccessDecided, DoorLocked, DoorUnlocked, GrantNotExecuted, Outcome
from edged.gate.service import GateService
from edged.gate.sim import SimBoard, parse_url
from edged.vision.opencv import prepare_opencv

BAUD = 9600
BITS_PER_BYTE = 10
DEADLINE_S = 10.0
LONGEST_PAUSE_S = 0.06

BOARDS: dict[str, tuple[str, dict[str, Any]]] = {
    "lcus feedback": ("sim:lcus?firmware=feedback", {"firmware": "feedback", "pulse_s": 0.2}),
    "waveshare, pulse by the board": ("sim:modbus", {"protocol": "modbus", "pulse_s": 0.3}),
    "waveshare, pulse by edged": ("sim:modbus", {"protocol": "modbus", "pulse_s": 0.25}),
}
"""Waveshare boards end pulses of whole tenths of a second themselves."""


@dataclass(frozen=True)
class Case:
    """One line of the table."""

    board: str
    guard: bool
    loaded: bool

    @property
    def name(self) -> str:
        """`lcus feedback, guard, loaded`."""
        return ", ".join([self.board, *["guard"] * self.guard, "loaded" if self.loaded else "idle"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--json", metavar="FILE", type=Path, help="also write the figures here (- for stdout)"
    )
    parser.add_argument("--grants", type=int, default=200, help="per line of the table (200: 13 minutes)")
    options = parser.parse_args()
    prepare_opencv(1)
    results: dict[str, dict[str, float]] = {}
    others_before = os.getloadavg()[0]
    for loaded in (False, True):
        with vision_at_full_load() if loaded else nullcontext(lambda: 0.0) as frames_per_second:
            for guard in (False, True):
                for board in BOARDS:
                    case = Case(board, guard, loaded)
                    results[case.name] = measure(case, options.grants)
                    if loaded:
                        results[case.name]["vision_fps"] = round(frames_per_second(), 1)
                    print(case.name, results[case.name], file=sys.stderr, flush=True)
    report(results, Console(stderr=options.json == Path("-")))
    if options.json is not None:
        about = {"machine": machine(), "grants": options.grants, "load_average_before": others_before}
        text = json.dumps({**about, "cases": results}, indent=2)
        print(text) if options.json == Path("-") else options.json.write_text(text + "\n", "utf-8")


# -- the board


def be_the_board(url: str, pipe: Connection) -> None:
    """In a process of its own: a simulated board, until the other end asks what it saw."""
    with closing(SimBoard(parse_url(url), SystemClock())) as board:
        pipe.send("plugged in")
        pipe.recv()
        pipe.send((list(board.edges), [entry for entry in board.log if entry.direction == "rx"]))


@contextmanager
def board_process(url: str) -> Iterator[Connection]:
    """A simulated board that is plugged in. Its times and ours are of the same clock."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=be_the_board, args=(url, theirs))
    process.start()
    try:
        ours.recv()
        yield ours
    finally:
        process.terminate()
        process.join()


# -- the gate


def measure(case: Case, grants: int) -> dict[str, float]:
    """So many grants at one door; milliseconds."""
    url, settings = BOARDS[case.board]
    with tempfile.TemporaryDirectory(prefix="edged-bench-") as folder:
        link, socket = Path(folder) / "board", Path(folder) / "guard.sock"
        with board_process(f"{url}{'&' if '?' in url else '?'}link={link}&baud={BAUD}") as board:
            config = GateConfig(
                port=str(link), guard=socket if case.guard else None, min_interval_s=0.0, **settings
            )
            with running_guard(link, socket) if case.guard else nullcontext():
                asked_s, unlocked = grant(config, grants)
            board.send("what did you see?")
            edges, received = board.recv()
    on, off = (np.array([edge.at_s for edge in edges if edge.on is state]) for state in (True, False))
    if not len(on) == len(off) == grants:
        sys.exit(
            f"bench: {case.name}: {grants} grants made {len(on)} openings; the figures would mean nothing"
        )
    began_s = np.array([e.at_s - len(e.data) * BITS_PER_BYTE / BAUD for e in received])
    commands = np.searchsorted([entry.at_s for entry in received], on, side="right") - 1
    acknowledged = [e.decision_to_relay_ms + e.acknowledged_ms for e in unlocked if e.acknowledged]
    return {
        **summary("decision_to_first_byte_ms", (began_s[commands] - asked_s) * 1e3),
        **summary("decision_to_acknowledged_ms", np.array(acknowledged)),
        **summary("pulse_error_ms", (off - on - config.pulse_s) * 1e3),
        "pulse_error_ms_min": round(float((off - on - config.pulse_s).min() * 1e3), 2),
        "acknowledged": len(acknowledged),
    }


def summary(name: str, values: np.ndarray) -> dict[str, float]:
    figures = {"p50": np.percentile(values, 50), "p95": np.percentile(values, 95), "max": values.max()}
    return {f"{name}_{key}": round(float(value), 2) for key, value in figures.items()}


def grant(config: GateConfig, grants: int) -> tuple[np.ndarray, list[DoorUnlocked]]:
    """Grant one after the other, each a random moment after the door is locked again.

    Returns:
        When each was published (monotonic), and what the gate said about it.
    """
    clock, pauses = SystemClock(), random.Random(1)
    bus = EventBus(clock)
    unlocked: list[DoorUnlocked] = []
    locked = threading.Semaphore(0)
    bus.subscribe(DoorUnlocked, unlocked.append, name="bench-unlocked", capacity=64)
    bus.subscribe(
        (DoorLocked, GrantNotExecuted), lambda event: locked.release(), name="bench-locked", capacity=64
    )
    service = GateService(config, bus, clock, on_beat=lambda: None)
    service.start()
    asked_s = []
    try:
        until_s = time.monotonic() + DEADLINE_S
        while not service.ready and time.monotonic() < until_s:
            time.sleep(0.05)
        service.wait_idle(DEADLINE_S)
        while locked.acquire(timeout=0.1):
            pass  # the relay was switched off when the board was found
        for number in range(grants):
            asked_s.append(clock.monotonic())
            bus.publish(decision(number, clock))
            if not locked.acquire(timeout=DEADLINE_S):
                sys.exit("bench: the door did not lock again; the figures would mean nothing")
            time.sleep(pauses.uniform(0.0, LONGEST_PAUSE_S))
    finally:
        service.stop()
        bus.close()
    return np.array(asked_s), unlocked


def decision(number: int, clock: SystemClock) -> AccessDecided:
    now_s = clock.monotonic()
    return AccessDecided(
        at=clock.now(),
        door_id="door1",
        camera_id="cam1",
        passage_id=f"p{number}",
        decision_id=f"d{number}",
        outcome=Outcome.GRANTED,
        person_id="mia",
        person_name=None,
        score=95.0,
        reasons=("granted",),
        captured_s=now_s,
        expires_s=now_s + 2.0,
    )


# -- the load


@contextmanager
def vision_at_full_load() -> Iterator[Any]:
    """The vision thread's work in a thread of this process; yields a function: pictures per second so far."""
    ending, done, began_s = threading.Event(), [0], time.monotonic()
    analyse = vision_thread(five_faces())

    def work() -> None:
        while not ending.is_set():
            analyse()
            done[0] += 1

    thread = threading.Thread(target=work, name="vision")
    thread.start()
    try:
        yield lambda: done[0] / (time.monotonic() - began_s)
    finally:
        ending.set()
        thread.join()


def report(results: dict[str, dict[str, float]], console: Console) -> None:
    table = Table(title=machine(), title_justify="left")
    for heading in ("board", "to the first byte, ms", "to acknowledged, ms", "pulse too long by, ms"):
        table.add_column(heading)
    for name, figures in results.items():
        columns = []
        for figure in ("decision_to_first_byte_ms", "decision_to_acknowledged_ms"):
            columns.append(" / ".join(f"{figures[f'{figure}_{part}']:.1f}" for part in ("p50", "p95", "max")))
        error = (f"{figures[f'pulse_error_ms_{part}']:.1f}" for part in ("min", "p50", "p95", "max"))
        table.add_row(name, *columns, " / ".join(error))
    console.print(table, "p50 / p95 / max; of the pulse least / p50 / p95 / max")


if __name__ == "__main__":
    main()
