"""Age: what is removed when, what stays, and that the rest can still be verified."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from edged.clock import ManualClock
from edged.events import (
    AccessDecided,
    ClockStepped,
    DoorUnlocked,
    Event,
    GateAlarmRaised,
    Outcome,
    ShotRefused,
    TrackStarted,
)
from edged.events.vision_events import Measures
from edged.journal import Journal
from edged.journal.retention import KeepDays, Removed, Retention
from edged.journal.snapshots import SnapshotFolder, snapshot_path

START = datetime(2026, 1, 1, 8, 0, tzinfo=UTC)
KEEP = KeepDays(records=100, details=10, snapshots=5)


def decided(number: int, at: datetime) -> AccessDecided:
    return AccessDecided(
        at=at, passage_id=f"p_{number}", decision_id=f"d_{number}", outcome=Outcome.GRANTED, person_id="mara",
        person_name="Mara", score=90.0, reasons=("granted",),
    )  # fmt: skip


def passage(number: int, at: datetime) -> list[Event]:
    ids = {"at": at, "passage_id": f"p_{number}"}
    return [
        TrackStarted(**ids, track_id=number),
        ShotRefused(
            **ids, track_id=number, reasons=("too_dark",), measures=Measures(face_px=9, detection=0.9)
        ),
        decided(number, at),
        DoorUnlocked(
            **ids, decision_id=f"d_{number}", person_id="mara", mode="pulse", frame_to_relay_ms=None,
            decision_to_relay_ms=1.0, acknowledged=None,
        ),
    ]  # fmt: skip


class Box:
    """A journal with one passage a day, its pictures, and the rule about age."""

    def __init__(self, tmp_path, undelivered_from: int | None = None) -> None:
        self.clock = ManualClock(START)
        self.data_dir = tmp_path
        self.undelivered_from = undelivered_from
        self.journal = Journal.open(
            tmp_path / "journal.sqlite3", self.clock, undelivered_from=lambda: self.undelivered_from
        )
        self.snapshots = SnapshotFolder(tmp_path, self.journal.database, self.clock)
        self.days = 0

    def live(self, days: int) -> None:
        for _ in range(days):
            now = self.clock.now()
            for event in passage(self.days, now):
                self.journal.record(event)
            self.snapshots.add(decided(self.days, now), b"picture %d" % self.days)
            self.days += 1
            self.clock.advance(86_400)

    def run(self, keep: KeepDays = KEEP) -> Removed:
        retention = Retention(self.journal, self.journal.room, self.snapshots, keep)
        return retention.run(self.clock.now())

    def names(self) -> list[str]:
        return [record.event for record in self.journal.list(limit=None, newest_first=False)]

    def pictures(self) -> int:
        return len(list(self.snapshots.files()))


@pytest.fixture
def box(tmp_path):
    made = Box(tmp_path)
    yield made
    made.journal.close()


def test_nothing_is_removed_while_it_is_young(box):
    box.live(4)

    assert box.run() == Removed()
    assert len(box.names()) == 16


def test_each_class_goes_when_it_is_old_enough(box):
    box.live(20)

    assert box.run() == Removed(details=20, records=0, snapshots=15)

    assert box.names().count("access_decided") == box.names().count("door_unlocked") == 20
    assert box.names().count("track_started") == 10
    assert box.pictures() == 5
    assert box.journal.verify() == ()


def test_old_decisions_go_with_their_pictures_and_the_chain_begins_later(box):
    box.live(150)

    removed = box.run(KeepDays(records=100, details=10, snapshots=0))

    assert removed.records == 100
    assert box.names().count("access_decided") == 100
    assert box.pictures() == 100
    assert box.journal.verify() == ()
    pruned = [r.payload for r in box.journal.list(event="journal_pruned")]
    assert sum(event["decisions"] for event in pruned) == 50


def test_the_rest_can_be_verified_after_many_runs_and_a_change_still_shows(box):
    for _ in range(6):
        box.live(40)
        box.run()
        assert box.journal.verify() == ()
    oldest = box.journal.list(event="access_decided", newest_first=False, limit=1)[0].seq

    with box.journal.database.transaction() as connection:
        connection.execute("UPDATE records SET score = 1 WHERE seq = ?", (oldest,))

    assert box.journal.verify() == (f"Record {oldest} was changed after it was written.",)


def test_a_removal_that_no_record_explains_shows_after_retention_too(box):
    box.live(150)
    box.run()
    with box.journal.database.transaction() as connection:
        seq = connection.execute("SELECT max(seq) FROM records WHERE event = 'door_unlocked'").fetchone()[0]
        connection.execute("DELETE FROM records WHERE seq = ?", (seq,))

    assert len(box.journal.verify()) == 1
    assert "1 of " in box.journal.verify()[0]


def test_for_ever_means_for_ever(box):
    box.live(150)

    assert box.run(KeepDays(records=0, details=0, snapshots=0)) == Removed()


def test_when_everything_is_old_the_run_ends_and_explains_itself(box):
    box.live(3)
    box.clock.advance(400 * 86_400)

    assert box.run().records > 0

    assert set(box.names()) == {"journal_pruned"}
    assert box.journal.verify() == ()
    assert box.run() == Removed()


def test_what_was_not_delivered_stays_however_old(tmp_path):
    box = Box(tmp_path, undelivered_from=9)
    box.live(150)

    box.run()

    seqs = [record.seq for record in box.journal.list(limit=None, newest_first=False)]
    assert seqs[0] == 9
    assert box.journal.verify() == ()
    box.journal.close()


def test_a_grant_without_outcome_stays_until_it_has_one(box):
    box.journal.commit_decision(decided(1000, box.clock.now()))
    box.clock.advance(200 * 86_400)

    assert box.run().records == 0
    assert [grant.decision_id for grant in box.journal.unfinished_grants()] == ["d_1000"]


def test_nothing_is_removed_for_a_day_after_the_clock_was_set(box):
    box.live(3)
    box.clock.step_wall(10 * 365 * 86_400)
    box.journal.record(ClockStepped(at=box.clock.now(), by_s=315_360_000.0, clock="unknown"))

    assert box.run() == Removed(in_doubt=True)

    box.clock.advance(timedelta(hours=25).total_seconds())
    assert box.run().records > 0


def test_a_small_correction_of_the_clock_is_no_doubt(box):
    box.live(20)
    box.journal.record(ClockStepped(at=box.clock.now(), by_s=-2.0, clock="synchronised"))

    assert not box.run().in_doubt


def test_records_of_a_clock_that_was_wrong_for_a_while_go_in_their_turn(box):
    """Written in 1970 among younger ones: they are not removed before those written earlier."""
    box.live(2)
    box.clock.step_wall(-50 * 365 * 86_400)
    box.live(1)
    box.clock.step_wall(50 * 365 * 86_400)
    box.live(1)

    assert box.run(KeepDays(records=100, details=10, snapshots=0)) == Removed()


def test_alarms_are_kept_like_decisions(box):
    box.journal.record(GateAlarmRaised(at=box.clock.now(), code="relay_stuck", reason=""))
    box.live(30)

    box.run()

    assert "gate_alarm_raised" in box.names()


def test_a_picture_that_two_decisions_share_stays_until_both_are_gone(box):
    now = box.clock.now()
    for number in (1, 2):
        box.journal.commit_decision(decided(number, now))
    digest = box.snapshots.add(decided(1, now), b"the same")
    assert box.snapshots.add(decided(2, now), b"the same") == digest

    box.snapshots.forget(["d_1"])
    assert snapshot_path(box.data_dir, digest).is_file()
    box.snapshots.forget(["d_2"])
    assert not snapshot_path(box.data_dir, digest).exists()
