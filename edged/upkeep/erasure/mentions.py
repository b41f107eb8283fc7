"""Erases a person from the rows of others: author of a correction, witness of a consent, answer of a
receiver.

Their own rows are up to `forget`.
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
    """Erase a person from the rows of others.

    Args:
        clean: gives a text without the person.

    Returns:
        Number of rows that named them.

    Raises:
        EdgedError: see `Database.open`.
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
        # the triggers of a ledger refuse every change, so they go and come back in the same transaction
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
