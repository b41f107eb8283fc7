"""Removes records whose time is over, and records that it did. The caller decides when."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta

from edged.clock import iso
from edged.database import Database
from edged.events import JournalPruned
from edged.journal.room import BATCH, Room, remove_details
from edged.journal.snapshots import SnapshotFolder
from edged.journal.writer import Journal

DOUBT_H = 24
"""Hours without removals after the clock stepped by an hour or more: ages may be wrong until then."""

DOUBTFUL_STEP_S = 3600.0


@dataclass(frozen=True)
class KeepDays:
    """Days for which each class is kept; 0: for ever."""

    records: int
    details: int
    snapshots: int


@dataclass(frozen=True)
class Removed:
    """Rows and pictures that one run removed. `in_doubt`: none, because the clock stepped not long ago."""

    details: int = 0
    records: int = 0
    snapshots: int = 0
    in_doubt: bool = False


class Retention:
    """Enforces the longest age of records, details and pictures.

    A run removes records from the oldest number on, up to the first that is young enough, so a clock that was
    wrong for a while removes nothing out of turn. Undelivered records and grants without outcome stay.
    """

    def __init__(self, journal: Journal, room: Room, snapshots: SnapshotFolder, keep: KeepDays) -> None:
        self._journal = journal
        self._database: Database = journal.database
        self._room = room
        self._snapshots = snapshots
        self._keep = keep

    def run(self, now: datetime) -> Removed:
        """Remove all that is too old at `now`. Raises EdgedError, see `Database.transaction`."""
        if self._clock_in_doubt(now):
            return Removed(in_doubt=True)
        details = self._remove_details(now)
        records = self._remove_records(now)
        pictures = self._remove_snapshots(now) if self._keep.snapshots else 0
        return Removed(details, records, pictures)

    def _clock_in_doubt(self, now: datetime) -> bool:
        """Whether the clock stepped by an hour within the last day; arrival counts, as dates may be wrong."""
        rows = self._database.query(
            "SELECT 1 FROM records WHERE event = 'clock_stepped' AND received_at >= ? "
            "AND abs(json_extract(payload, '$.by_s')) >= ? LIMIT 1",
            (iso(now - timedelta(hours=DOUBT_H)), DOUBTFUL_STEP_S),
        )
        return bool(rows)

    def _remove_details(self, now: datetime) -> int:
        days = self._keep.details
        if not days:
            return 0
        after = self._database.query("SELECT until_seq FROM removals WHERE kind = 'details'")[0][0]
        below = min(self._first_young(now - timedelta(days=days), after), self._room.protected_from())
        removed = 0
        while batch := remove_details(self._database, below):
            removed += batch
        if removed:
            until = self._database.query("SELECT until_seq FROM removals WHERE kind = 'details'")[0][0]
            self._journal.write(
                JournalPruned(at=now, code="details_expired", removed=removed, until_seq=until)
            )
        return removed

    def _remove_records(self, now: datetime) -> int:
        if not self._keep.records:
            return 0
        below = min(
            self._first_young(now - timedelta(days=self._keep.records), 0),
            self._room.protected_from(),
            min((grant.seq for grant in self._journal.unfinished_grants()), default=2**62),
        )
        removed = 0
        while batch := self._remove_batch(now, below):
            removed += batch
        return removed

    def _remove_batch(self, now: datetime, below: int) -> int:
        seqs = [
            row[0]
            for row in self._database.query(
                "SELECT seq FROM records WHERE seq < ? ORDER BY seq LIMIT ?", (below, BATCH)
            )
        ]
        if not seqs:
            return 0
        links = self._database.query(
            "SELECT position, hash FROM chain WHERE seq <= ? ORDER BY position", (seqs[-1],)
        )
        decisions = [
            row[0]
            for row in self._database.query(
                "SELECT decision_id FROM records WHERE seq <= ? AND event = 'access_decided'", (seqs[-1],)
            )
        ]
        event = JournalPruned(
            at=now,
            code="records_expired",
            removed=len(seqs),
            until_seq=seqs[-1],
            decisions=len(decisions),
            chain_position=links[-1][0] if links else 0,
            chain_hash=bytes(links[-1][1]).hex() if links else "",
        )
        # pictures first: a crash in between must leave none without its decision
        self._snapshots.forget(decisions)
        self._journal.write(event, lambda connection, seq: _cut(connection, event))
        return len(seqs)

    def _remove_snapshots(self, now: datetime) -> int:
        rows = self._database.query(
            "SELECT decision_id FROM snapshots WHERE at < ?",
            (iso(now - timedelta(days=self._keep.snapshots)),),
        )
        return self._snapshots.forget(row[0] for row in rows)

    def _first_young(self, since: datetime, after: int) -> int:
        """Number of the first record after `after` that is not older than `since`."""
        rows = self._database.query(
            "SELECT seq FROM records WHERE seq > ? AND coalesce(received_at, at) >= ? ORDER BY seq LIMIT 1",
            (after, iso(since)),
        )
        return rows[0][0] if rows else self._journal.last_seq() + 1


def _cut(connection: sqlite3.Connection, event: JournalPruned) -> None:
    """Remove all records up to `event.until_seq` with their links, in the transaction that writes `event`."""
    connection.execute("DELETE FROM records WHERE seq <= ?", (event.until_seq,))
    connection.execute("DELETE FROM chain WHERE seq <= ?", (event.until_seq,))
    if event.chain_position:
        connection.execute(
            "UPDATE anchor SET position = ?, hash = ?",
            (event.chain_position, bytes.fromhex(event.chain_hash)),
        )
    connection.execute(
        "UPDATE removals SET removed = removed + ?, until_seq = max(until_seq, ?) WHERE kind = 'expired'",
        (event.removed, event.until_seq),
    )
