"""Whether a journal is whole: its pages, its numbers, its hash chain. Reads only."""

from __future__ import annotations

from collections.abc import Iterator

from edged.database import Database
from edged.journal import chain


def problems(database: Database) -> Iterator[str]:
    """Faults, one sentence each; see `JournalReader.verify`."""
    answers = [row[0] for row in database.query("PRAGMA integrity_check(20)")]
    if answers != ["ok"]:
        yield from (f"The file is damaged: {answer}." for answer in answers)
        return  # other answers of a damaged file are worth nothing
    yield from _missing(database)
    yield from _unreadable(database)
    yield from chain.problems(database)


def issued(database: Database) -> int:
    """The largest number the journal ever gave; 0 before the first."""
    given = database.query("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'records'")[0][0]
    return int(given)


def _missing(database: Database) -> Iterator[str]:
    """Missing records: numbers without a record must be among those removed or skipped."""
    last_issued = issued(database)
    count, last = database.query("SELECT count(*), coalesce(max(seq), 0) FROM records")[0]
    removed, until = database.query(
        "SELECT coalesce(sum(removed), 0), coalesce(max(until_seq), 0) FROM removals"
    )[0]
    skipped = _skipped(database, 0)
    missing = last_issued - count - removed - skipped
    beyond = last_issued - until - _skipped(database, until)
    beyond -= database.query("SELECT count(*) FROM records WHERE seq > ?", (until,))[0][0]
    if missing or beyond:
        lost = max(missing, beyond)
        yield f"{lost} of {last_issued} records are missing; the last one is {last}."


def _unreadable(database: Database) -> Iterator[str]:
    """Damaged records outside the chain."""
    rows = database.query(
        "SELECT seq FROM records WHERE NOT json_valid(payload) AND seq NOT IN (SELECT seq FROM chain) "
        "ORDER BY seq LIMIT 20"
    )
    yield from (f"Record {row['seq']} cannot be read: its content was changed." for row in rows)


def _skipped(database: Database, after: int) -> int:
    row = database.query(
        "SELECT coalesce(sum(last_seq - max(first_seq, ? + 1) + 1), 0) FROM gaps WHERE last_seq > ?",
        (after, after),
    )[0]
    return int(row[0])
