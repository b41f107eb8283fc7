"""What goes into the journal comes out of it: order, durability, grouping, outcomes of grants."""

from __future__ import annotations

import dataclasses
import sqlite3
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edged.bus import EventBus
from edged.clock import ManualClock
from edged.errors import EdgedError, RetryLater
from edged.events import (
    AccessDecided,
    DoorLocked,
    DoorUnlocked,
    Event,
    GrantNotExecuted,
    Measures,
    Outcome,
    ShotChosen,
    ShotRefused,
    TrackEnded,
    TrackStarted,
)
from edged.journal import Journal

AT = datetime(2026, 11, 21, 8, 30, 0, 125_000, tzinfo=UTC)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(AT)


@pytest.fixture
def journal(tmp_path, clock):
    opened = Journal.open(tmp_path / "journal.sqlite3", clock)
    yield opened
    opened.close()


def decision(number: int = 1, **changes) -> AccessDecided:
    fields = {
        "at": AT, "passage_id": f"p_{number}", "door_id": "door1", "camera_id": "cam1",
        "decision_id": f"d_{number}", "outcome": Outcome.GRANTED, "person_id": "mara",
        "person_name": "Mara Óg", "score": 93.27, "reasons": ("granted",),
    }  # fmt: skip
    return AccessDecided(**(fields | changes))


def unlocked(number: int = 1, **changes) -> DoorUnlocked:
    fields = {
        "at": AT, "passage_id": f"p_{number}", "door_id": "door1", "decision_id": f"d_{number}",
        "person_id": "mara", "mode": "pulse", "frame_to_relay_ms": 58.0, "decision_to_relay_ms": 1.5,
        "acknowledged": True,
    }  # fmt: skip
    return DoorUnlocked(**(fields | changes))


def seen_from_outside(journal: Journal) -> list[str]:
    """Events that another connection sees now."""
    connection = sqlite3.connect(journal._database.path)
    try:
        return [row[0] for row in connection.execute("SELECT event FROM records ORDER BY seq")]
    finally:
        connection.close()


def test_a_decision_is_in_the_file_when_commit_returns(journal):
    seq = journal.commit_decision(decision())

    assert seq == 1
    assert seen_from_outside(journal) == ["access_decided"]


def test_a_record_holds_what_is_asked_for_and_the_whole_event(journal):
    event = decision(reasons=("cool_down", "too_old"), outcome=Outcome.DENIED)
    journal.commit_decision(event)

    (record,) = journal.list()

    arrival = {"received_at": "2026-11-21T08:30:00.125Z", "clock": "unknown"}
    assert record.to_dict() == {"seq": 1, **event.to_dict(), **arrival}
    assert (record.at, record.event, record.outcome, record.reason) == (
        AT,
        "access_decided",
        "denied",
        "cool_down",
    )
    assert (record.passage_id, record.decision_id, record.door_id) == ("p_1", "d_1", "door1")
    assert (record.person_id, record.score) == ("mara", 93.27)


def test_an_outcome_is_in_the_file_when_record_returns(journal):
    journal.commit_decision(decision())

    assert journal.record(unlocked()) == 2
    assert seen_from_outside(journal) == ["access_decided", "door_unlocked"]


def test_details_go_with_the_next_decision_and_before_it(journal):
    assert journal.record(TrackStarted(at=AT, passage_id="p_1", track_id=1)) is None

    assert journal.commit_decision(decision()) == 2
    assert seen_from_outside(journal) == ["track_started", "access_decided"]


def test_details_alone_are_written_without_being_asked_for(journal):
    journal.record(TrackStarted(at=AT, track_id=1))

    written = threading.Event()
    waiter = threading.Thread(target=lambda: _wait_until_written(journal, written), daemon=True)
    waiter.start()

    assert written.wait(30)


def _wait_until_written(journal: Journal, written: threading.Event) -> None:
    pause = threading.Event()
    while not journal.list():
        pause.wait(0.01)
    written.set()


def test_closing_writes_what_waits_and_leaves_one_file(tmp_path, clock):
    journal = Journal.open(tmp_path / "journal.sqlite3", clock)
    journal.record(TrackStarted(at=AT, track_id=1))

    journal.close()
    journal.close()

    assert [p.name for p in tmp_path.iterdir()] == ["journal.sqlite3"]
    again = Journal.open(tmp_path / "journal.sqlite3", clock)
    assert [r.event for r in again.list()] == ["track_started"]
    again.close()


def test_nothing_is_accepted_after_closing(tmp_path, clock):
    journal = Journal.open(tmp_path / "journal.sqlite3", clock)
    journal.close()

    for write in (journal.commit_decision, journal.record):
        with pytest.raises(RetryLater) as raised:
            write(decision())
        assert raised.value.code == "database_closed"


def test_one_decision_id_is_decided_once(journal):
    journal.commit_decision(decision())

    with pytest.raises(EdgedError) as raised:
        journal.commit_decision(decision(score=99.0))

    assert raised.value.code == "decision_repeated"
    assert [r.score for r in journal.list()] == [93.27]


def test_pictures_are_not_written(journal):
    journal.record(
        ShotChosen(
            at=AT, track_id=1, shot_number=1, frame_number=1, captured_s=1.0, quality=0.9,
            measures=Measures(face_px=120, detection=0.9),
            aligned=np.zeros((112, 112, 3), np.uint8), picture=np.zeros((200, 200, 3), np.uint8),
        )
    )  # fmt: skip
    journal.flush()

    (record,) = journal.list()
    assert {"aligned", "picture"}.isdisjoint(record.payload)


def test_a_strange_value_does_not_cost_the_decision(journal):
    journal.commit_decision(decision(score=float("nan"), person_name="\ud800 ", margin=float("inf")))

    (record,) = journal.list()
    assert (record.score, record.payload["margin"], record.payload["person_name"]) == (None, None, "? ")


def test_numbers_are_given_once_even_after_the_last_record_was_lost(journal):
    journal.commit_decision(decision(1))
    with journal._database.transaction() as connection:
        connection.execute("DELETE FROM unfinished_grants")
        connection.execute("DELETE FROM records")

    assert journal.commit_decision(decision(2)) == 2
    assert journal.verify() == (
        "1 of 2 records are missing; the last one is 2.",
        "Record 1, a decision, was removed.",
    )


# --- outcomes of grants -----------------------------------------------------------------------------------


def test_a_grant_is_unfinished_until_its_outcome_is_written(journal):
    for number in (1, 2, 3):
        journal.commit_decision(decision(number))
    journal.commit_decision(decision(4, outcome=Outcome.DENIED, reasons=("cool_down",)))
    journal.record(unlocked(1))
    journal.record(GrantNotExecuted(at=AT, decision_id="d_2", code="grant_expired", reason="too late"))

    assert [r.decision_id for r in journal.unfinished_grants()] == ["d_3"]


def test_unfinished_grants_are_closed_once_with_the_reason(journal, clock):
    journal.commit_decision(decision(1))
    clock.advance(60)

    assert [r.decision_id for r in journal.close_unfinished()] == ["d_1"]

    outcome = journal.passage("p_1")[-1]
    assert (outcome.event, outcome.reason, outcome.door_id) == ("grant_not_executed", "interrupted", "door1")
    assert "may or may not have moved" in outcome.payload["reason"]
    assert outcome.at == AT + timedelta(seconds=60)
    assert journal.close_unfinished() == []


# --- on the bus ---------------------------------------------------------------------------------------------


def test_on_the_bus_everything_is_written_once_and_in_order(journal, clock):
    bus = EventBus(clock)
    journal.attach(bus)
    journal.commit_decision(decision())

    for event in (
        decision(),
        unlocked(),
        DoorLocked(at=AT, reason="pulse over", on_ms=500, acknowledged=True),
    ):
        bus.publish(event)
    assert bus.drain(30)
    journal.flush()

    assert [r.event for r in journal.list(newest_first=False)] == [
        "access_decided",
        "door_unlocked",
        "door_locked",
    ]
    bus.close()


def test_a_denial_that_could_not_be_committed_is_written_from_the_bus(journal, clock):
    bus = EventBus(clock)
    journal.attach(bus)

    bus.publish(decision(outcome=Outcome.DENIED, reasons=("journal_unavailable", "disk_full")))
    assert bus.drain(30)

    assert [r.reason for r in journal.list()] == ["journal_unavailable"]
    bus.close()


def test_many_threads_write_without_losing_or_mixing_anything(journal):
    seqs: list[int] = []
    lock = threading.Lock()

    def write(thread: int) -> None:
        for n in range(20):
            number = thread * 100 + n
            journal.record(TrackStarted(at=AT, passage_id=f"p_{number}", track_id=number))
            seq = journal.commit_decision(decision(number))
            with lock:
                seqs.append(seq)

    threads = [threading.Thread(target=write, args=(t,)) for t in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journal.flush()

    records = journal.list(limit=None, newest_first=False)
    assert [r.seq for r in records] == list(range(1, 241))
    assert sorted(seqs) == [r.seq for r in records if r.event == "access_decided"]
    assert all(
        [r.event for r in journal.passage(f"p_{t * 100 + n}")] == ["track_started", "access_decided"]
        for t in range(6)
        for n in range(20)
    )
    assert journal.verify() == ()


# --- whatever goes in comes out ---------------------------------------------------------------------------

texts = st.text(max_size=20)
numbers = st.floats(allow_nan=False, allow_infinity=False, width=32) | st.none()
passages = st.sampled_from(["p_a", "p_b", "p_c"])


@st.composite
def events(draw) -> Event:
    common = {
        "at": AT + timedelta(milliseconds=draw(st.integers(-10_000, 10_000))),
        "passage_id": draw(passages),
        "camera_id": draw(texts),
    }
    kind = draw(st.sampled_from(["refused", "ended", "unlocked", "not_executed", "decided"]))
    if kind == "refused":
        measures = Measures(face_px=draw(st.floats(0, 500)), detection=0.5, yaw_deg=draw(numbers))
        reasons = tuple(draw(st.lists(texts, min_size=1, max_size=3)))
        return ShotRefused(**common, track_id=1, reasons=reasons, measures=measures)
    if kind == "ended":
        return TrackEnded(**common, track_id=1, frames=3, duration_s=0.5, nearest_px=90.0, shots=0)
    if kind == "unlocked":
        return unlocked(**common, person_id=draw(texts))
    if kind == "not_executed":
        return GrantNotExecuted(**common, decision_id="d_1", code=draw(texts), reason=draw(texts))
    name = draw(texts)
    return decision(**common, decision_id=f"d_{draw(st.uuids())}", score=draw(numbers), person_name=name)


@settings(max_examples=40, deadline=None)
@given(st.lists(events(), max_size=30))
def test_whatever_goes_in_comes_out_by_passage_in_order(tmp_path_factory, happened):
    path = Path(tmp_path_factory.mktemp("journal")) / "journal.sqlite3"
    journal = Journal.open(path, ManualClock(AT))
    for event in happened:
        journal.record(event)
    journal.close()

    again = Journal.open(path, ManualClock(AT))
    for passage_id in ("p_a", "p_b", "p_c"):
        expected = [e.to_dict() for e in happened if e.passage_id == passage_id]
        assert [r.payload for r in again.passage(passage_id)] == expected
    again.close()


def test_every_event_of_the_vocabulary_has_a_place(journal):
    """A new event with a field of a new type must not break the journal."""
    for kind in Event.__subclasses__():
        fields = {f.name: None for f in dataclasses.fields(kind) if f.name != "at"}
        event = kind(at=AT, **fields)
        journal.record(event)
    journal.flush()

    assert len(journal.list(limit=None)) == len(Event.__subclasses__())
