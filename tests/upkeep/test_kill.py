"""SIGKILL while a backup is made or a person is erased: the next attempt finishes, nothing is half there."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from upkeep_box import Box, noise

from edged.clock import ManualClock, SystemClock
from edged.upkeep.backup import check_backup, list_backups, make_backup
from edged.upkeep.erasure.forget import forget
from edged.upkeep.verify import Level, verify

WHO, NAME = "planted_person_id", "Planted Person Name"

CHILD = """
import sys
from pathlib import Path
from edged.clock import SystemClock
from edged.upkeep.backup import make_backup
from edged.upkeep.erasure.forget import forget
data_dir, what = Path(sys.argv[1]), sys.argv[2]
print("begins", flush=True)
if what == "forget":
    forget(data_dir, "planted_person_id", SystemClock(), backup_dirs=[data_dir / "backups"])
else:
    make_backup(data_dir, data_dir / "backups", SystemClock())
"""


def killed(data_dir: Path, what: str, after_s: float) -> int:
    """Exit code of a child that was killed so long after it had begun; 0 when it was quicker."""
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(data_dir), what], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout.readline() == "begins\n"
    ended = threading.Event()
    timer = threading.Timer(after_s, lambda: (child.send_signal(signal.SIGKILL), ended.set()))
    timer.start()
    code = child.wait(60)
    timer.cancel()
    child.stdout.close()
    return code


def found_anywhere(data_dir: Path) -> bool:
    pieces = (WHO.encode(), NAME.encode(), noise(1)[5000:5060], noise(10_001)[5000:5060])
    return any(
        piece in file.read_bytes() for file in data_dir.rglob("*") if file.is_file() for piece in pieces
    )


def problems(box: Box) -> list[str]:
    found = verify(box.data_dir, box.clock, backup_dirs=[box.data_dir / "backups"])
    return [finding.message for finding in found if finding.level is Level.PROBLEM]


@pytest.fixture
def box(tmp_path):
    made = Box(tmp_path / "data", SystemClock())
    made.enrol(WHO, NAME, 1)
    made.enrol("ida_moen", "Ida Moen", 2)
    made.pass_through(WHO, NAME, 20)
    made.pass_through("ida_moen", "Ida Moen", 5)
    return made


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 5))])
def test_an_erasure_that_was_killed_is_finished_by_the_next(box, seed):
    chance = random.Random(seed)
    make_backup(box.data_dir, box.data_dir / "backups", box.clock)
    for _ in range(2):
        if killed(box.data_dir, "forget", chance.uniform(0.0, 0.25)) == 0:
            break
    if found_anywhere(box.data_dir):
        done = forget(box.data_dir, WHO, box.clock, backup_dirs=[box.data_dir / "backups"])
        assert done.left == []

    assert not found_anywhere(box.data_dir)
    left = [problem for problem in problems(box) if "interrupted" not in problem]
    assert left == []
    journal = box.open_journal()
    names = {record.person_id for record in journal.list(event="access_decided", limit=None)}
    assert len(names) == 2, "one pseudonym, however often it was begun"
    journal.close()


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 3))])
def test_a_backup_that_was_killed_is_no_backup_and_harms_none(box, seed):
    chance = random.Random(seed)
    kept = make_backup(box.data_dir, box.data_dir / "backups", ManualClock())

    killed(box.data_dir, "backup", chance.uniform(0.0, 0.1))

    backups = list_backups(box.data_dir / "backups")
    for backup in backups:
        check_backup(backup)
    assert kept in backups
    assert problems(box) == []
