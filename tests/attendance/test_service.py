"""Grants become punches: once each, with the right direction, on the disk."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from edged.attendance.punch import Action, Direction, effective
from edged.attendance.service import AttendanceService, GrantedPassage
from edged.attendance.store import FILE_NAME, PunchLedger
from edged.bus import EventBus
from edged.clock import ManualClock
from edged.config import AttendanceConfig
from edged.errors import Misconfigured, NotFound
from edged.events import AccessDecided, Outcome, PunchRecorded

START = datetime(2026, 11, 20, 7, 0, tzinfo=UTC)


class Desk:
    """A ledger, a service, a bus."""

    def __init__(self, folder, **config):
        self.clock = ManualClock(START)
        self.folder = folder
        self.ledger = PunchLedger.open(folder, self.clock)
        self.bus = EventBus(self.clock)
        self.heard = []
        self.bus.subscribe(PunchRecorded, self.heard.append, name="test")
        settings = AttendanceConfig.model_validate({"enabled": True, **config})
        self.service = AttendanceService(settings, self.ledger, self.bus, self.clock, zone="Europe/Berlin")
        self.service.attach()
        self.number = 0

    def passes(self, person="ann", after_s=0.0, outcome=Outcome.GRANTED, decision_id=None):
        self.clock.advance(after_s)
        self.number += 1
        self.bus.publish(
            AccessDecided(
                at=self.clock.now(),
                passage_id=f"p{self.number}",
                door_id="door1",
                decision_id=decision_id or f"d{self.number}",
                outcome=outcome,
                person_id=person,
                person_name=person and person.title(),
                score=95.0,
                reasons=("granted",),
            )
        )
        assert self.bus.drain(5)

    def ways(self):
        return [(p.direction.value, p.repeated) for p in self.ledger.rows()]

    def close(self):
        self.bus.close()
        self.ledger.close()


@pytest.fixture
def desk(tmp_path):
    desk = Desk(tmp_path)
    yield desk
    desk.close()


def test_a_grant_is_a_punch_and_is_told(desk):
    desk.passes()
    (punch,) = desk.ledger.rows()
    assert (punch.person_name, punch.decision_id, punch.zone) == ("Ann", "d1", "Europe/Berlin")
    assert [(e.punch_id, e.direction, e.passage_id) for e in desk.heard] == [(1, "in", "p1")]


def test_a_denial_and_a_grant_without_a_person_are_none(desk):
    desk.passes(outcome=Outcome.DENIED)
    desk.passes(person=None)
    assert desk.ledger.rows() == []


def test_the_same_decision_is_never_two_punches(desk):
    desk.passes(decision_id="d_same")
    desk.passes(decision_id="d_same", after_s=3600)
    assert len(desk.ledger.rows()) == 1
    assert len(desk.heard) == 1


def test_passages_wait_while_the_ledger_cannot_be_written_and_get_their_punches_with_the_next(desk):
    desk.ledger._database.query("PRAGMA busy_timeout = 1")
    assert (desk.service.problem, desk.service.waiting) == (None, 0)
    with closing(sqlite3.connect(desk.folder / FILE_NAME)) as another:
        another.execute("BEGIN IMMEDIATE")
        desk.passes("ann")
        desk.passes("bo")
        assert (desk.service.problem.code, desk.service.waiting) == ("database_busy", 2)
    desk.passes("cy")
    assert [row.person_id for row in desk.ledger.rows()] == ["ann", "bo", "cy"]
    assert (desk.service.problem, desk.service.waiting) == (None, 0)


def test_directions_alternate_for_each_person(desk):
    for person in ("ann", "bo", "ann", "bo"):
        desk.passes(person, after_s=3600)
    assert [(p.person_id, p.direction.value) for p in desk.ledger.rows()] == [
        ("ann", "in"), ("bo", "in"), ("ann", "out"), ("bo", "out"),
    ]  # fmt: skip


def test_going_to_and_fro_in_a_moment_is_kept_but_not_counted(desk):
    desk.passes()
    desk.passes(after_s=20)
    desk.passes(after_s=3600)
    assert desk.ways() == [("in", False), ("in", True), ("out", False)]


def test_a_voided_punch_is_not_alternated_with(desk):
    desk.passes()
    desk.ledger.correct(1, void=True, reason="a visitor in her coat", author="Kim")
    desk.passes(after_s=3600)
    assert [p.direction.value for p in effective(desk.ledger.rows())] == ["in"]


def test_a_device_for_leaving_says_out(tmp_path):
    desk = Desk(tmp_path, direction="device", device_direction="out", dedupe_s=30)
    desk.passes()
    desk.passes(after_s=10)
    desk.passes(after_s=40)
    assert desk.ways() == [("out", False), ("out", True), ("out", False)]
    desk.close()


def test_a_key_holds_for_one_person_and_a_moment(tmp_path):
    desk = Desk(tmp_path, direction="key", dedupe_s=0)
    desk.service.press_key(Direction.OUT)
    desk.passes()
    desk.passes(after_s=3600)
    desk.service.press_key(Direction.OUT)
    desk.passes(after_s=11)
    assert [w for w, _ in desk.ways()] == ["out", "in", "out"]
    assert [p.direction_by for p in desk.ledger.rows()] == ["key", "alternate", "alternate"]
    desk.close()


def test_near_a_shift_the_shift_says_which_way(tmp_path):
    desk = Desk(tmp_path, direction="schedule", shifts=["day Mon-Fri 08:00-17:00"])
    desk.passes(after_s=0)  # 08:00 in Berlin
    desk.passes(after_s=8.9 * 3600)
    assert [w for w, _ in desk.ways()] == ["in", "out"]
    desk.close()


def test_grants_without_a_punch_are_caught_up_and_the_others_left(desk):
    desk.passes()
    grants = [
        GrantedPassage(
            decision_id=f"d{n}", person_id="ann", person_name="Ann", at=START + timedelta(hours=4 * (n - 1))
        )
        for n in (1, 2)
    ]
    assert desk.service.catch_up(grants, 40) == 1
    assert [p.decision_id for p in desk.ledger.rows()] == ["d1", "d2"]
    assert desk.service.catch_up(grants, 40) == 0
    assert [p.decision_id for p in desk.ledger.rows()] == ["d1", "d2"]


def test_a_punch_that_did_not_reach_the_journal_is_announced_again(desk):
    desk.passes()
    grant = GrantedPassage(decision_id="d1", person_id="ann", person_name="Ann", at=START, passage_id="p1")

    desk.service.catch_up([grant], 40)
    assert desk.bus.drain(5)
    desk.service.catch_up([replace(grant, announced=True)], 40)
    assert desk.bus.drain(5)

    assert [(e.punch_id, e.passage_id) for e in desk.heard] == [(1, "p1"), (1, "p1")]


def test_a_punch_that_a_restored_ledger_lacks_is_not_announced_twice(desk):
    grant = GrantedPassage(decision_id="d1", person_id="ann", person_name="Ann", at=START, announced=True)

    assert desk.service.catch_up([grant], 40) == 1
    assert desk.bus.drain(5)

    assert [p.decision_id for p in desk.ledger.rows()] == ["d1"]
    assert desk.heard == []


def test_the_journal_counts_as_looked_through_when_it_held_every_punch(desk):
    grant = GrantedPassage(decision_id="d1", person_id="ann", person_name="Ann", at=START)

    desk.service.catch_up([grant], 40)
    assert desk.ledger.caught_up() == 0
    desk.service.catch_up([replace(grant, announced=True)], 40)
    assert desk.ledger.caught_up() == 40
    desk.service.catch_up([], 30)
    assert desk.ledger.caught_up() == 40


def test_the_ledger_refuses_to_change_or_remove_a_punch(desk):
    desk.passes()
    with sqlite3.connect(desk.folder / FILE_NAME) as raw:
        with pytest.raises(sqlite3.IntegrityError, match="not changed"):
            raw.execute("UPDATE punches SET at = '2020-01-01'")
        with pytest.raises(sqlite3.IntegrityError, match="not removed"):
            raw.execute("DELETE FROM punches")
    raw.close()


def test_a_correction_is_a_row_with_reason_and_author(desk):
    desk.passes()
    right = START - timedelta(hours=1)
    desk.ledger.correct(1, at=right, reason="came earlier", author="Kim")
    desk.ledger.correct(1, direction=Direction.OUT, reason="was leaving", author="Kim")
    rows = desk.ledger.rows()
    assert [(r.action, r.corrects, r.reason) for r in rows[1:]] == [
        (Action.CHANGE, 1, "came earlier"), (Action.CHANGE, 1, "was leaving"),
    ]  # fmt: skip
    assert [(p.at, p.direction) for p in effective(rows)] == [(right, Direction.OUT)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"reason": "", "author": "Kim", "void": True},
        {"reason": "x", "author": "  ", "void": True},
        {"reason": "x", "author": "Kim"},
        {"reason": "x" * 501, "author": "Kim", "void": True},
    ],
)
def test_a_correction_without_words_or_change_is_refused(desk, wrong):
    desk.passes()
    with pytest.raises(Misconfigured):
        desk.ledger.correct(1, **wrong)
    assert len(desk.ledger.rows()) == 1


def test_a_punch_that_does_not_exist_cannot_be_corrected(desk):
    desk.passes()
    desk.ledger.correct(1, void=True, reason="x", author="Kim")
    for number in (2, 77):
        with pytest.raises(NotFound):
            desk.ledger.correct(number, void=True, reason="x", author="Kim")


def test_an_erased_person_leaves_times_and_no_name(desk):
    desk.passes("ann_secret")
    desk.ledger.correct(1, void=True, reason="Ann Secret said so", author="Kim")
    desk.passes("bo", after_s=60)
    assert desk.ledger.anonymise("ann_secret", "erased_1") == 2
    assert {p.person_id for p in desk.ledger.rows()} == {"erased_1", "bo"}
    desk.ledger.close()
    content = b"".join(path.read_bytes() for path in desk.folder.iterdir())
    assert b"ann_secret" not in content
    assert b"Ann" not in content


def test_a_range_holds_what_was_moved_into_it_and_what_was_moved_out(desk):
    desk.passes()
    desk.ledger.correct(1, at=START - timedelta(days=3), reason="wrong day", author="Kim")
    old = desk.ledger.rows(until=START - timedelta(days=2))
    new = desk.ledger.rows(since=START - timedelta(hours=1))
    assert [r.punch_id for r in old] == [r.punch_id for r in new] == [1, 2]
