"""Rows that a worn disk has changed: the others can still be read, and nothing goes round for ever."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from delivery_rig import DEVICE, ListTarget, Rig

from edged.clock import ManualClock
from edged.errors import NeedsOperator
from edged.events import TrackStarted
from edged.journal import Journal, JournalReader, journal_path

AT = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
LEAF = 0x0D  # page of a table's rows (sqlite.org/fileformat2.html, 1.6)


@pytest.fixture
def path(tmp_path):
    """A journal of five records, closed."""
    journal = Journal.open(journal_path(tmp_path), ManualClock(AT))
    for number in range(1, 6):
        journal.record(TrackStarted(at=AT, passage_id=f"p_{number}", track_id=number))
    journal.close()
    return journal_path(tmp_path)


def change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


def put_last_row_out_of_order(path: Path) -> None:
    """Give the last row the number of the first, in the bytes of the file."""
    with closing(sqlite3.connect(path)) as connection:
        size, page = connection.execute(
            "SELECT page_size, rootpage FROM pragma_page_size, sqlite_schema WHERE name = 'records'"
        ).fetchone()
    content, start = bytearray(path.read_bytes()), (page - 1) * size
    assert content[start] == LEAF
    cells = int.from_bytes(content[start + 3 : start + 5], "big")
    last = start + int.from_bytes(content[start + 8 + 2 * cells - 2 : start + 8 + 2 * cells], "big")
    assert content[last + 2] == 5  # after two bytes for the length
    content[last + 2] = 1
    path.write_bytes(content)


@pytest.mark.parametrize("content", ["'{\"event\": '", "'[]'", "CAST(x'7bff00' AS TEXT)"])
def test_a_row_that_cannot_be_read_is_named_and_hides_no_other(path, content):
    change(path, f"UPDATE records SET payload = {content} WHERE seq = 3")
    with closing(JournalReader.open_readonly(path)) as journal:
        events = [(record.seq, record.event) for record in journal.iterate()]
    assert events[2] == (3, "record_damaged")
    assert [event for _, event in events if event != "record_damaged"] == ["track_started"] * 4


def test_a_row_that_cannot_be_read_shows_in_the_verification(path):
    change(path, "UPDATE records SET payload = '{' WHERE seq = 3")
    with closing(JournalReader.open_readonly(path)) as journal:
        assert journal.verify() == ("Record 3 cannot be read: its content was changed.",)


def test_rows_out_of_order_end_the_reading(path):
    put_last_row_out_of_order(path)
    with closing(JournalReader.open_readonly(path)) as journal:
        with pytest.raises(NeedsOperator) as raised:
            list(journal.iterate())
        assert raised.value.code == "database_corrupt"


def test_a_row_that_cannot_be_read_does_not_hold_up_a_target(tmp_path):
    rig = Rig(tmp_path, ListTarget(), events=["decisions", "alarms"])
    rig.decide(1, 2, 3)
    change(journal_path(tmp_path), "UPDATE records SET payload = '{' WHERE seq = 2")
    rig.run()
    rig.close()
    assert [(m.id, m.event) for m in rig.target.taken] == [
        (f"{DEVICE}-1", "access_decided"),
        (f"{DEVICE}-2", "record_damaged"),
        (f"{DEVICE}-3", "access_decided"),
    ]
