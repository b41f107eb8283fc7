"""Writing the journal: decisions durably before anything moves, everything else in small groups.

A decision or the outcome of a grant is on the disk when the call returns. What only explains (tracks, shots,
identifications) is collected for half a second and written together without waiting for the disk, because a
face in front of a camera makes dozens of such events a second and a memory card wears out with every write.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from datetime import datetime
from pathlib import Path
from typing import Any

from edged.bus import EventBus, Overflow, Subscription
from edged.clock import Clock
from edged.database import Database
from edged.errors import EdgedError, RetryLater
from edged.events import (
    AccessDecided,
    DaemonStarted,
    DaemonStopping,
    DoorUnlocked,
    Event,
    GateAlarmRaised,
    GrantNotExecuted,
    Outcome,
)
from edged.journal.reader import PACKAGE, JournalReader
from edged.journal.record import COLUMNS, Record, row_of

AT_ONCE = (DoorUnlocked, GrantNotExecuted, GateAlarmRaised, DaemonStarted, DaemonStopping)
GROUP_S = 0.5
GROUP_EVENTS = 100
RETRY_S = 2.0
MOST_WAITING = 2000  # while the disk refuses them; then the oldest details give way
REMEMBERED_DECISIONS = 1024
INTERRUPTED = "The daemon stopped before the outcome was recorded; the relay may or may not have moved."

_INSERT = f"INSERT INTO records ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"


class Journal(JournalReader):
    """The journal of this box, open for writing. Safe to use from any thread; close it to end cleanly."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Use `open()`."""
        super().__init__(database)
        self._clock = clock
        self._changed = threading.Condition()
        self._waiting: list[tuple[Any, ...]] = []
        self._long_log_possible = False
        self._failure: EdgedError | None = None
        self._committed: deque[str] = deque(maxlen=REMEMBERED_DECISIONS)
        self._closing = False
        self._flusher = threading.Thread(target=self._flush_regularly, name="journal", daemon=True)
        self._flusher.start()

    @classmethod
    def open(cls, path: Path, clock: Clock) -> Journal:
        """Open the journal at `path`, create it when absent.

        Raises:
            NeedsOperator, Misconfigured, RetryLater: see `Database.open`.
        """
        return cls(Database.open(path, package=PACKAGE, auto_checkpoint=False), clock)

    def commit_decision(self, event: AccessDecided) -> int:
        """Write a decision; when this returns, a power cut cannot take it away.

        Returns:
            Its sequence number.

        Raises:
            NeedsOperator, RetryLater: it could not be written; nothing may move because of it.
            EdgedError: `decision_repeated`, the decision id was used before.
        """
        return self._write_at_once(event)

    def record(self, event: Event) -> int | None:
        """Write any other event: outcomes and alarms at once, the rest with its neighbours.

        Returns:
            The sequence number; None for an event that is written within `GROUP_S` seconds.

        Raises:
            EdgedError: it could not be written, or an earlier group could not.
        """
        if isinstance(event, (*AT_ONCE, AccessDecided)):
            return self._write_at_once(event)
        row = row_of(event)
        with self._changed:
            self._require_open()
            failure, self._failure = self._failure, None
            self._waiting.append(row)
            del self._waiting[:-MOST_WAITING]
            if len(self._waiting) in (1, GROUP_EVENTS):
                self._changed.notify_all()
        if failure is not None:
            raise failure
        return None

    def flush(self) -> None:
        """Write what is waiting. Raises as `record()`; what could not be written goes on waiting."""
        with self._changed:
            if self._waiting:
                with self._database.transaction(durable=False) as connection:
                    self._insert_waiting(connection)
                self._waiting.clear()

    def close_unfinished(self, at: datetime | None = None) -> list[Record]:
        """Give every grant without an outcome the outcome `interrupted`. For the start of the daemon only.

        Args:
            at: wall time to write, aware; now when left out.

        Returns:
            The grants it was written for.
        """
        grants = self.unfinished_grants()
        for grant in grants:
            self._write_at_once(
                GrantNotExecuted(
                    at=at or self._clock.now(),
                    passage_id=grant.passage_id,
                    door_id=grant.door_id,
                    camera_id=grant.camera_id,
                    decision_id=str(grant.decision_id),
                    code="interrupted",
                    reason=INTERRUPTED,
                )
            )
        return grants

    def attach(self, bus: EventBus) -> Subscription:
        """Write every event of the bus from now on, except decisions that were committed before.

        A decision that could not be committed when it was made (a denial, then) is tried once more. The
        publisher waits up to a second for room. A failure to write is raised in the subscriber's thread, so
        the bus reports it as `SubscriberFailed`.
        """
        return bus.subscribe(
            Event, self._on_event, name="journal", capacity=1024, overflow=Overflow.WAIT, wait_s=1.0
        )

    def close(self) -> None:
        """Write what is waiting, move the log into the file and let go of it. A second call does nothing."""
        with self._changed:
            if self._closing:
                return
            self._closing = True
            self._changed.notify_all()
        self._flusher.join()
        try:
            self.flush()
        finally:
            self._database.close()

    def _on_event(self, event: Event) -> None:
        if not (isinstance(event, AccessDecided) and event.decision_id in self._committed):
            self.record(event)

    def _write_at_once(self, event: Event) -> int:
        """One durable transaction with `event` last; what was waiting goes along, so the order is kept."""
        row = row_of(event)
        with self._changed:
            self._require_open()
            try:
                with self._database.transaction() as connection:
                    self._insert_waiting(connection)
                    seq = int(connection.execute(_INSERT, row).lastrowid or 0)
                    _keep_account(connection, event, seq)
            except sqlite3.IntegrityError as error:
                raise EdgedError(
                    f"The decision {getattr(event, 'decision_id', '')} is in the journal already.",
                    code="decision_repeated",
                    hint="This is a fault of edged; please report it.",
                ) from error
            if isinstance(event, AccessDecided):
                self._committed.append(event.decision_id)
            self._waiting.clear()
            self._long_log_possible = True
            self._changed.notify_all()
        return seq

    def _insert_waiting(self, connection: sqlite3.Connection) -> None:
        connection.executemany(_INSERT, self._waiting)

    def _require_open(self) -> None:
        if self._closing:
            raise RetryLater("The journal is closed; edged is stopping.", code="database_closed")

    def _flush_regularly(self) -> None:
        while self._wait_for_group():
            try:
                self.flush()
                self._database.checkpoint()
            except EdgedError as error:
                with self._changed:
                    self._failure = error
                    self._changed.wait_for(lambda: self._closing, timeout=RETRY_S)

    def _wait_for_group(self) -> bool:
        """Wait until something was written or should be. False: the journal is being closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._long_log_possible or self._closing)
            self._changed.wait_for(
                lambda: len(self._waiting) >= GROUP_EVENTS or self._closing, timeout=GROUP_S
            )
            self._long_log_possible = False
            return not self._closing


def _keep_account(connection: sqlite3.Connection, event: Event, seq: int) -> None:
    """Remember a grant until its outcome is written, in the same transactions."""
    if isinstance(event, AccessDecided) and event.outcome is Outcome.GRANTED:
        connection.execute("INSERT INTO unfinished_grants VALUES (?, ?)", (event.decision_id, seq))
    elif isinstance(event, DoorUnlocked | GrantNotExecuted):
        connection.execute("DELETE FROM unfinished_grants WHERE decision_id = ?", (event.decision_id,))
