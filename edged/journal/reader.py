"""Reads the journal: by time, passage, person and id. Works beside a running daemon when opened read-only."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from edged.clock import iso
from edged.database import Database
from edged.database.errors import corrupt
from edged.errors import NotFound
from edged.journal import verifying
from edged.record import Record, record_of, storable

JOURNAL_FILE = "journal.sqlite3"
PACKAGE = "edged.journal"
PAGE = 500
_LAST_CHARACTER = chr(0x10FFFF)
_NEAR_AMONG = 1000  # newest ids looked through for a likeness

UNDECIDED = "undecided"
_IS_UNDECIDED = """(event = 'track_ended' AND NOT EXISTS (SELECT 1 FROM records AS decision
    WHERE decision.passage_id = records.passage_id AND decision.event = 'access_decided'))"""
_IS_PASSAGE = f"(event = 'access_decided' OR {_IS_UNDECIDED})"

Records = list[Record]


def journal_path(data_dir: Path) -> Path:
    """Where the journal of a box lies."""
    return data_dir / JOURNAL_FILE


class JournalReader:
    """Records by time, passage, person and id."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open_readonly(cls, path: Path) -> JournalReader:
        """Open for reading, beside a running daemon or without one.

        Raises:
            NotFound: `journal_missing`, there is no journal at `path`.
            NeedsOperator, RetryLater, Misconfigured: see `Database.open_readonly`.
        """
        if not path.is_file():
            raise NotFound(
                f"There is no journal yet at {path}.",
                code="journal_missing",
                hint="It is made when the daemon starts for the first time; is this its data directory?",
            )
        return cls(Database.open_readonly(path, package=PACKAGE))

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    @property
    def database(self) -> Database:
        """The file, for the other tables of this package."""
        return self._database

    def settle(self) -> None:
        """Wait until everything that can be read now is on the disk, see `Database.settle`."""
        self._database.settle()

    def list(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        person: str | None = None,
        outcome: str | None = None,
        event: str | None = None,
        passages: bool = False,
        limit: int | None = 100,
        newest_first: bool = True,
        before_seq: int | None = None,
        after_seq: int | None = None,
    ) -> Records:
        """Records that fulfil all conditions.

        Args:
            since, until: aware; `since` <= time < `until`.
            person: a person id.
            outcome: `granted`, `denied`, or `undecided`: the ends of passages without a decision.
            event: name of an event, e.g. `door_unlocked`.
            passages: one record per passage, its decision or else its end.
            limit: at most so many; None for all (use `iterate()` for many).
            newest_first: False for the order of writing.
            before_seq, after_seq: only records before or after this sequence number, for paging.

        Raises:
            NeedsOperator: `database_corrupt`, …: see `Database.open`.
        """
        wanted: list[tuple[str, Any]] = [
            ("at >= ?", since and iso(since)),
            ("at < ?", until and iso(until)),
            ("person_id = ?", person),
            ("outcome = ?", None if outcome == UNDECIDED else outcome),
            ("event = ?", event),
            ("seq < ?", before_seq),
            ("seq > ?", after_seq),
        ]
        given = [(condition, value) for condition, value in wanted if value is not None]
        conditions = [condition for condition, _ in given]
        if outcome == UNDECIDED or passages:
            conditions.append(_IS_UNDECIDED if outcome == UNDECIDED else _IS_PASSAGE)
        where = " AND ".join(conditions) or "1"
        order = "DESC" if newest_first else "ASC"
        found = self._records(
            f"WHERE {where} ORDER BY seq {order} LIMIT ?",
            *(value for _, value in given),
            -1 if limit is None else limit,
        )
        if found and after_seq is not None and found[-1].seq <= after_seq:  # paging would never end
            raise corrupt(self._database.path, "its rows are out of order")
        return found

    def iterate(self, **conditions: Any) -> Iterator[Record]:
        """All records that fulfil `conditions` (see `list`), oldest first, without holding them all."""
        after = 0
        while page := self.list(newest_first=False, limit=PAGE, after_seq=after, **conditions):
            yield from page
            after = page[-1].seq

    def passage(self, passage_id: str) -> Records:
        """Everything written about one passage, in the order of writing; empty when it is unknown."""
        return self._records("WHERE passage_id = ? ORDER BY seq", passage_id)

    def find(self, identifier: str) -> Records:
        """The whole story that `identifier` belongs to, in the order of writing.

        Args:
            identifier: a passage id, a decision id, the beginning of either if only one begins so, or a
                sequence number.

        Returns:
            All records of the passage (or of the decision, or the one record, when there is no passage),
            with the moment the door was locked again, which no passage owns.

        Raises:
            NotFound: `record_unknown` with similar ids, `record_ambiguous` with the ids that begin so.
        """
        text = storable(identifier.strip())
        found = self._by_number(int(text)) if re.fullmatch(r"[0-9]{1,18}", text) else []
        found = found or self._by_id(text) or self._by_id(self._completed(text))
        return self._with_lock(found)

    def last_grants(self, door_id: str | None, since: datetime) -> dict[str, datetime]:
        """Person id -> time of the last grant at a door, from `since` on.

        A grant that did not move the relay for a known reason does not count: that person is still outside.
        """
        rows = self._database.query(
            """
            SELECT person_id, max(at) AS at FROM records AS decision
            WHERE event = 'access_decided' AND outcome = 'granted' AND person_id IS NOT NULL
              AND door_id IS ? AND at >= ? AND NOT EXISTS (
                SELECT 1 FROM records AS later WHERE later.decision_id = decision.decision_id
                AND later.event = 'grant_not_executed' AND later.reason <> 'interrupted')
            GROUP BY person_id
            """,
            (door_id, iso(since)),
        )
        return {row["person_id"]: datetime.fromisoformat(row["at"]).astimezone(UTC) for row in rows}

    def unfinished_grants(self) -> Records:
        """Grants without an outcome: under way now, or cut off when the daemon was killed."""
        return self._records("WHERE seq IN (SELECT seq FROM unfinished_grants) ORDER BY seq")

    def snapshot(self, decision_id: str) -> str | None:
        """The SHA-256 that names the picture of a decision (see `snapshot_path`); None when there is none."""
        rows = self._database.query("SELECT hash FROM snapshots WHERE decision_id = ?", (decision_id,))
        return rows[0][0] if rows else None

    def device(self) -> str | None:
        """Id of the box that writes this journal; None before the first daemon with an id."""
        rows = self._database.query("SELECT value FROM facts WHERE name = 'device_id'")
        return rows[0][0] if rows else None

    def last_seq(self) -> int:
        """The largest number ever given, also when its record is gone; 0 before the first."""
        return verifying.issued(self._database)

    def verify(self) -> tuple[str, ...]:
        """Check every page, every number and every link of the hash chain; takes minutes for a large file.

        Returns:
            Faults, one sentence each; empty when there is none. Records removed by retention, and numbers
            skipped after a restored backup, are no fault as long as a record explains them.
        """
        return tuple(verifying.problems(self._database))

    def count(self) -> int:
        """Number of records."""
        return int(self._database.query("SELECT count(*) FROM records")[0][0])

    def _records(self, clauses: str, *parameters: Any) -> Records:
        rows = self._database.query(f"SELECT * FROM records {clauses}", storable(parameters))
        return [record_of(dict(row)) for row in rows]

    def _by_number(self, seq: int) -> Records:
        found = self._records("WHERE seq = ?", seq)
        return self._whole(found[0]) if found else []

    def _by_id(self, identifier: str) -> Records:
        found = self.passage(identifier)
        if not found:
            decided = self._records("WHERE decision_id = ? ORDER BY seq", identifier)
            found = self._whole(decided[0]) if decided else []
        return found

    def _whole(self, record: Record) -> Records:
        if record.passage_id is not None:
            return self.passage(record.passage_id)
        if record.decision_id is not None:
            return self._records("WHERE decision_id = ? ORDER BY seq", record.decision_id)
        return [record]

    def _with_lock(self, found: Records) -> Records:
        unlocked = next((r for r in found if r.event == "door_unlocked"), None)
        if unlocked is None or any(r.event == "door_locked" for r in found):
            return found
        return found + self._records(
            "WHERE event = 'door_locked' AND door_id IS ? AND seq > ? ORDER BY seq LIMIT 1",
            unlocked.door_id,
            unlocked.seq,
        )

    def _completed(self, beginning: str) -> str:
        """The only id that begins like this. Raises NotFound, see `find`."""
        candidates = sorted(self._beginning_with("passage_id", beginning)) or sorted(
            self._beginning_with("decision_id", beginning)
        )
        if len(candidates) == 1:
            return candidates[0]
        if candidates:
            raise NotFound(
                f"Several records begin with {beginning!r}: {', '.join(candidates[:5])}"
                f"{' …' if len(candidates) > 5 else ''}.",
                code="record_ambiguous",
                hint="Give more of the id.",
            )
        raise self._unknown(beginning)

    def _beginning_with(self, column: str, beginning: str) -> set[str]:
        if not beginning:
            return set()
        rows = self._database.query(
            f"SELECT DISTINCT {column} FROM records WHERE {column} >= ? AND {column} < ? LIMIT 6",
            (beginning, beginning + _LAST_CHARACTER),
        )
        return {row[0] for row in rows}

    def _unknown(self, identifier: str) -> NotFound:
        rows = self._database.query(
            "SELECT passage_id, decision_id FROM records WHERE event = 'access_decided' "
            "ORDER BY seq DESC LIMIT ?",
            (_NEAR_AMONG,),
        )
        ids = dict.fromkeys(value for row in rows for value in row if value is not None)
        near = difflib.get_close_matches(identifier, ids, n=3, cutoff=0.7)
        return NotFound(
            f"No record has the id {identifier!r}.",
            code="record_unknown",
            hint=f"Did you mean {' or '.join(near)}?"
            if near
            else "`edged records list` shows the ids; --since narrows the time.",
        )
