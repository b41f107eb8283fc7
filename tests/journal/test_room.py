"""The room of the journal: alarms, what gives way when it is used up, and what is refused then."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from edged.bus import EventBus
from edged.clock import ManualClock
from edged.errors import NeedsOperator
from edged.events import (
    AccessDecided,
    GrantNotExecuted,
    JournalFilling,
    Outcome,
    TrackStarted,
)
from edged.journal import Journal

AT = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
MB = 1_000_000


def decided(number: int, outcome: Outcome = Outcome.GRANTED) -> AccessDecided:
    return AccessDecided(
        at=AT, passage_id=f"p_{number}", decision_id=f"d_{number}", outcome=outcome, person_id="mara",
        person_name="M" * 1500, score=90.0, reasons=("granted",),
    )  # fmt: skip


def detail(number: int) -> TrackStarted:
    return TrackStarted(at=AT, passage_id=f"p_{number}", camera_id="c" * 3000, track_id=number)


def open_journal(tmp_path, max_bytes: int | None, undelivered_from: int | None = None) -> Journal:
    return Journal.open(
        tmp_path / "journal.sqlite3",
        ManualClock(AT),
        max_bytes=max_bytes,
        undelivered_from=lambda: undelivered_from,
    )


def fill(journal: Journal, share: float) -> int:
    """Decisions and details in turn until that share of the room is used. Returns how many decisions."""
    number = journal.count()
    while journal.room.measure().share < share:
        number += 1
        journal.record(detail(number))
        journal.commit_decision(decided(number))
    return number


def events(journal: Journal) -> list[str]:
    return [record.event for record in journal.list(limit=None, newest_first=False)]


def alarms(journal: Journal) -> list[int]:
    return [r.payload["percent"] for r in journal.list(event="journal_filling", newest_first=False)]


def test_each_limit_is_reported_once_when_it_is_passed(tmp_path):
    journal = open_journal(tmp_path, MB)

    for share in (0.5, 0.81, 0.85, 0.91, 0.95):
        fill(journal, share)
        journal.look_after_room()

    assert alarms(journal) == [80, 90]
    assert "journal.max_mb" in journal.list(event="journal_filling")[0].payload["hint"]
    journal.close()


def test_a_limit_is_reported_again_only_after_it_was_well_below(tmp_path):
    journal = open_journal(tmp_path, MB)
    fill(journal, 0.81)
    journal.look_after_room()

    for share, expected in ((0.77, None), (0.82, None), (0.70, None), (0.81, 80)):
        journal.room.use = type(journal.room.use)(share, int(share * MB))
        alarm = journal.room.alarm(AT)
        assert (alarm and alarm.percent) == expected
    journal.close()


def test_an_alarm_is_heard_by_everybody_on_the_bus_and_written_once(tmp_path):
    clock = ManualClock(AT)
    bus, heard = EventBus(clock), []
    journal = open_journal(tmp_path, MB)
    journal.attach(bus)
    bus.subscribe(JournalFilling, heard.append, name="test")
    fill(journal, 0.85)

    journal.look_after_room()
    assert bus.drain(30)

    assert [event.percent for event in heard] == alarms(journal) == [80]
    bus.close()
    journal.close()


def test_when_full_the_oldest_details_go_first_and_no_decision_ever(tmp_path):
    journal = open_journal(tmp_path, MB)
    journal.room._max_bytes = None  # filled before anybody looks
    number = 60
    for n in range(number):
        for _ in range(10):
            journal.record(detail(n))
        journal.commit_decision(decided(n))
    journal.room._max_bytes = 3 * MB
    before = events(journal).count("track_started")

    journal.look_after_room()

    assert journal.room.use.share <= 1
    left = [r.seq for r in journal.list(event="track_started", limit=None)]
    assert 0 < len(left) < before
    assert min(left) > before - len(left), "those that stayed are the newest"
    assert events(journal).count("access_decided") == number
    assert journal.verify() == ()
    pruned = [record.payload for record in journal.list(event="journal_pruned")]
    assert {one["code"] for one in pruned} == {"journal_full"}
    assert sum(one["removed"] for one in pruned) == before - len(left)
    assert not journal.room.full
    journal.close()


def test_what_was_not_delivered_does_not_give_way(tmp_path):
    journal = open_journal(tmp_path, MB, undelivered_from=1)
    journal.room._max_bytes = None
    for n in range(300):
        journal.record(detail(n))
    journal.flush()
    journal.room._max_bytes = MB

    journal.look_after_room()

    assert events(journal).count("track_started") == 300
    assert journal.room.full
    journal.close()


@pytest.fixture
def full(tmp_path):
    """Full of decisions; nothing can be removed."""
    journal = open_journal(tmp_path, None)
    for n in range(350):
        journal.commit_decision(decided(n))
    journal.room._max_bytes = int(journal.room.measure().used_bytes)
    journal.look_after_room()
    yield journal
    journal.close()


def test_a_full_journal_refuses_grants_and_says_so(full):
    with pytest.raises(NeedsOperator) as raised:
        full.commit_decision(decided(1000))

    assert raised.value.code == "journal_full"
    assert alarms(full) == [100]


def test_a_full_journal_still_takes_refusals_and_outcomes_and_drops_details(full):
    full.commit_decision(decided(1000, Outcome.DENIED))
    full.record(GrantNotExecuted(at=AT, decision_id="d_1", code="door_busy", reason=""))
    assert full.record(detail(1)) is None
    full.flush()

    assert events(full)[-2:] == ["access_decided", "grant_not_executed"]
    assert full.verify() == ()


def test_beyond_the_reserve_refusals_are_refused_too(full):
    full.room._max_bytes = int(full.room.use.used_bytes / 1.2)
    full.look_after_room()

    with pytest.raises(NeedsOperator) as raised:
        full.commit_decision(decided(1000, Outcome.DENIED))

    assert raised.value.code == "journal_full"


def test_with_room_again_people_are_let_in_again(full):
    full.room._max_bytes *= 2
    full.look_after_room()

    assert full.commit_decision(decided(1000)) == full.last_seq()


def test_without_a_limit_there_is_no_alarm(tmp_path):
    journal = open_journal(tmp_path, None)
    for n in range(50):
        journal.commit_decision(decided(n))

    journal.look_after_room()

    assert alarms(journal) == []
    journal.close()
