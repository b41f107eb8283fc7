"""The hash chain: what was changed or removed behind the journal's back shows."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edged.clock import ManualClock
from edged.database.migrate import migrations
from edged.events import AccessDecided, DoorUnlocked, Outcome, TrackStarted
from edged.journal import Journal

AT = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)


def decided(number: int) -> AccessDecided:
    return AccessDecided(
        at=AT, passage_id=f"p_{number}", door_id="door1", decision_id=f"d_{number}", outcome=Outcome.DENIED,
        person_id="mara", person_name="Mara", score=91.5, reasons=("cool_down",),
    )  # fmt: skip


def fill(journal: Journal, decisions: int = 5) -> None:
    for number in range(1, decisions + 1):
        journal.record(TrackStarted(at=AT, passage_id=f"p_{number}", track_id=number))
        journal.commit_decision(decided(number))


@pytest.fixture
def journal(tmp_path):
    opened = Journal.open(tmp_path / "journal.sqlite3", ManualClock(AT))
    fill(opened)
    yield opened
    opened.close()


def tamper(journal: Journal, *statements: str) -> tuple[str, ...]:
    """What is found after somebody ran these on the file."""
    connection = sqlite3.connect(journal.database.path)
    with connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()
    return journal.verify()


def test_an_untouched_journal_is_whole(journal):
    assert journal.verify() == ()


@pytest.mark.parametrize(
    "change",
    [
        "payload = replace(payload, '91.5', '99.5')",
        "payload = replace(payload, 'Mara', 'Ida')",
        "payload = replace(payload, 'denied', 'granted')",
        "outcome = 'granted'",
        "person_id = 'ida'",
        "at = '2026-11-20T08:30:00.000Z'",
        "reason = 'granted'",
        "score = 99",
        "received_at = '2026-11-20T08:30:00.000Z'",
        "clock = 'synchronised'",
        "payload = '{'",
        "payload = '[]'",
    ],
)
def test_a_changed_decision_shows(journal, change):
    assert tamper(journal, f"UPDATE records SET {change} WHERE seq = 4") == (
        "Record 4 was changed after it was written.",
    )


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE chain SET hash = 'text' WHERE seq = 4",
        "UPDATE chain SET salt = 'text' WHERE seq = 4",
        "DELETE FROM anchor",
        "INSERT INTO facts VALUES ('unchained_until', '99')",
    ],
)
def test_whatever_stands_in_the_tables_of_the_chain_is_a_finding_and_no_failure(journal, change):
    assert tamper(journal, change) != ()


def test_removals_that_nobody_counts_any_more_show(journal):
    assert tamper(journal, "DELETE FROM removals", "DELETE FROM records WHERE seq = 3") == (
        "1 of 10 records are missing; the last one is 10.",
    )


def test_a_removed_decision_shows_even_when_the_numbers_are_put_right(journal):
    found = tamper(
        journal,
        "DELETE FROM records WHERE seq = 10",
        "UPDATE sqlite_sequence SET seq = 9 WHERE name = 'records'",
    )
    assert found == ("Record 10, a decision, was removed.",)


def test_a_decision_removed_with_its_link_shows(journal):
    found = tamper(
        journal,
        "DELETE FROM records WHERE seq = 4",
        "DELETE FROM chain WHERE seq = 4",
        "UPDATE removals SET removed = 1, until_seq = 4 WHERE kind = 'details'",
    )
    assert found == ("The chain jumps from link 1 to 3: decisions were removed.",)


def test_a_beginning_that_was_cut_off_shows(journal):
    found = tamper(
        journal,
        "UPDATE anchor SET position = 2, hash = (SELECT hash FROM chain WHERE position = 2)",
        "DELETE FROM records WHERE seq <= 4",
        "DELETE FROM chain WHERE seq <= 4",
        "UPDATE removals SET removed = 4, until_seq = 4 WHERE kind = 'expired'",
    )
    assert found == (
        "The beginning of the chain was cut off, and no record says that this was done on purpose.",
    )


def test_a_decision_put_in_by_something_else_shows(journal):
    columns = "at, event, decision_id, payload"
    found = tamper(
        journal,
        f"INSERT INTO records ({columns}) VALUES ('2026', 'access_decided', 'd_x', '{{}}')",
    )
    assert found == ("Record 11, a decision, is not in the chain: it was put in by something else.",)


def test_links_without_salt_need_a_recorded_erasure(journal):
    found = tamper(
        journal,
        "UPDATE records SET person_id = 'erased_1', payload = replace(payload, '\"mara\"', '\"erased_1\"') "
        "WHERE seq = 4",
        "UPDATE chain SET salt = NULL WHERE seq = 4",
    )
    assert found == ("Decisions of erased_1 lost their salt, and no record of an erasure explains it.",)


def test_more_problems_than_anybody_reads_are_cut_short(tmp_path):
    journal = Journal.open(tmp_path / "journal.sqlite3", ManualClock(AT))
    fill(journal, 20)

    found = tamper(journal, "UPDATE records SET score = 1")

    assert len(found) == 11
    assert found[-1] == "There is more of that."
    journal.close()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 4), st.data())
def test_any_changed_byte_of_a_decision_shows(tmp_path_factory, number, data):
    journal = Journal.open(tmp_path_factory.mktemp("j") / "journal.sqlite3", ManualClock(AT))
    fill(journal)
    payload = journal.list(event="access_decided", newest_first=False)[number].payload
    key = data.draw(st.sampled_from(sorted(payload)))
    payload[key] = "changed" if payload[key] != "changed" else "again"
    with journal.database.transaction() as connection:
        connection.execute(
            "UPDATE records SET payload = ? WHERE seq = ?", (json.dumps(payload), 2 * number + 2)
        )

    assert journal.verify() == (f"Record {2 * number + 2} was changed after it was written.",)
    journal.close()


# --- journals of an older edged ----------------------------------------------------------------------------


def old_journal(path, decisions: int) -> None:
    """A journal as schema 1 left it."""
    connection = sqlite3.connect(path)
    connection.executescript(migrations("edged.journal")[0][1])
    connection.execute("PRAGMA user_version = 1")
    with connection:
        for number in range(1, decisions + 1):
            payload = decided(number).to_dict()
            connection.execute(
                "INSERT INTO records (at, event, passage_id, door_id, decision_id, person_id, outcome, "
                "reason, score, payload) "
                "VALUES (?, 'access_decided', ?, 'door1', ?, 'mara', 'denied', 'cool_down', 91.5, ?)",
                (payload["at"], f"p_{number}", f"d_{number}", json.dumps(payload)),
            )
    connection.close()


def test_the_decisions_of_an_older_schema_are_taken_into_the_chain_once(tmp_path):
    path = tmp_path / "journal.sqlite3"
    old_journal(path, 1203)

    journal = Journal.open(path, ManualClock(AT))

    assert journal.count() == 1203
    assert journal.database.query("SELECT count(*) FROM chain")[0][0] == 1203
    assert (journal.list(limit=1)[0].received_at, journal.list(limit=1)[0].clock) == (None, None)
    assert journal.verify() == ()
    assert tamper(journal, "UPDATE records SET score = 1 WHERE seq = 700") == (
        "Record 700 was changed after it was written.",
    )
    journal.close()


def test_the_links_of_schema_2_are_made_anew(journal):
    journal.close()
    with closing(sqlite3.connect(journal.database.path)) as connection, connection:
        connection.execute("UPDATE chain SET hash = zeroblob(32)")  # that schema computed them otherwise
        connection.execute("PRAGMA user_version = 2")
    upgraded = Journal.open(journal.database.path, ManualClock(AT))
    assert upgraded.verify() == ()
    upgraded.close()


def test_what_is_put_in_after_the_upgrade_is_not_taken_into_the_chain(tmp_path):
    path = tmp_path / "journal.sqlite3"
    old_journal(path, 3)
    Journal.open(path, ManualClock(AT)).close()
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO records (at, event, payload) VALUES ('2026', 'access_decided', '{}')")

    journal = Journal.open(path, ManualClock(AT))

    assert journal.verify() == (
        "Record 4, a decision, is not in the chain: it was put in by something else.",
    )
    journal.close()


def test_outcomes_are_numbered_but_not_chained(journal):
    journal.record(
        DoorUnlocked(
            at=AT, decision_id="d_1", person_id="mara", mode="pulse", frame_to_relay_ms=None,
            decision_to_relay_ms=1.0, acknowledged=True,
        )
    )  # fmt: skip

    assert journal.database.query("SELECT max(seq) FROM chain")[0][0] == 10
    assert tamper(journal, "DELETE FROM records WHERE seq = 11") == (
        "1 of 11 records are missing; the last one is 10.",
    )
