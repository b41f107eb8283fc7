"""Counts calls in a small SQLite file that all edged processes of the box share. Never waits.

A call is counted before it is sent. A process that is killed in between has used up one call too many, never
one too few.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from edged.clock import Clock, iso
from edged.database import Database
from edged.faceapi.calls import Call
from edged.faceapi.governor.quota_day import Window, current
from edged.faceapi.governor.token_bucket import Bucket

PACKAGE = "edged.faceapi.governor"
FILE_NAME = "cloud.db"
"""Its name in the data directory."""
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class AllowanceTurn:
    """Result of asking for a turn.

    Attributes:
        wait_s: 0: the turn is taken and counted. Else the time until the next turn, and nothing is counted.
        spent: which allowance is used up; then there is no turn before it is renewed.
        day_left_s: time until the cloud's day ends.
    """

    wait_s: float = 0.0
    spent: str = ""
    day_left_s: float = 0.0

    @property
    def taken(self) -> bool:
        """The call may be sent now."""
        return not self.spent and self.wait_s <= 0


@dataclass(frozen=True)
class Used:
    """Calls of one kind so far: in the cloud's present day, and in all."""

    today: int = 0
    total: int = 0


class AllowanceStore:
    """Counters and rates of the calls to one service. Safe to use from any thread and process."""

    def __init__(self, database: Database, clock: Clock, *, service: str, boot: str) -> None:
        """Use `open()`."""
        self._database = database
        self._clock = clock
        self._service = service
        self._boot = boot

    @classmethod
    def open(cls, data_dir: Path, clock: Clock, *, service: str, boot: str | None = None) -> AllowanceStore:
        """Open `cloud.db` in `data_dir`, create it when absent.

        Args:
            data_dir: the data directory.
            clock: both its times; processes that share the file share the machine's monotonic clock.
            service: the address of the service; each has its own counts.
            boot: what tells one boot of the machine from another; None: ask the kernel.

        Raises:
            NeedsOperator, Misconfigured, RetryLater: see `Database.open`.
        """
        database = Database.open(data_dir / FILE_NAME, package=PACKAGE)
        return cls(database, clock, service=service, boot=boot or BOOT_ID.read_text().strip())

    def take(self, call: Call, bucket: Bucket, *, most_today: int = 0, most_total: int = 0) -> AllowanceTurn:
        """Take a turn and count it, unless it is too soon or the allowance is used up.

        Args:
            call: the call to send.
            bucket: its rate.
            most_today, most_total: its allowance, calls; 0: no limit. With a limit the count is on the disk
                when this returns; without, it survives the end of the process, not a power cut.

        Raises:
            NeedsOperator, RetryLater: the count could not be written; then nothing may be sent.
        """
        limited = bool(most_today or most_total)
        with self._database.transaction(durable=limited) as connection:
            now = self._clock.monotonic()
            window = self._present_window(connection, now)
            used, next_at = self._row(connection, call, now)
            left_s = max(0.0, window.ends_s - now)
            if most_total and used.total >= most_total:
                return AllowanceTurn(spent="total", day_left_s=left_s)
            if most_today and used.today >= most_today:
                return AllowanceTurn(spent="day", day_left_s=left_s)
            if wait_s := bucket.wait_s(next_at, now):
                return AllowanceTurn(wait_s=wait_s, day_left_s=left_s)
            self._count(connection, call, bucket.after(now))
            return AllowanceTurn(day_left_s=left_s)

    def used(self) -> dict[Call, Used]:
        """The counters of every call ever sent. Raises as `take()`."""
        with self._database.transaction(durable=False) as connection:
            self._present_window(connection, self._clock.monotonic())
            rows = connection.execute(
                "SELECT call, today, total FROM calls WHERE service = ?", [self._service]
            ).fetchall()
        titles = {call.title: call for call in Call}
        return {
            titles[row["call"]]: Used(row["today"], row["total"]) for row in rows if row["call"] in titles
        }

    def day_left_s(self) -> float:
        """Time until the cloud's day ends, seconds. Raises as `take()`."""
        with self._database.transaction(durable=False) as connection:
            now = self._clock.monotonic()
            return max(0.0, self._present_window(connection, now).ends_s - now)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _present_window(self, connection: sqlite3.Connection, now: float) -> Window:
        row = connection.execute("SELECT * FROM windows WHERE service = ?", [self._service]).fetchone()
        stored = _window(row) if row else None
        window, is_new = current(stored, self._clock.now(), now, self._boot)
        if is_new:
            connection.execute("UPDATE calls SET today = 0 WHERE service = ?", [self._service])
        if window is not stored:
            connection.execute(
                "INSERT OR REPLACE INTO windows (service, boot, started_s, ends_s, ends_at, offset_s) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                [
                    self._service,
                    window.boot,
                    window.started_s,
                    window.ends_s,
                    iso(window.ends_at),
                    window.offset_s,
                ],
            )
        return window

    def _row(self, connection: sqlite3.Connection, call: Call, now: float) -> tuple[Used, float]:
        row = connection.execute(
            "SELECT today, total, boot, next_at FROM calls WHERE service = ? AND call = ?",
            [self._service, call.title],
        ).fetchone()
        if row is None:
            return Used(), now
        return Used(row["today"], row["total"]), row["next_at"] if row["boot"] == self._boot else now

    def _count(self, connection: sqlite3.Connection, call: Call, next_at: float) -> None:
        connection.execute(
            "INSERT INTO calls (service, call, today, total, boot, next_at) VALUES (?, ?, 1, 1, ?, ?) "
            "ON CONFLICT (service, call) DO UPDATE SET today = today + 1, total = total + 1, "
            "boot = excluded.boot, next_at = excluded.next_at",
            [self._service, call.title, self._boot, next_at],
        )


def _window(row: sqlite3.Row) -> Window:
    ends_at = datetime.fromisoformat(row["ends_at"])
    return Window(row["boot"], row["started_s"], row["ends_s"], ends_at, row["offset_s"])
