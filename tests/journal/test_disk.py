"""Damaged, truncated, read-only and full: the journal says what is wrong and destroys nothing."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import textwrap
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from places import PROJECT
from small_disks import fill

from edged.bus import EventBus
from edged.clock import ManualClock
from edged.database.file import CHECKPOINT_BYTES
from edged.errors import EdgedError, NeedsOperator
from edged.events import AccessDecided, GrantNotExecuted, Outcome, SubscriberFailed, TrackStarted
from edged.journal import Journal, JournalReader

AT = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
CLOCK = ManualClock(AT)
HERE = Path(__file__).parent
NOBODY = 65534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount or to become another user")


def decision(number: int, name: str = "Mara") -> AccessDecided:
    return AccessDecided(
        at=AT, passage_id=f"p_{number}", decision_id=f"d_{number}", outcome=Outcome.GRANTED, person_id="mara",
        person_name=name, score=90.0, reasons=("granted",),
    )  # fmt: skip


def journal_with(path: Path, decisions: int) -> None:
    journal = Journal.open(path, CLOCK)
    for number in range(decisions):
        journal.commit_decision(decision(number))
    journal.close()


# --- damage -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda content: b"this is no database at all" * 100, id="something_else"),
        pytest.param(lambda content: content[:4096] + b"\xa5" * (len(content) - 4096), id="overwritten"),
        pytest.param(lambda content: content[: len(content) // 2], id="cut_in_half"),
    ],
)
def test_a_damaged_file_is_named_and_left_as_it_is(tmp_path, damage):
    path = tmp_path / "journal.sqlite3"
    journal_with(path, 200)
    damaged = damage(path.read_bytes())
    path.write_bytes(damaged)

    with pytest.raises(NeedsOperator) as raised:
        Journal.open(path, CLOCK)

    assert raised.value.code == "database_corrupt"
    assert str(path) in raised.value.message
    assert "aside" in raised.value.hint
    assert "restore" in raised.value.hint
    assert path.read_bytes() == damaged


def test_reading_a_damaged_file_says_the_same(tmp_path):
    path = tmp_path / "journal.sqlite3"
    path.write_bytes(b"this is no database at all" * 100)

    with pytest.raises(NeedsOperator) as raised:
        JournalReader.open_readonly(path)

    assert raised.value.code == "database_corrupt"


@pytest.fixture(scope="module")
def killed(tmp_path_factory) -> Path:
    """A folder as a killed daemon leaves it: ten decisions, all of them still in the log."""
    folder = tmp_path_factory.mktemp("killed")
    journal = Journal.open(folder / "live.sqlite3", CLOCK)
    for number in range(10):
        journal.commit_decision(decision(number))
    for suffix in ("", "-wal"):
        shutil.copy(folder / f"live.sqlite3{suffix}", folder / f"journal.sqlite3{suffix}")
    journal.close()
    return folder


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(0, 1))
def test_a_truncated_log_gives_the_decisions_up_to_the_cut(killed, tmp_path_factory, part):
    path = tmp_path_factory.mktemp("cut") / "journal.sqlite3"
    log = (killed / "journal.sqlite3-wal").read_bytes()
    shutil.copy(killed / "journal.sqlite3", path)
    path.with_name("journal.sqlite3-wal").write_bytes(log[: int(len(log) * part)])

    journal = Journal.open(path, CLOCK)

    records = journal.list(limit=None, newest_first=False)
    assert [r.seq for r in records] == list(range(1, len(records) + 1))
    assert journal.verify() == ()
    assert journal.commit_decision(decision(99)) == len(records) + 1
    journal.close()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(0, 1, exclude_max=True), st.integers(1, 255))
def test_a_torn_write_in_the_log_gives_the_decisions_before_it(killed, tmp_path_factory, where, flip):
    path = tmp_path_factory.mktemp("torn") / "journal.sqlite3"
    log = bytearray((killed / "journal.sqlite3-wal").read_bytes())
    log[int(len(log) * where)] ^= flip
    shutil.copy(killed / "journal.sqlite3", path)
    path.with_name("journal.sqlite3-wal").write_bytes(bytes(log))

    journal = Journal.open(path, CLOCK)

    records = journal.list(limit=None, newest_first=False)
    assert [r.decision_id for r in records] == [f"d_{n}" for n in range(len(records))]
    journal.close()


# --- read-only ----------------------------------------------------------------------------------------------


def run_as_nobody(script: str, path: Path) -> str:
    """Standard output of `script` with `path`, run by a user without rights.

    The rights are given up after the imports: Python itself may lie where only root can read.
    """
    become = f"import os; os.setgid({NOBODY}); os.setuid({NOBODY})\n"
    return _run(IMPORTS + become + script, path)


def _run(script: str, *arguments: object) -> str:
    command = [sys.executable, "-c", script, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


IMPORTS = """
import sys
from pathlib import Path
from edged.clock import SystemClock
from edged.errors import EdgedError
from edged.database.migrate import migrations
from edged.journal import Journal, JournalReader
migrations("edged.journal")
"""
OPEN_AND_SAY = """
try:
    Journal.open(Path(sys.argv[1]), SystemClock())
except EdgedError as error:
    print(type(error).__name__, error.code)
"""
READ_AND_SAY = """
try:
    print(len(JournalReader.open_readonly(Path(sys.argv[1])).list()))
except EdgedError as error:
    print(type(error).__name__, error.code)
"""


@pytest.fixture
def public_path(tmp_path) -> Path:
    """A folder that everybody may read and nobody else may write; pytest's own are closed to others."""
    project = PROJECT
    if not all(folder.stat().st_mode & stat.S_IXOTH for folder in (project, *project.parents)):
        pytest.skip("another user cannot read this project")
    folder = Path("/var/tmp") / f"edged-journal-{os.getpid()}-{tmp_path.name}"
    folder.mkdir(mode=0o755)
    yield folder
    shutil.rmtree(folder)


@needs_root
def test_a_folder_that_may_not_be_written_is_named_to_the_operator(public_path):
    assert run_as_nobody(OPEN_AND_SAY, public_path / "journal.sqlite3") == "NeedsOperator data_dir_read_only"
    assert run_as_nobody(OPEN_AND_SAY, public_path / "x" / "j.sqlite3") == "NeedsOperator data_dir_read_only"


@needs_root
def test_a_file_that_may_not_be_written_is_named_to_the_operator(public_path):
    path = public_path / "journal.sqlite3"
    journal_with(path, 3)
    path.chmod(0o644)

    assert run_as_nobody(OPEN_AND_SAY, path) == "NeedsOperator data_dir_read_only"


@needs_root
def test_a_cleanly_closed_journal_can_be_read_where_nothing_may_be_written(public_path):
    path = public_path / "journal.sqlite3"
    journal_with(path, 3)
    path.chmod(0o644)

    assert run_as_nobody(READ_AND_SAY, path) == "3"


@needs_root
def test_a_journal_that_may_not_be_read_is_named_to_the_operator(public_path):
    path = public_path / "journal.sqlite3"
    journal_with(path, 3)

    assert run_as_nobody(READ_AND_SAY, path) == "NeedsOperator data_dir_read_only"


# --- full ---------------------------------------------------------------------------------------------------


@needs_root
def test_on_a_full_disk_a_decision_is_refused_whole_and_works_again_when_there_is_room(small_disk):
    journal = Journal.open(small_disk / "journal.sqlite3", CLOCK)
    journal.commit_decision(decision(0))
    fill(small_disk)
    refused = _commit_until_refused(journal)

    assert (type(refused), refused.code) == (NeedsOperator, "disk_full")
    kept = [r.decision_id for r in journal.list(limit=None, newest_first=False)]
    assert kept == [f"d_{n}" for n in range(len(kept))]

    (small_disk / "filler").unlink()
    journal.commit_decision(decision(len(kept)))
    assert journal.verify() == ()
    journal.close()


def _commit_until_refused(journal: Journal) -> EdgedError:
    for number in range(1, 1000):
        try:
            journal.commit_decision(decision(number, name="M" * 2000))
        except EdgedError as error:
            return error
    raise AssertionError("the disk never got full")


@needs_root
def test_on_a_full_disk_details_report_the_failure_and_wait(small_disk):
    journal = Journal.open(small_disk / "journal.sqlite3", CLOCK)
    fill(small_disk)
    _commit_until_refused(journal)
    journal.record(TrackStarted(at=AT, passage_id="p_late", camera_id="c" * 9000, track_id=1))

    with pytest.raises(NeedsOperator) as raised:
        journal.flush()
    assert raised.value.code == "disk_full"

    (small_disk / "filler").unlink()
    journal.flush()
    assert [r.event for r in journal.passage("p_late")] == ["track_started"]
    journal.close()


@needs_root
def test_on_a_full_disk_the_bus_hears_that_an_outcome_was_not_written(small_disk):
    bus, reports = EventBus(CLOCK), []
    journal = Journal.open(small_disk / "journal.sqlite3", CLOCK)
    bus.subscribe(SubscriberFailed, reports.append, name="reports")
    journal.attach(bus)
    fill(small_disk)
    _commit_until_refused(journal)

    bus.publish(GrantNotExecuted(at=AT, decision_id="d_1", code="door_busy", reason="r" * 9000))
    assert bus.drain(30)

    assert [(r.subscriber, r.failed_event) for r in reports] == [("journal", "grant_not_executed")]
    assert "the disk is full" in reports[0].error
    bus.close()
    (small_disk / "filler").unlink()
    journal.close()


@needs_root
def test_a_full_disk_at_the_start_is_named_to_the_operator(small_disk):
    fill(small_disk)

    with pytest.raises(NeedsOperator) as raised:
        Journal.open(small_disk / "journal.sqlite3", CLOCK)

    assert raised.value.code == "disk_full"
    assert "df -h" in raised.value.hint


def test_a_file_size_limit_refuses_the_decision_and_keeps_the_earlier_ones(tmp_path):
    script = textwrap.dedent(
        """
        import resource, sys
        sys.path[:0] = sys.argv[2:]
        from test_disk import CLOCK, _commit_until_refused
        from pathlib import Path
        from edged.journal import Journal
        journal = Journal.open(Path(sys.argv[1]), CLOCK)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
        error = _commit_until_refused(journal)
        print(type(error).__name__, error.code, journal.count())
        """
    )
    path = tmp_path / "journal.sqlite3"

    kind, code, count = _run(script, path, HERE, HERE.parent / "support").split()

    assert (kind, code) == ("NeedsOperator", "database_io_error")
    journal = Journal.open(path, CLOCK)
    assert journal.count() == int(count) > 0
    assert journal.verify() == ()
    journal.close()


def test_a_long_log_that_was_left_behind_is_shortened_by_the_next_life_however_short(tmp_path):
    path = tmp_path / "journal.sqlite3"
    journal_with(path, 1)
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("PRAGMA wal_autocheckpoint = 0")
        with writer:
            writer.execute("INSERT INTO facts VALUES ('long', zeroblob(?))", (2 * CHECKPOINT_BYTES,))
            writer.execute("DELETE FROM facts WHERE name = 'long'")
        left = tmp_path / "left"
        left.mkdir()
        for file in tmp_path.glob("journal.sqlite3*"):
            shutil.copy(file, left)
    log = left / "journal.sqlite3-wal"
    assert log.stat().st_size > CHECKPOINT_BYTES

    journal = Journal.open(left / "journal.sqlite3", CLOCK)
    journal.commit_decision(decision(99))

    assert log.stat().st_size < CHECKPOINT_BYTES
    journal.close()
