"""The numbers of a journal put back from a backup: it must give none of them twice."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from edged.clock import Clock, iso
from edged.database import Database
from edged.events import JournalRestored
from edged.journal.reader import PACKAGE
from edged.journal.writer import Journal

UNKNOWN_LOSS = 1_000_000
"""Numbers to skip when nobody knows how many the journal gave since the backup: years of records."""


def issued_by(path: Path) -> int | None:
    """The largest number a journal has given, also from a damaged file; None when that cannot be read."""
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'records'").fetchone()
    except sqlite3.Error:
        return None
    return int(row[0]) if row else 0


def resume(
    path: Path, clock: Clock, event: JournalRestored, issued: int | None, device: str
) -> JournalRestored:
    """Go on after the last number the journal ever gave, and record the gap and its reason.

    Args:
        path: the journal that was put back.
        event: what happened, without the skipped numbers.
        issued: the largest number given before; None when nobody knows.
        device: id of this box.

    Returns:
        The event as written, with the skipped numbers.

    Raises:
        EdgedError: see `Database.open`.
    """
    database = Database.open(path, package=PACKAGE)
    try:
        own = _own(database)
        last = own + UNKNOWN_LOSS if issued is None else max(own, issued)
        with database.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO facts VALUES ('device_id', ?)", (device,))
            if last > own:
                connection.execute(
                    "INSERT INTO gaps VALUES (?, ?, ?, ?)", (own + 1, last, event.code, iso(clock.now()))
                )
                connection.execute("DELETE FROM sqlite_sequence WHERE name = 'records'")
                connection.execute("INSERT INTO sqlite_sequence VALUES ('records', ?)", (last,))
    finally:
        database.close()
    lost = f" Numbers {own + 1} to {last} are skipped." if last > own else ""
    written = JournalRestored(
        at=event.at,
        file=event.file,
        code=event.code,
        reason=event.reason + lost,
        backup_at=event.backup_at,
        kept_in=event.kept_in,
        lost_from_seq=own + 1 if last > own else None,
        lost_to_seq=last if last > own else None,
    )
    journal = Journal.open(path, clock)
    try:
        journal.write(written)
    finally:
        journal.close()
    return written


def _own(database: Database) -> int:
    rows = database.query("SELECT seq FROM sqlite_sequence WHERE name = 'records'")
    return int(rows[0][0]) if rows else 0
