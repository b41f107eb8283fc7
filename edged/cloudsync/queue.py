"""Queue of people to align with the cloud, in the library's file.

`cloud_ledger.py` fills it in the transaction of a change; one entry a person. Sends nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from edged.clock import Clock, iso
from edged.database import Database
from edged.errors import EdgedError
from edged.library import cloud_ledger

LONGEST_WAIT_S: Final = 3600.0
"""Longest wait of an entry for its next attempt, seconds."""


@dataclass(frozen=True)
class Entry:
    """A person to align with the cloud; a row of the table `cloud_queue`."""

    cloud_id: str
    version: int
    queued_at: datetime
    next_at: datetime
    attempts: int
    set_aside: bool
    error_code: str
    error: str


@dataclass(frozen=True)
class SyncStatus:
    """Progress of the synchronisation, as known without asking the cloud.

    Attributes:
        waiting: entries to try or to try again.
        set_aside: entries that need a person to act.
        erasures: erased people whose deletion the cloud has not confirmed yet.
        people: people (of this library) in the cloud.
        oldest_at: since when the oldest entry waits.
    """

    waiting: int
    set_aside: int
    erasures: int
    people: int
    oldest_at: datetime | None
    last_success_at: datetime | None
    last_error_at: datetime | None
    last_error_code: str
    last_error: str
    last_use_at: datetime | None


class CloudQueue:
    """The queue of one library, and the results of working on it. Safe to use from any thread.

    Args:
        database: the library's.
        clock: wall time.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    # -- entries

    def due(self, limit: int = 100) -> tuple[Entry, ...]:
        """Entries whose time has come, longest overdue first."""
        now = self._clock.now()
        # after the clock was set back, no entry may wait for ever
        return self._entries(
            "set_aside = 0 AND (next_at <= ? OR next_at > ?) ORDER BY next_at, cloud_id LIMIT ?",
            [iso(now), iso(now + timedelta(seconds=LONGEST_WAIT_S)), limit],
        )

    def entries(self) -> tuple[Entry, ...]:
        """The whole queue; entries set aside come last."""
        return self._entries("1 ORDER BY set_aside, next_at, cloud_id", [])

    def next_at(self) -> datetime | None:
        """When the next entry is due; None: no entry waits."""
        return _moment(self._database.query("SELECT min(next_at) FROM cloud_queue WHERE set_aside = 0")[0][0])

    def entry(self, cloud_id: str) -> Entry | None:
        """The entry of one id, if it is queued."""
        found = self._entries("cloud_id = ?", [cloud_id])
        return found[0] if found else None

    def done(self, entry: Entry) -> None:
        """Remove an entry, unless it was queued again meanwhile. For an erased person this also removes the
        last trace once the cloud holds nothing of them."""
        with self._database.transaction() as connection:
            connection.execute("UPDATE cloud_state SET last_success_at = ?", [iso(self._clock.now())])
            gone = connection.execute(
                "DELETE FROM cloud_queue WHERE cloud_id = ? AND version = ?", [entry.cloud_id, entry.version]
            ).rowcount
            erased = connection.execute(
                "SELECT 1 FROM cloud_ids WHERE cloud_id = ? AND erased_at IS NOT NULL "
                "AND cloud_id NOT IN (SELECT cloud_id FROM cloud_users)",
                [entry.cloud_id],
            ).fetchone()
            if gone and erased:
                cloud_ledger.forget(connection, entry.cloud_id)
                connection.execute(
                    "UPDATE cloud_state SET last_error = '' WHERE instr(last_error, ?)", [entry.cloud_id]
                )
        if gone and erased:
            # the log still holds the old pages
            self._database.query("PRAGMA wal_checkpoint(TRUNCATE)")

    def postpone(self, entry: Entry, seconds: float, error: EdgedError | None = None) -> None:
        """Try an entry again in `seconds`; `error`: count it as a failed attempt."""
        next_at = iso(self._clock.now() + timedelta(seconds=min(seconds, LONGEST_WAIT_S)))
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE cloud_queue SET next_at = ? WHERE cloud_id = ? AND version = ?",
                [next_at, entry.cloud_id, entry.version],
            )
            if error is not None:
                self._note_error(connection, entry, error, set_aside=False)

    def set_aside(self, entry: Entry, error: EdgedError) -> None:
        """Do not try an entry again until the person changes or an operator asks for it."""
        with self._database.transaction() as connection:
            self._note_error(connection, entry, error, set_aside=True)

    def _note_error(
        self, connection: sqlite3.Connection, entry: Entry, error: EdgedError, *, set_aside: bool
    ) -> None:
        text = str(error)
        connection.execute(
            "UPDATE cloud_queue SET attempts = attempts + 1, set_aside = ?, error_code = ?, error = ? "
            "WHERE cloud_id = ? AND version = ?",
            [int(set_aside), error.code, text, entry.cloud_id, entry.version],
        )
        connection.execute(
            "UPDATE cloud_state SET last_error_at = ?, last_error_code = ?, last_error = ?",
            [iso(self._clock.now()), error.code, text],
        )

    def _entries(self, condition: str, values: Sequence[object]) -> tuple[Entry, ...]:
        rows = self._database.query(f"SELECT * FROM cloud_queue WHERE {condition}", values)
        return tuple(
            Entry(
                cloud_id=row["cloud_id"],
                version=row["version"],
                queued_at=datetime.fromisoformat(row["queued_at"]),
                next_at=datetime.fromisoformat(row["next_at"]),
                attempts=row["attempts"],
                set_aside=bool(row["set_aside"]),
                error_code=row["error_code"],
                error=row["error"],
            )
            for row in rows
        )

    # -- whole queue

    def library(self) -> str:
        """The library in the cloud (server, kind, groups) for which everybody was last queued."""
        return str(self._database.query("SELECT library FROM cloud_state")[0][0])

    def set_library(self, description: str) -> None:
        """Note that everybody is queued for that library."""
        with self._database.transaction() as connection:
            connection.execute("UPDATE cloud_state SET library = ?", [description])

    def status(self) -> SyncStatus:
        """Progress of the synchronisation; does not ask the cloud."""
        row = self._database.query(
            "SELECT *, (SELECT count(*) FROM cloud_queue WHERE set_aside = 0) AS waiting, "
            "(SELECT count(*) FROM cloud_queue WHERE set_aside = 1) AS aside, "
            "(SELECT count(*) FROM cloud_ids WHERE erased_at IS NOT NULL) AS erasures, "
            "(SELECT count(DISTINCT cloud_id) FROM cloud_users) AS people, "
            "(SELECT min(queued_at) FROM cloud_queue) AS oldest_at FROM cloud_state"
        )[0]
        return SyncStatus(
            waiting=row["waiting"],
            set_aside=row["aside"],
            erasures=row["erasures"],
            people=row["people"],
            oldest_at=_moment(row["oldest_at"]),
            last_success_at=_moment(row["last_success_at"]),
            last_error_at=_moment(row["last_error_at"]),
            last_error_code=row["last_error_code"],
            last_error=row["last_error"],
            last_use_at=_moment(row["last_use_at"]),
        )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
