"""Where each target stands in the journal, what is paused, what was put aside. Kept in `delivery.db`.

Records stay in the journal; here are only their numbers. A place is written without waiting for the disk:
after a power cut a target may be sent its last seconds again, under the same ids. Orders of people are
written through.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from edged.clock import Clock, iso
from edged.database import Database
from edged.errors import NotFound
from edged.record import Record

FILE_NAME = "delivery.db"
PACKAGE = "edged.delivery"


@dataclass(frozen=True)
class Place:
    """Where one target stands.

    Attributes:
        configured: it is in the configuration of the daemon that ran last.
        series: how many journals it was fed from.
        seq: number of the last record that is dealt with, 0 for none.
        at, event: time and kind of that record; None before the first.
        delivered: records acknowledged so far.
        dead: records put aside.
        paused_at, paused_by: when and by whom it was paused; None while it runs.
    """

    name: str
    configured: bool
    series: int
    seq: int
    at: str | None
    event: str | None
    delivered: int
    delivered_at: str | None
    paused_at: str | None
    paused_by: str | None
    dead: int


@dataclass(frozen=True)
class DeadLetter:
    """A record that a target would not take."""

    letter_id: int
    target: str
    series: int
    seq: int
    event: str
    code: str
    reason: str
    attempts: int
    at: str
    retry: bool


@dataclass(frozen=True)
class Refusal:
    """Why and after how many attempts a record is put aside; `reason` names no person."""

    record: Record
    code: str
    reason: str
    attempts: int


_PLACES = """SELECT targets.*, (SELECT count(*) FROM dead_letters WHERE target = targets.name) AS dead
    FROM targets"""


class Outbox:
    """All places of one data directory. Safe to use from any thread."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Use `open()` or `open_readonly()`."""
        self._database = database
        self._clock = clock

    @classmethod
    def open(cls, data_dir: Path, clock: Clock) -> Outbox:
        """Open `data_dir/delivery.db`, made when absent. Errors: see `Database.open`."""
        return cls(Database.open(data_dir / FILE_NAME, package=PACKAGE), clock)

    @classmethod
    def open_readonly(cls, data_dir: Path, clock: Clock) -> Outbox:
        """Open for reading, beside a running daemon. Raises NotFound (`delivery_missing`)."""
        if not (data_dir / FILE_NAME).is_file():
            raise NotFound(
                f"Nothing was ever delivered from {data_dir}.",
                code="delivery_missing",
                hint="Add targets to the section delivery and start the daemon; is this its data directory?",
            )
        return cls(Database.open_readonly(data_dir / FILE_NAME, package=PACKAGE), clock)

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    # -- reading

    def places(self) -> list[Place]:
        """All targets ever configured, by name."""
        return [_place(row) for row in self._database.query(f"{_PLACES} ORDER BY name")]

    def place(self, name: str) -> Place:
        """One target. Raises NotFound (`target_unknown`) with the names there are."""
        rows = self._database.query(f"{_PLACES} WHERE name = ?", [name])
        if not rows:
            names = ", ".join(place.name for place in self.places()) or "none"
            raise NotFound(
                f"No target is called {name!r}; there are: {names}.",
                code="target_unknown",
                hint="A new target is known from the next start of the daemon on.",
            )
        return _place(rows[0])

    def letters(self, name: str | None = None, limit: int | None = None) -> list[DeadLetter]:
        """Records put aside, the newest first, of one target or of all."""
        rows = self._database.query(
            "SELECT * FROM dead_letters WHERE ? IS NULL OR target = ? ORDER BY letter_id DESC LIMIT ?",
            [name, name, -1 if limit is None else limit],
        )
        return [_letter(row) for row in rows]

    def next_retry(self, name: str) -> DeadLetter | None:
        """The oldest record put aside that somebody wants to be tried again."""
        rows = self._database.query(
            "SELECT * FROM dead_letters WHERE target = ? AND retry = 1 ORDER BY letter_id LIMIT 1", [name]
        )
        return _letter(rows[0]) if rows else None

    def undelivered_from(self) -> int | None:
        """Number of the first record that a configured target is still to get; None without targets.

        It may be the number of a record that is yet to be written. Records put aside do not count.
        """
        rows = self._database.query("SELECT min(seq) AS seq FROM targets WHERE configured = 1")
        return None if rows[0]["seq"] is None else int(rows[0]["seq"]) + 1

    # -- what the daemon does

    def configure(self, starts: Mapping[str, int]) -> None:
        """Make these the configured targets; those that are new begin after the given record."""
        with self._database.transaction() as connection:
            connection.execute("UPDATE targets SET configured = 0")
            connection.executemany(
                "INSERT INTO targets (name, configured, seq) VALUES (?, 1, ?) "
                "ON CONFLICT (name) DO UPDATE SET configured = 1",
                list(starts.items()),
            )

    def advance(self, name: str, last: Record, delivered: int, refusals: Iterable[Refusal] = ()) -> None:
        """Everything up to `last` is dealt with: so many were acknowledged, these were refused."""
        with self._database.transaction(durable=False) as connection:
            series = connection.execute("SELECT series FROM targets WHERE name = ?", [name]).fetchone()[0]
            connection.executemany(
                "INSERT OR IGNORE INTO dead_letters (target, series, seq, event, code, reason, attempts, at) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (name, series, r.record.seq, r.record.event, r.code, r.reason, r.attempts, self._now())
                    for r in refusals
                ],
            )
            connection.execute(
                "UPDATE targets SET seq = ?, at = ?, event = ? WHERE name = ?",
                [last.seq, iso(last.at), last.event, name],
            )
            self._count(connection, name, delivered)

    def begin_series(self, name: str, seq: int) -> None:
        """The journal was replaced by another: go on after `seq` of it, under ids of a new series."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE targets SET series = series + 1, seq = ?, at = NULL, event = NULL WHERE name = ?",
                [seq, name],
            )

    def letter_taken(self, letter: DeadLetter) -> None:
        """A record put aside was acknowledged after all."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM dead_letters WHERE letter_id = ?", [letter.letter_id])
            self._count(connection, letter.target, 1)

    def letter_refused(self, letter: DeadLetter, code: str, reason: str) -> None:
        """It was not; it stays where it is until somebody asks again."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE dead_letters SET retry = 0, attempts = attempts + 1, code = ?, reason = ?, at = ? "
                "WHERE letter_id = ?",
                [code, reason, self._now(), letter.letter_id],
            )

    # -- what people order

    def pause(self, name: str, by: str) -> bool:
        """Stop delivering to a target until `resume`, also after restarts. False: it was paused before."""
        if self.place(name).paused_at is not None:
            return False
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE targets SET paused_at = ?, paused_by = ? WHERE name = ?", [self._now(), by, name]
            )
        return True

    def resume(self, name: str) -> bool:
        """Go on delivering. False: it was not paused."""
        paused = self.place(name).paused_at is not None
        with self._database.transaction() as connection:
            connection.execute("UPDATE targets SET paused_at = NULL, paused_by = NULL WHERE name = ?", [name])
        return paused

    def retry(self, name: str, letter_id: int | None = None) -> int:
        """Have records put aside tried again, one or all of a target.

        Returns:
            How many.

        Raises:
            NotFound: `target_unknown`, `letter_unknown`.
        """
        self.place(name)
        with self._database.transaction() as connection:
            marked = connection.execute(
                "UPDATE dead_letters SET retry = 1 WHERE target = ? AND (? IS NULL OR letter_id = ?)",
                [name, letter_id, letter_id],
            ).rowcount
        if letter_id is not None and not marked:
            raise NotFound(
                f"{name} has no dead letter {letter_id}.",
                code="letter_unknown",
                hint="`edged delivery dead` lists them with their numbers.",
            )
        return marked

    def _count(self, connection: sqlite3.Connection, name: str, delivered: int) -> None:
        if delivered:
            connection.execute(
                "UPDATE targets SET delivered = delivered + ?, delivered_at = ? WHERE name = ?",
                [delivered, self._now(), name],
            )

    def _now(self) -> str:
        return iso(self._clock.now())


def undelivered_from(data_dir: Path, clock: Clock) -> int | None:
    """`Outbox.undelivered_from` of a data directory; None where nothing was ever delivered."""
    if not (data_dir / FILE_NAME).is_file():
        return None
    outbox = Outbox.open_readonly(data_dir, clock)
    try:
        return outbox.undelivered_from()
    finally:
        outbox.close()


def written_at(place: Place) -> datetime | None:
    """Time of the last record that is dealt with."""
    return None if place.at is None else datetime.fromisoformat(place.at)


def _place(row: sqlite3.Row) -> Place:
    return Place(**{**dict(row), "configured": bool(row["configured"])})


def _letter(row: sqlite3.Row) -> DeadLetter:
    return DeadLetter(**{**dict(row), "retry": bool(row["retry"])})


def place_dict(place: Place, newest: int) -> dict[str, Any]:
    """JSON-ready. `behind`: records that were not looked at yet, wanted or not."""
    return {
        "target": place.name,
        "delivered": place.delivered,
        "delivered_at": place.delivered_at,
        "seq": place.seq,
        "behind": max(0, newest - place.seq),
        "dead": place.dead,
        "paused_at": place.paused_at,
        "paused_by": place.paused_by,
    }
