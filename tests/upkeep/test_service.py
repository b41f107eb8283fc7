"""What a running daemon does for its records by itself: repair at the start, age, daily backups."""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime

import pytest
from upkeep_box import Box, passage

from edged.bus import EventBus
from edged.clock import ManualClock
from edged.config import Config
from edged.config.journal_section import JournalConfig
from edged.errors import NeedsOperator
from edged.events import (
    BackupFailed,
    BackupMade,
    ClockStepped,
    ComponentFailed,
    Event,
    JournalRestored,
)
from edged.journal import journal_path
from edged.upkeep.backup import list_backups, make_backup
from edged.upkeep.backup_places import backup_folder
from edged.upkeep.files import BACKUPS
from edged.upkeep.service import Upkeep

AT = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)


class Running:
    """The care of one daemon, and what was heard on its bus."""

    def __init__(self, data_dir, clock: ManualClock, **journal) -> None:
        self.config = Config(data_dir=data_dir, journal=JournalConfig(**journal))
        self.clock = clock
        self.bus = EventBus(clock)
        self.heard: list[Event] = []
        self.bus.subscribe(Event, self.heard.append, name="test")
        self.upkeep = Upkeep(self.config, self.bus, clock)

    def start(self) -> None:
        self.journal = self.upkeep.open_journal()
        self.journal.attach(self.bus)
        self.upkeep.attach()

    def of(self, kind: type[Event]) -> list[Event]:
        assert self.bus.drain(20)
        return [event for event in self.heard if isinstance(event, kind)]

    def stop(self) -> None:
        self.upkeep.stop()
        self.bus.close()
        self.journal.close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(AT)


@pytest.fixture
def box(tmp_path, clock) -> Box:
    made = Box(tmp_path / "data", clock)
    made.enrol("mara", "Mara Lind", 1)
    made.pass_through("mara", "Mara Lind", 2)
    return made


@pytest.fixture
def running(box, clock):
    made = Running(box.data_dir, clock)
    made.start()
    yield made
    made.stop()


def damage(path) -> None:
    path.write_bytes(path.read_bytes()[:4096] + os.urandom(path.stat().st_size - 4096))


# --- repair -------------------------------------------------------------------------------------------------


def test_a_damaged_journal_is_put_back_at_the_start_and_everybody_hears_it(box, clock):
    make_backup(box.data_dir, box.data_dir / BACKUPS, clock)
    damage(box.data_dir / "journal.sqlite3")
    running = Running(box.data_dir, clock)

    running.start()

    (failed,) = running.of(ComponentFailed)
    assert (failed.component, "was put back from the backup" in failed.error) == ("journal.sqlite3", True)
    assert len(running.journal.list(event="access_decided")) == 2
    assert len(running.journal.list(event="journal_restored")) == 1
    assert running.journal.verify() == ()
    running.stop()


def test_a_damaged_journal_without_a_backup_stops_the_start_and_is_left_alone(box, clock):
    damage(box.data_dir / "journal.sqlite3")
    before = (box.data_dir / "journal.sqlite3").read_bytes()

    with pytest.raises(NeedsOperator) as raised:
        Running(box.data_dir, clock).upkeep.open_journal()

    assert raised.value.code == "database_corrupt"
    assert (box.data_dir / "journal.sqlite3").read_bytes() == before


def test_another_damaged_database_is_put_back_and_written_into_the_journal(box, clock):
    make_backup(box.data_dir, box.data_dir / BACKUPS, clock)
    damage(box.data_dir / "attendance.db")
    running = Running(box.data_dir, clock)
    attempts = []

    def open_it() -> str:
        attempts.append(1)
        if len(attempts) == 1:
            raise NeedsOperator("damaged", code="database_corrupt")
        return "opened"

    assert running.upkeep.opened("attendance.db", open_it) == "opened"
    running.start()

    assert [event.file for event in running.of(JournalRestored)] == ["attendance.db"]
    running.journal.flush()
    assert len(running.journal.list(event="journal_restored")) == 1
    running.stop()


def test_a_journal_too_large_to_be_looked_at_first_is_looked_at_beside_the_work(box, clock, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("edged.database.file.QUICK_CHECK_BYTES", 0)
        running = Running(box.data_dir, clock)
        running.start()
    jobs = running.upkeep.jobs()
    assert [job["id"] for job in jobs] == ["check", "retention", "backup"]
    assert {job["misfire_grace_time"] for job in jobs} == {None}  # a start that takes long loses none
    running.upkeep.check_journal()
    assert running.of(ComponentFailed) == []
    running.stop()

    content = bytearray(running.journal.database.path.read_bytes())
    content[3 * 4096 : 4 * 4096] = b"\xff" * 4096
    running.journal.database.path.write_bytes(content)
    bus = EventBus(clock)
    heard: list[Event] = []
    bus.subscribe(ComponentFailed, heard.append, name="test")
    upkeep = Upkeep(running.config, bus, clock)
    upkeep.check_journal()

    assert bus.close()
    assert "The file is damaged" in heard[0].error
    assert list(upkeep.problems) == ["journal"]


def test_other_errors_are_not_answered_with_a_backup(box, clock):
    make_backup(box.data_dir, box.data_dir / BACKUPS, clock)

    def full() -> None:
        raise NeedsOperator("full", code="disk_full")

    with pytest.raises(NeedsOperator) as raised:
        Running(box.data_dir, clock).upkeep.opened("attendance.db", full)
    assert raised.value.code == "disk_full"


# --- backups ------------------------------------------------------------------------------------------------


def test_a_backup_is_made_once_a_day_and_the_oldest_are_removed(running, clock):
    folder = backup_folder(running.config)
    for _ in range(24 * 5):
        running.upkeep.back_up_if_due()
        clock.advance(3600)

    made = running.of(BackupMade)
    assert len(made) == 5
    assert [str(backup.path) for backup in list_backups(folder)] == [e.path for e in reversed(made[-3:])]


def test_the_backup_of_yesterday_is_known_after_a_restart(box, clock):
    for expected in (1, 0):
        running = Running(box.data_dir, clock)
        running.start()
        running.upkeep.back_up_if_due()
        assert len(running.of(BackupMade)) == expected
        running.stop()


def test_no_backup_is_made_where_none_is_wanted(box, clock):
    running = Running(box.data_dir, clock, keep_backups=0)
    running.start()

    running.upkeep.back_up_if_due()

    assert list_backups(backup_folder(running.config)) == []
    running.stop()


def test_a_backup_that_fails_is_reported_and_the_last_good_one_kept(box, clock):
    running = Running(box.data_dir, clock)
    running.start()
    running.upkeep.back_up_if_due()
    (kept,) = list_backups(backup_folder(running.config))
    clock.advance(90_000)
    damage(box.data_dir / "library.db")

    running.upkeep.back_up_if_due()

    (failed,) = running.of(BackupFailed)
    assert failed.code == "database_corrupt"
    assert running.upkeep.problems == {"backup": failed.reason}
    assert list_backups(backup_folder(running.config)) == [kept]
    running.stop()


def test_backups_go_where_the_configuration_says(box, clock, tmp_path):
    running = Running(box.data_dir, clock, backup_dir=tmp_path / "elsewhere")
    running.start()

    running.upkeep.back_up_if_due()

    assert len(list_backups(tmp_path / "elsewhere")) == 1
    running.stop()


def test_a_backup_under_way_is_broken_off_when_the_daemon_stops(running):
    running.upkeep.stop()

    running.upkeep.back_up_if_due()

    assert running.of(BackupMade) == running.of(BackupFailed) == []


# --- clock and age ------------------------------------------------------------------------------------------


def test_the_jobs_are_age_and_backup(running):
    assert [job["id"] for job in running.upkeep.jobs()] == ["retention", "backup"]


@pytest.mark.parametrize("by_s", [3600.0, -3600.0])
def test_an_hour_forward_or_back_is_heard_and_written(running, clock, by_s):
    heard = threading.Event()
    running.bus.subscribe(ClockStepped, lambda event: heard.set(), name="heard")
    assert clock.someone_waits()

    clock.step_wall(by_s)
    clock.advance(10)

    assert heard.wait(30)
    assert [event.by_s for event in running.of(ClockStepped)] == [by_s]
    assert [r.payload["by_s"] for r in running.journal.list(event="clock_stepped")] == [by_s]


def test_old_records_are_removed_as_configured(box, clock):
    running = Running(box.data_dir, clock, keep_days=30, keep_details_days=10, keep_snapshot_days=5)
    running.start()
    for days, event, left in ((6, "track_started", 2), (5, "track_started", 0), (20, "access_decided", 0)):
        clock.advance(days * 86_400)
        running.upkeep.remove_old()
        assert len(running.journal.list(event=event)) == left
    assert list(box.data_dir.glob("snapshots/*/*")) == []
    assert running.journal.verify() == ()
    running.stop()


def test_a_removal_that_fails_is_reported_and_stays_a_problem_until_one_succeeds(box, clock):
    running = Running(box.data_dir, clock, keep_days=30)
    running.start()
    running.journal.database.query("PRAGMA busy_timeout = 1")
    clock.advance(100 * 86_400)
    with closing(sqlite3.connect(journal_path(box.data_dir))) as another:
        another.execute("BEGIN IMMEDIATE")
        running.upkeep.remove_old()
        assert list(running.upkeep.problems) == ["retention"]
    running.upkeep.remove_old()
    assert running.upkeep.problems == {}
    assert [event.component for event in running.of(ComponentFailed)] == ["retention"]
    running.stop()


def test_with_targets_nothing_is_removed_before_delivery_says_what_it_has(box, clock):
    running = Running(box.data_dir, clock, keep_days=30, keep_details_days=10)
    running.upkeep._undelivered_from = lambda: 0
    running.start()
    clock.advance(100 * 86_400)

    running.upkeep.remove_old()
    assert len(running.journal.list(event="access_decided")) == 2

    running.upkeep.follow_delivery(lambda: None)
    running.upkeep.remove_old()
    assert running.journal.list(event="access_decided") == []
    running.stop()


def test_what_a_crash_left_among_the_pictures_is_removed_at_the_start(box, clock):
    stray = box.data_dir / "snapshots" / "ab" / "abcd.jpg"
    stray.parent.mkdir(parents=True, exist_ok=True)
    stray.write_bytes(b"x")
    running = Running(box.data_dir, clock)

    running.start()

    assert not stray.exists()
    assert len(list(box.data_dir.glob("snapshots/*/*.jpg"))) == 2
    running.stop()


def test_pictures_are_taken_down_as_jpeg(box, clock):
    import numpy as np

    from edged.events import Measures, ShotChosen

    running = Running(box.data_dir, clock, snapshots="all")
    running.start()
    decision = passage(50, "mara", "Mara Lind")[2]
    running.bus.publish(
        ShotChosen(
            at=AT, passage_id="p_50", track_id=1, shot_number=1, frame_number=1, captured_s=1.0, quality=0.9,
            measures=Measures(face_px=120, detection=0.9), aligned=np.zeros((112, 112, 3), np.uint8),
            picture=np.full((64, 64, 3), 128, np.uint8),
        )
    )  # fmt: skip
    running.journal.commit_decision(decision)
    running.bus.publish(decision)
    assert running.bus.drain(20)

    digest = running.journal.snapshot("d_50")
    path = box.data_dir / "snapshots" / digest[:2] / f"{digest}.jpg"
    assert path.read_bytes().startswith(b"\xff\xd8")
    running.stop()
