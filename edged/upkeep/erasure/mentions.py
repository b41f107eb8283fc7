"""What the rows of other people say about somebody: who corrected a punch, who recorded a consent, what a
receiver answered. The rows of the person themselves are the business of their databases.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from edged.database import Database
from edged.upkeep.files import ATTENDANCE, DELIVERY, LIBRARY, present

_PLACES = {
    ATTENDANCE: (("punches", "punch_id", ("reason", "author")),),
    LIBRARY: (("consents", "consent_id", ("recorded_by", "note")),),
    DELIVERY: (("dead_letters", "letter_id", ("reason",)), ("targets", "name", ("paused_by",))),
}


def erase_mentions(data_dir: Path, clean: Callable[[str], str]) -> int:
    """Take a person out of the words of others.

    Args:
        clean: gives a text without them.

    Returns:
        How many rows had them. Raises as `Database.open`.
    """
    changed = 0
    for name, package in present(data_dir).items():
        for place in _PLACES.get(name, ()):
            database = Database.open(data_dir / name, package=package)
            try:
                with database.transaction() as connection:
                    changed += _clean_table(connection, *place, clean)
            finally:
                database.close()
    return changed


def _clean_table(
    connection: sqlite3.Connection,
    table: str,
    key: str,
    columns: tuple[str, ...],
    clean: Callable[[str], str],
) -> int:
    cleaned = []
    for row in connection.execute(f"SELECT {key}, {', '.join(columns)} FROM {table}").fetchall():
        before = list(row)[1:]
        after = [clean(text) if text is not None else None for text in before]
        if after != before:
            cleaned.append((*after, row[0]))
    if cleaned:
        # ledgers refuse every change; for this one their triggers step aside, in the same transaction
        triggers = connection.execute(
            "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?", [table]
        ).fetchall()
        for trigger in triggers:
            connection.execute(f"DROP TRIGGER {trigger[0]}")
        marks = ", ".join(f"{column} = ?" for column in columns)
        connection.executemany(f"UPDATE {table} SET {marks} WHERE {key} = ?", cleaned)
        for trigger in triggers:
            connection.execute(trigger[1])
    return len(cleaned)
