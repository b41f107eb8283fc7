"""Where each target stands in the journal, which are paused, and the dead letters. Kept in `delivery.db`.

Records stay in the journal; here are only their numbers. A place is written without waiting for the disk:
after a power cut a target may get its last seconds again, under the same ids. What operators order is on the
disk when the call returns.
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
class TargetPlace:
    """Where one target stands.

    Attributes:
        configured: it is in the configuration of the daemon that ran last.
        series: number of journals that have fed it.
        seq: number of the last record it is done with, 0 for none.
        at, event: time and name of that record; None before the first.
        delivered: records that it has acknowledged so far.
        dead: its dead letters.
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
    """A record that a target would not take.

    Attributes:
        letter_id: number of the dead letter, for people.
        series, seq: which record; see `TargetPlace`.
        code, reason: the last refusal; `reason` names no person.
        attempts: times the record was sent.
        at: time of the last attempt, ISO 8601 UTC.
        retry: an operator wants it sent again.
    """

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
    """Why and after how many attempts a record becomes a dead letter; `reason` names no person."""

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

    def places(self) -> list[TargetPlace]:
        """All targets ever configured, by name."""
        return [_place(row) for row in self._database.query(f"{_PLACES} ORDER BY name")]

    def place(self, name: str) -> TargetPlace:
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

    def dead_letters(self, name: str | None = None, limit: int | None = None) -> list[DeadLetter]:
        """Dead letters of one target or of all, the newest first."""
        rows = self._database.query(
            "SELECT * FROM dead_letters WHERE ? IS NULL OR target = ? ORDER BY letter_id DESC LIMIT ?",
            [name, name, -1 if limit is None else limit],
        )
        return [_dead_letter(row) for row in rows]

    def next_retry(self, name: str) -> DeadLetter | None:
        """The oldest dead letter that an operator wants sent again; None when there is none."""
        rows = self._database.query(
            "SELECT * FROM dead_letters WHERE target = ? AND retry = 1 ORDER BY letter_id LIMIT 1", [name]
        )
        return _dead_letter(rows[0]) if rows else None

    def undelivered_from(self) -> int | None:
        """Number of the first record that a configured target is still to get; None without targets.

        It may be the number of a record that is yet to be written. Dead letters do not count.
        """
        rows = self._database.query("SELECT min(seq) AS seq FROM targets WHERE configured = 1")
        return None if rows[0]["seq"] is None else int(rows[0]["seq"]) + 1

    # -- for the daemon

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
        """Move the place of a target to `last`.

        Args:
            delivered: records up to `last` that the target has acknowledged.
            refusals: records up to `last` that it refused; they become dead letters.
        """
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
        """Another journal has replaced the former one: go on after its `seq`, under ids of a new series."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE targets SET series = series + 1, seq = ?, at = NULL, event = NULL WHERE name = ?",
                [seq, name],
            )

    def dead_letter_taken(self, dead: DeadLetter) -> None:
        """The target has acknowledged a dead letter after all: it is one no longer."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM dead_letters WHERE letter_id = ?", [dead.letter_id])
            self._count(connection, dead.target, 1)

    def dead_letter_refused(self, dead: DeadLetter, code: str, reason: str) -> None:
        """The target has refused it again: it stays until an operator asks once more."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE dead_letters SET retry = 0, attempts = attempts + 1, code = ?, reason = ?, at = ? "
                "WHERE letter_id = ?",
                [code, reason, self._now(), dead.letter_id],
            )

    # -- for operators

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
        """Have dead letters sent again, one or all of a target.

        Returns:
            How many dead letters will be sent again.

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


def written_at(place: TargetPlace) -> datetime | None:
    """Time of the last record that the target is done with, aware; None before the first."""
    return None if place.at is None else datetime.fromisoformat(place.at)


def _place(row: sqlite3.Row) -> TargetPlace:
    return TargetPlace(**{**dict(row), "configured": bool(row["configured"])})


def _dead_letter(row: sqlite3.Row) -> DeadLetter:
    return DeadLetter(**{**dict(row), "retry": bool(row["retry"])})


def place_dict(place: TargetPlace, newest: int) -> dict[str, Any]:
    """`place`, JSON-ready. `behind`: records after it up to `newest`, wanted by the target or not."""
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
