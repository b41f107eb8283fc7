"""SIGKILL at any moment: whatever was acknowledged is there afterwards, and nothing is half there."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from edged.clock import SystemClock
from edged.journal import Journal

WRITER = """
import sys
from pathlib import Path
from edged.clock import SystemClock
from edged.events import AccessDecided, DoorUnlocked, Outcome, TrackStarted
from edged.journal import Journal

clock = SystemClock()
journal = Journal.open(Path(sys.argv[1]), clock)
run = sys.argv[2]
for number in range(1_000_000):
    ids = {"at": clock.now(), "passage_id": f"p_{run}_{number}", "door_id": "door1"}
    journal.record(TrackStarted(**ids, track_id=number))
    decision_id = f"d_{run}_{number}"
    seq = journal.commit_decision(AccessDecided(
        **ids, decision_id=decision_id, outcome=Outcome.GRANTED, person_id="mara", person_name="Mara",
        score=91.0, reasons=("granted",)))
    print("decision", seq, decision_id, flush=True)
    seq = journal.record(DoorUnlocked(
        **ids, decision_id=decision_id, person_id="mara", mode="pulse", frame_to_relay_ms=None,
        decision_to_relay_ms=1.0, acknowledged=True))
    print("outcome", seq, decision_id, flush=True)
"""


def write_until_killed(path: Path, run: int, lines_before_kill: int, delay_spins: int) -> list[list[str]]:
    """What the killed writer had acknowledged: `[["decision", "3", "d_0_1"], …]`."""
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), str(run)], stdout=subprocess.PIPE, text=True
    )
    lines = [writer.stdout.readline() for _ in range(lines_before_kill)]
    for _ in range(delay_spins):  # somewhere between two acknowledgements, not right after one
        os.getpid()
    writer.send_signal(signal.SIGKILL)
    rest, _ = writer.communicate()
    return [line.split() for line in (*lines, *rest.splitlines(keepends=True)) if line.endswith("\n")]


@pytest.mark.parametrize(
    ("seed", "runs"), [(0, 2), *(pytest.param(seed, 5, marks=pytest.mark.slow) for seed in range(3))]
)
def test_every_acknowledged_decision_survives_being_killed(tmp_path, seed, runs):
    chance = random.Random(seed)
    path = tmp_path / "journal.sqlite3"
    acknowledged: dict[str, int] = {}
    finished: set[str] = set()

    for run in range(runs):
        for kind, seq, decision_id in write_until_killed(
            path, run, chance.randrange(0, 400), chance.randrange(0, 20_000)
        ):
            if kind == "decision":
                acknowledged[decision_id] = int(seq)
            else:
                finished.add(decision_id)

        journal = Journal.open(path, SystemClock())
        records = journal.list(limit=None, newest_first=False)
        decisions = {r.decision_id: r.seq for r in records if r.event == "access_decided"}
        unfinished = {r.decision_id for r in journal.close_unfinished()}

        assert acknowledged.items() <= decisions.items()
        assert [r.seq for r in records] == list(range(1, len(records) + 1))
        assert not finished & unfinished
        assert len(unfinished) <= 1
        assert journal.verify() == ()
        journal.close()

    assert acknowledged
