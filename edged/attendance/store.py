"""The ledger of punches in SQLite: adds and reads rows. `punch.py` knows their meaning."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime
from pathlib import Path
from typing import Any

from edged.attendance.punch import Action, Direction, Punch
from edged.clock import Clock, iso
from edged.database import Database
from edged.errors import Misconfigured, NotFound

FILE_NAME = "attendance.db"
PACKAGE = "edged.attendance"
MAX_TEXT = 500
_COLUMNS = (
    "action", "person_id", "person_name", "at", "zone", "direction", "direction_by", "repeated",
    "decision_id", "door_id", "camera_id", "corrects", "reason", "author", "recorded_at", "extra",
)  # fmt: skip
_INSERT = f"INSERT INTO punches ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"


class PunchLedger:
    """The punches of one data directory. Safe to use from any thread."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Use `open()` or `open_readonly()`."""
        self._database = database
        self._clock = clock

    @classmethod
    def open(cls, data_dir: Path, clock: Clock) -> PunchLedger:
        """Open `data_dir/attendance.db`, made when absent. Errors: see `Database.open`."""
        return cls(Database.open(data_dir / FILE_NAME, package=PACKAGE), clock)

    @classmethod
    def open_readonly(cls, data_dir: Path, clock: Clock) -> PunchLedger:
        """Open for reading, beside a running daemon. Raises NotFound (`attendance_missing`)."""
        if not (data_dir / FILE_NAME).is_file():
            raise NotFound(
                f"There are no punches in {data_dir} yet.",
                code="attendance_missing",
                hint="They are recorded while the daemon runs with attendance.enabled: true.",
            )
        return cls(Database.open_readonly(data_dir / FILE_NAME, package=PACKAGE), clock)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    # -- writing

    def add(self, punch: Punch) -> Punch | None:
        """Store a punch durably.

        Returns:
            The stored punch; None when its decision has a punch already.
        """
        with self._database.transaction() as connection:
            if punch.decision_id is not None:
                known = connection.execute(
                    "SELECT 1 FROM punches WHERE decision_id = ?", [punch.decision_id]
                ).fetchone()
                if known:
                    return None
            return self._insert(connection, punch)

    def mark_caught_up(self, journal_seq: int) -> None:
        """Every granted passage of the journal up to `journal_seq` has its punch, or must not get one."""
        with self._database.transaction() as connection:
            connection.execute("UPDATE caught_up SET seq = max(seq, ?)", [journal_seq])

    def unjournalled_corrections(self) -> list[Punch]:
        """Corrections, including punches added by hand, that the journal may not hold yet."""
        rows = self._database.query(
            "SELECT * FROM punches WHERE action <> 'punch' "
            "AND punch_id > (SELECT corrections FROM caught_up) ORDER BY punch_id"
        )
        return [_punch(row) for row in rows]

    def mark_journalled(self, correction: Punch) -> None:
        """The journal holds this correction and all before it."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE caught_up SET corrections = max(corrections, ?)", [correction.punch_id]
            )

    def set_enabled(self, enabled: bool, journal_seq: int) -> None:
        """Switch attendance on or off from now on. When it was off until now, no record of the journal up to
        its newest, `journal_seq`, gets a punch. A journal that was begun anew counts from 1 again.
        """
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE caught_up SET seq = iif(wanted, min(seq, :newest), :newest), wanted = :wanted",
                {"newest": journal_seq, "wanted": int(enabled)},
            )

    def correct(
        self,
        punch_id: int,
        *,
        reason: str,
        author: str,
        at: datetime | None = None,
        direction: Direction | None = None,
        void: bool = False,
    ) -> Punch:
        """Void a punch, or give it another time or direction: a new row, the old one stays.

        Raises:
            NotFound: `punch_unknown`.
            Misconfigured: `punch_correction_incomplete`: no reason, no author, or nothing to change.
        """
        _require_words(reason, author)
        if not void and at is None and direction is None:
            raise Misconfigured(
                "There is nothing to correct.",
                code="punch_correction_incomplete",
                hint="Give a new time, a new direction, or void the punch.",
            )
        original = self.get(punch_id)
        newest = self._newest_correction(punch_id) or original
        correction = Punch(
            person_id=original.person_id,
            person_name=original.person_name,
            at=at or newest.at,
            zone=original.zone,
            direction=direction or newest.direction,
            direction_by="correction" if direction else newest.direction_by,
            action=Action.VOID if void else Action.CHANGE,
            door_id=original.door_id,
            camera_id=original.camera_id,
            corrects=punch_id,
            reason=reason,
            author=author,
        )
        with self._database.transaction() as connection:
            return self._insert(connection, correction)

    def add_by_hand(
        self,
        person_id: str,
        person_name: str,
        at: datetime,
        direction: Direction,
        *,
        zone: str,
        reason: str,
        author: str,
    ) -> Punch:
        """Add a passage the device did not record. Raises Misconfigured (`punch_correction_incomplete`)."""
        _require_words(reason, author)
        punch = Punch(
            person_id=person_id,
            person_name=person_name,
            at=at,
            zone=zone,
            direction=direction,
            direction_by="correction",
            action=Action.ADD,
            reason=reason,
            author=author,
        )
        with self._database.transaction() as connection:
            return self._insert(connection, punch)

    def anonymise(self, person_id: str, pseudonym: str) -> int:
        """Replace the id and name of a person for good and keep the times. Returns how many rows changed."""
        with self._database.transaction() as connection:
            connection.execute("UPDATE erasing SET now = 1")
            changed = connection.execute(
                "UPDATE punches SET person_id = ?, person_name = ?, "
                "reason = CASE WHEN reason = '' THEN '' ELSE '(erased)' END WHERE person_id = ?",
                [pseudonym, pseudonym, person_id],
            ).rowcount
            connection.execute("UPDATE erasing SET now = 0")
        self._database.empty_log()
        return changed

    # -- reading

    def get(self, punch_id: int) -> Punch:
        """The row `punch_id`, which must not be a correction. Raises NotFound (`punch_unknown`)."""
        rows = self._database.query(
            "SELECT * FROM punches WHERE punch_id = ? AND corrects IS NULL", [punch_id]
        )
        if not rows:
            raise NotFound(
                f"There is no punch {punch_id}.",
                code="punch_unknown",
                hint="`edged attendance list --all` shows them with their numbers.",
            )
        return _punch(rows[0])

    def of_decision(self, decision_id: str) -> Punch | None:
        """The punch of an access decision."""
        rows = self._database.query("SELECT * FROM punches WHERE decision_id = ?", [decision_id])
        return _punch(rows[0]) if rows else None

    def rows(
        self, *, since: datetime | None = None, until: datetime | None = None, person_id: str | None = None
    ) -> list[Punch]:
        """Every row, corrections included, of punches whose original or corrected time lies in the range."""
        inside = "at >= :since AND at < :until AND (:person IS NULL OR person_id = :person)"
        rows = self._database.query(
            f"SELECT * FROM punches WHERE coalesce(corrects, punch_id) IN "
            f"(SELECT coalesce(corrects, punch_id) FROM punches WHERE {inside}) ORDER BY punch_id",
            {
                "since": iso(since) if since else "",
                "until": iso(until) if until else "9",
                "person": person_id,
            },
        )
        return [_punch(row) for row in rows]

    def caught_up(self) -> int:
        """The journal's `seq` up to which every passage was handled; 0 for a new ledger."""
        return int(self._database.query("SELECT seq FROM caught_up")[0][0])

    def _newest_correction(self, punch_id: int) -> Punch | None:
        rows = self._database.query(
            "SELECT * FROM punches WHERE corrects = ? ORDER BY punch_id DESC LIMIT 1", [punch_id]
        )
        return _punch(rows[0]) if rows else None

    def _insert(self, connection: sqlite3.Connection, punch: Punch) -> Punch:
        values: dict[str, Any] = {
            **{name: getattr(punch, name) for name in _COLUMNS},
            "at": iso(punch.at),
            "repeated": int(punch.repeated),
            "recorded_at": iso(self._clock.now()),
            "extra": json.dumps(punch.extra, ensure_ascii=False),
        }
        cursor = connection.execute(_INSERT, [values[name] for name in _COLUMNS])
        row = connection.execute("SELECT * FROM punches WHERE punch_id = ?", [cursor.lastrowid]).fetchone()
        return _punch(row)


def _require_words(reason: str, author: str) -> None:
    for what, text in (("reason", reason), ("author", author)):
        if not text.strip() or len(text) > MAX_TEXT:
            raise Misconfigured(
                f"A correction needs its {what}, 1 to {MAX_TEXT} characters.",
                code="punch_correction_incomplete",
                hint="Give --reason and --by.",
            )


def _punch(row: sqlite3.Row) -> Punch:
    values = {name: row[name] for name in ("punch_id", *_COLUMNS)}
    values["action"] = Action(values["action"])
    values["direction"] = Direction(values["direction"])
    values["repeated"] = bool(values["repeated"])
    values["at"] = datetime.fromisoformat(values["at"])
    values["recorded_at"] = datetime.fromisoformat(values["recorded_at"])
    values["extra"] = json.loads(values["extra"])
    return Punch(**values)
