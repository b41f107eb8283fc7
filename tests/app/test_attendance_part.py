"""Attendance beside the journal: nothing lost between decision and punch, nothing invented."""

import sqlite3
from contextlib import ExitStack, closing, contextmanager

import pytest

from edged.app.attendance_part import AttendancePart
from edged.app.site import Site
from edged.attendance.punch import Direction
from edged.attendance.store import FILE_NAME, PunchLedger
from edged.clock import ManualClock
from edged.config import Config
from edged.events import AccessDecided, DirectionKeyPressed, Outcome
from edged.journal import Journal, journal_path
from edged.upkeep.service import Upkeep


class Box:
    """A data directory that is started and stopped."""

    def __init__(self, folder):
        self.folder = folder
        self.clock = ManualClock()
        self.number = 0

    @contextmanager
    def running(self, **attendance):
        """One life of the daemon: gives its bus and its journal, and ends when the bus is empty."""
        config = Config.model_validate(
            {"data_dir": self.folder, "attendance": {"enabled": True, **attendance}}
        )
        site = Site(config, self.clock)
        site.upkeep = Upkeep(config, site.bus, self.clock)
        with ExitStack() as stack:
            site.journal = stack.enter_context(closing(site.upkeep.open_journal()))
            part = stack.enter_context(closing(AttendancePart(site)))
            part.start()
            yield site.bus, site.journal
            assert site.bus.close(5)

    def run(self, *happens, crash=False, **attendance):
        """These people are let in; with `crash` the decisions are committed, but get no further."""
        with self.running(**attendance) as (bus, journal):
            for person in happens:
                decision = self.decision(person)
                journal.commit_decision(decision)
                if not crash:
                    bus.publish(decision)

    def decision(self, person):
        self.number += 1
        self.clock.advance(3600)
        return AccessDecided(
            at=self.clock.now(), passage_id=f"p{self.number}", door_id="door1", camera_id="cam1",
            decision_id=f"d{self.number}", outcome=Outcome.GRANTED if person else Outcome.DENIED,
            person_id=person, person_name=person, score=95.0, reasons=("granted",), direction="out",
        )  # fmt: skip

    def punches(self):
        ledger = PunchLedger.open(self.folder, self.clock)
        rows = ledger.rows()
        ledger.close()
        return [(row.decision_id, row.direction.value) for row in rows]


@pytest.fixture
def box(tmp_path):
    return Box(tmp_path)


def test_what_was_let_in_before_a_crash_is_punched_at_the_next_start(box):
    box.run("ann")
    box.run("ann", "bo", None, crash=True)
    assert box.punches() == [("d1", "in")]
    box.run()
    assert box.punches() == [("d1", "in"), ("d2", "out"), ("d3", "in")]
    box.run()
    assert len(box.punches()) == 3


def test_a_crash_loses_no_punch_after_the_journal_was_begun_anew(box):
    box.run("ann", "bo", "cy")
    box.run()
    for file in box.folder.glob("journal.sqlite3*"):
        file.unlink()
    box.run()
    box.run("dan", crash=True)
    box.run()
    assert [decision for decision, _ in box.punches()] == ["d1", "d2", "d3", "d4"]


def test_what_was_before_attendance_was_wanted_is_no_punch(box):
    box.run("ann", enabled=False)
    box.run("bo")
    assert [decision for decision, _ in box.punches()] == ["d2"]


def test_what_happens_while_it_is_switched_off_gets_no_punch_later(box):
    box.run("ann")
    box.run("bo", enabled=False)
    box.run()
    assert [decision for decision, _ in box.punches()] == ["d1"]


def test_the_camera_says_which_way_where_the_device_decides(box):
    box.run("ann", direction="device", device_direction="in")
    assert box.punches() == [("d1", "out")]


def test_a_key_at_the_door_says_which_way(box):
    with box.running(direction="key") as (bus, _):
        decision = box.decision("ann")
        bus.publish(DirectionKeyPressed(at=box.clock.now(), door_id="door1", direction="out"))
        assert bus.drain(5)
        box.clock.advance(2)
        bus.publish(decision)
    assert box.punches() == [("d1", "out")]


def correct(box, punch_id, **given):
    ledger = PunchLedger.open(box.folder, box.clock)
    ledger.correct(punch_id, reason="forgot", author="Kim", **given)
    ledger.close()


def corrections(box):
    journal = Journal.open(journal_path(box.folder), box.clock)
    found = [record.payload for record in journal.iterate(event="punch_corrected")]
    journal.close()
    return [(event["corrects"], event["action"], event["person_id"], event["author"]) for event in found]


def test_a_correction_made_while_the_daemon_was_away_is_in_the_journal_once(box):
    box.run("ann")
    correct(box, 1, void=True)
    box.run()
    box.run(enabled=False)
    assert corrections(box) == [(1, "void", "ann", "Kim")]


def test_a_correction_is_in_the_journal_once_when_the_daemon_dies_before_it_has_noted_that(box):
    box.run("ann")
    correct(box, 1, direction=Direction.OUT)
    box.run()
    with closing(sqlite3.connect(box.folder / FILE_NAME)) as connection, connection:
        connection.execute("UPDATE caught_up SET corrections = 0")
    box.run()
    assert corrections(box) == [(1, "change", "ann", "Kim")]


def test_a_key_holds_for_one_person(box):
    with box.running(direction="key") as (bus, _):
        listening = [name for name in bus.counters() if "keys" in name]
    assert len(listening) == 1  # a second one could press the key again after somebody has used it
