"""Questions to the journal: by time, person, outcome, id, and what the gate needs after a restart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from edged.clock import ManualClock
from edged.errors import NotFound
from edged.events import (
    AccessDecided,
    DoorLocked,
    DoorUnlocked,
    GateLost,
    GrantNotExecuted,
    Outcome,
    TrackEnded,
    TrackStarted,
)
from edged.journal import Journal, JournalReader

AT = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


def minute(number: int) -> datetime:
    return AT + timedelta(minutes=number)


def decided(number: int, person: str = "mara", *, granted: bool = True, door: str = "door1") -> AccessDecided:
    return AccessDecided(
        at=minute(number), passage_id=f"p_{number:03d}", door_id=door, decision_id=f"d_{number:03d}",
        outcome=Outcome.GRANTED if granted else Outcome.DENIED, person_id=person, person_name=None,
        score=90.0, reasons=("granted",) if granted else ("cool_down",),
    )  # fmt: skip


def unlocked(number: int) -> DoorUnlocked:
    return DoorUnlocked(
        at=minute(number), passage_id=f"p_{number:03d}", door_id="door1", decision_id=f"d_{number:03d}",
        person_id="mara", mode="pulse", frame_to_relay_ms=None, decision_to_relay_ms=1.0, acknowledged=None,
    )  # fmt: skip


@pytest.fixture
def journal(tmp_path):
    """Passages 1..4 a minute apart: granted and opened, granted and failed, denied, granted at door2."""
    opened = Journal.open(tmp_path / "journal.sqlite3", ManualClock(AT))
    for event in (
        TrackStarted(at=minute(1), passage_id="p_001", camera_id="cam1", track_id=1),
        decided(1),
        unlocked(1),
        DoorLocked(at=minute(1), door_id="door1", reason="pulse over", on_ms=500.0, acknowledged=True),
        decided(2, "ida"),
        GrantNotExecuted(at=minute(2), passage_id="p_002", decision_id="d_002", code="too_soon", reason="x"),
        decided(3, granted=False),
        decided(4, door="door2"),
        GateLost(at=minute(5), door_id="door1", port="/dev/x", code="c", reason="r", hint="h", retry_s=1.0),
        DoorLocked(at=minute(6), door_id="door1", reason="later", on_ms=1.0, acknowledged=True),
    ):
        opened.record(event)
    opened.flush()
    yield opened
    opened.close()


def seqs(records) -> list[int]:
    return [record.seq for record in records]


def test_lists_the_newest_first_up_to_the_limit(journal):
    assert seqs(journal.list(limit=3)) == [10, 9, 8]
    assert seqs(journal.list(limit=3, newest_first=False)) == [1, 2, 3]
    assert len(journal.list(limit=None)) == 10


def test_lists_from_since_up_to_and_without_until(journal):
    assert seqs(journal.list(since=minute(2), until=minute(4))) == [7, 6, 5]


def test_time_of_another_zone_is_the_same_time(journal):
    zone = datetime.fromisoformat("2026-11-21T10:02:00+02:00")

    assert seqs(journal.list(since=zone, until=minute(4))) == [7, 6, 5]


def test_lists_by_person_outcome_and_event(journal):
    assert seqs(journal.list(person="ida")) == [5]
    assert seqs(journal.list(outcome="denied")) == [7]
    assert seqs(journal.list(event="door_locked")) == [10, 4]
    assert seqs(journal.list(person="mara", outcome="granted")) == [8, 2]


def test_a_passage_without_decision_is_listed_by_its_end(journal):
    end = {
        "frames": 9,
        "duration_s": 0.4,
        "nearest_px": 44.0,
        "shots": 0,
        "refusals": ("too_dark", "too_blurred"),
    }
    journal.record(TrackEnded(at=minute(7), passage_id="p_001", track_id=1, **end))
    journal.record(TrackEnded(at=minute(7), passage_id="p_lost", track_id=2, **end))
    journal.flush()

    assert seqs(journal.list(passages=True)) == [12, 8, 7, 5, 2]
    assert seqs(journal.list(passages=True, outcome="denied")) == [7]
    (undecided,) = journal.list(outcome="undecided")
    assert (undecided.passage_id, undecided.reason) == ("p_lost", "too_dark")


def test_iterating_gives_everything_once_in_order(journal, monkeypatch):
    monkeypatch.setattr("edged.journal.reader.PAGE", 3)

    assert seqs(journal.iterate()) == list(range(1, 11))
    assert seqs(journal.iterate(event="access_decided")) == [2, 5, 7, 8]


def test_an_unknown_passage_has_no_records(journal):
    assert journal.passage("p_nobody") == []


@pytest.mark.parametrize("identifier", ["p_001", "d_001", "1", "2", "3", " p_001 "])
def test_any_id_of_a_passage_finds_all_of_it_and_the_moment_it_was_locked(journal, identifier):
    assert seqs(journal.find(identifier)) == [1, 2, 3, 4]


def test_a_number_without_a_passage_finds_that_record(journal):
    assert seqs(journal.find("9")) == [9]


def test_the_beginning_of_an_id_is_enough_when_only_one_begins_so(tmp_path):
    journal = Journal.open(tmp_path / "journal.sqlite3", ManualClock(AT))
    for number in (15, 16, 27):
        journal.record(decided(number))

    assert seqs(journal.find("p_02")) == [3]
    assert seqs(journal.find("d_02")) == [3]
    with pytest.raises(NotFound, match=r"p_015, p_016") as raised:
        journal.find("p_01")
    assert raised.value.code == "record_ambiguous"
    journal.close()


def test_an_unknown_id_names_those_that_look_like_it(journal):
    with pytest.raises(NotFound) as raised:
        journal.find("p_0031")

    assert raised.value.code == "record_unknown"
    assert "p_003" in raised.value.hint


@pytest.mark.parametrize("identifier", ["", "99", "%", "p_0'; DROP TABLE records; --", "٣", "\ud800x"])
def test_whatever_is_asked_for_the_answer_is_that_it_is_not_there(journal, identifier):
    with pytest.raises(NotFound):
        journal.find(identifier)


def test_last_grants_are_those_of_the_door_that_were_not_refused_by_it(journal):
    assert journal.last_grants("door1", AT) == {"mara": minute(1)}
    assert journal.last_grants("door1", minute(2)) == {}
    assert journal.last_grants("door2", AT) == {"mara": minute(4)}


def test_an_interrupted_grant_counts_as_the_last_one(journal):
    journal.record(decided(7, "uwe"))
    journal.close_unfinished(minute(8))

    assert journal.last_grants("door1", AT)["uwe"] == minute(7)


def test_the_newest_grant_of_a_person_counts(journal):
    journal.record(decided(9))

    assert journal.last_grants("door1", AT) == {"mara": minute(9)}


def test_reads_beside_the_daemon(journal, tmp_path):
    reader = JournalReader.open_readonly(tmp_path / "journal.sqlite3")

    journal.commit_decision(decided(20))

    assert seqs(reader.list(limit=1)) == [11]
    reader.close()


def test_says_when_there_is_no_journal_yet(tmp_path):
    with pytest.raises(NotFound, match="no journal yet") as raised:
        JournalReader.open_readonly(tmp_path / "journal.sqlite3")

    assert raised.value.code == "journal_missing"
    assert list(tmp_path.iterdir()) == []
