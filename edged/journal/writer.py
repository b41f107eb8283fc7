"""Writes the journal: decisions durably before anything moves, everything else in small groups.

A decision or the outcome of a grant is on the disk when the call returns. Events that only explain (tracks,
shots, identifications) wait for half a second and go to the disk together, without a flush: a face in front
of a camera makes dozens of them a second, and a memory card wears out with every write. When the room for
records is used up, the oldest details give way; after that the journal refuses grants (see room.py).

The waiting events are a list and not a `WorkQueue`: they are written in one transaction, also by the next
durable write, and stay when the disk refuses them.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from edged.bus import EventBus, Overflow, Subscription
from edged.clock import Clock
from edged.database import Database
from edged.errors import EdgedError, NeedsOperator, RetryLater
from edged.events import (
    AccessDecided,
    ClockStepped,
    DaemonStarted,
    DaemonStopping,
    DoorOrdered,
    DoorUnlocked,
    Event,
    GateAlarmRaised,
    GrantNotExecuted,
    JournalFilling,
    JournalPruned,
    Outcome,
    event_name,
)
from edged.journal import chain
from edged.journal.clockwatch import STEP_S
from edged.journal.reader import PACKAGE, JournalReader
from edged.journal.room import PRUNE_TO, Room, remove_details
from edged.record import COLUMNS, DETAILS, Record, row_of

AT_ONCE = (
    DoorUnlocked, GrantNotExecuted, GateAlarmRaised, DaemonStarted, DaemonStopping, ClockStepped,
    JournalFilling, *chain.CHAINED,
)  # fmt: skip
GROUP_S = 0.5
GROUP_EVENTS = 100
RETRY_S = 2.0
MOST_WAITING = 2000
"""Details that wait while the disk refuses them; beyond that the oldest give way."""
REMEMBERED_DECISIONS = 1024
LOOK_WHEN_FULL_S = 5.0
INTERRUPTED = "The daemon stopped before the outcome was recorded; the relay may or may not have moved."

_INSERT = f"INSERT INTO records ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"


class Journal(JournalReader):
    """The journal of this box, open for writing. Safe to use from any thread; `close()` ends it cleanly."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        room: Room,
        clock_quality: Callable[[], str] = lambda: "unknown",
    ) -> None:
        """Use `open()`."""
        super().__init__(database)
        self._clock = clock
        self._room = room
        self._clock_quality = clock_quality
        self._changed = threading.Condition()
        self._waiting: list[tuple[Any, ...]] = []
        self._long_log_possible = False
        self._failure: EdgedError | None = None
        self._committed: deque[str] = deque(maxlen=REMEMBERED_DECISIONS)
        self._closing = False
        self._bus: EventBus | None = None
        self._flusher = threading.Thread(target=self._flush_regularly, name="journal", daemon=True)

    @classmethod
    def open(
        cls,
        path: Path,
        clock: Clock,
        *,
        clock_quality: Callable[[], str] = lambda: "unknown",
        max_bytes: int | None = None,
        undelivered_from: Callable[[], int | None] = lambda: None,
        device: str | None = None,
    ) -> Journal:
        """Open the journal at `path`; create it when absent.

        Args:
            clock_quality: gives the quality of the wall clock now, see `ClockWatch`.
            max_bytes: room for records and snapshots; None: no limit.
            undelivered_from: gives the lowest seq that a delivery target still has to get; None: none waits.
            device: id of this box, written into a journal that has none yet.

        Raises:
            NeedsOperator, Misconfigured, RetryLater: see `Database.open`.
        """
        database = Database.open(path, package=PACKAGE, auto_checkpoint=False)
        try:
            if device is not None:
                with database.transaction() as connection:
                    connection.execute("INSERT OR IGNORE INTO facts VALUES ('device_id', ?)", (device,))
            chain.take_over(database)
            database.checkpoint()  # else the log of a box that never lives for long would only grow
            room = Room(database, max_bytes, undelivered_from=undelivered_from)
            room.measure()
            journal = cls(database, clock, room, clock_quality)
        except BaseException:
            database.close()
            raise
        journal._report_time_gone_back()
        journal._flusher.start()
        return journal

    @property
    def room(self) -> Room:
        """The room for records and its use."""
        return self._room

    def commit_decision(self, event: AccessDecided | DoorOrdered) -> int:
        """Write a decision or a manual override; when this returns, a power cut cannot take it away.

        Returns:
            Its sequence number.

        Raises:
            NeedsOperator, RetryLater: it is not written, so nothing may move because of it.
                `journal_full`: the room for records is used up.
            EdgedError: `decision_repeated`, the journal has this decision id already.
        """
        return self.write(event)

    def record(self, event: Event) -> int | None:
        """Write any other event: outcomes and alarms at once, the rest with its neighbours.

        Returns:
            The sequence number; None for an event that the journal writes within `GROUP_S` seconds, and for a
            detail without room.

        Raises:
            EdgedError: the event is not written, or an earlier group was not.
        """
        if isinstance(event, (*AT_ONCE, AccessDecided)):
            return self.write(event)
        if self._room.full and event_name(type(event)) in DETAILS:
            return None
        row = self._row(event)
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
        """Write the waiting events. Raises as `record()`; on an error they go on waiting."""
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
            These grants.
        """
        grants = self.unfinished_grants()
        for grant in grants:
            self.write(
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
        """Write every event of the bus from now on, except decisions that are committed already.

        A denial whose commit failed gets a second attempt here. The publisher waits up to a second for room.
        The bus reports a failure to write as `SubscriberFailed`. Events of the journal itself go over the
        bus, too.
        """
        self._bus = bus
        return bus.subscribe(
            Event, self._on_event, name="journal", capacity=1024, overflow=Overflow.WAIT, wait_s=1.0
        )

    def write(
        self,
        event: Event,
        with_it: Callable[[sqlite3.Connection, int], object] = lambda connection, seq: None,
    ) -> int:
        """Write the waiting events and then `event` in one durable transaction, so the order is kept.

        Args:
            with_it: does more in the same transaction; gets the connection and the sequence number.

        Returns:
            The sequence number. Raises as `commit_decision()`.
        """
        self._require_room(event)
        row = self._row(event)
        with self._changed:
            self._require_open()
            try:
                with self._database.transaction() as connection:
                    self._insert_waiting(connection)
                    seq = int(connection.execute(_INSERT, row).lastrowid or 0)
                    if isinstance(event, chain.CHAINED):
                        chain.append(connection, seq, dict(zip(COLUMNS, row, strict=True)))
                    _keep_account(connection, event, seq)
                    with_it(connection, seq)
            except sqlite3.IntegrityError as error:
                raise EdgedError(
                    f"The decision {getattr(event, 'decision_id', '')} is in the journal already.",
                    code="decision_repeated",
                    hint="This is a fault of edged; please report it.",
                ) from error
            if isinstance(event, AccessDecided | DoorOrdered):
                self._committed.append(event.decision_id)
            self._waiting.clear()
            self._long_log_possible = True
            self._changed.notify_all()
        return seq

    def tell(self, event: Event) -> None:
        """Record `event`; where there is a bus, publish it, which records it, too."""
        if self._bus is None:
            self.record(event)
        else:
            self._bus.publish(event)

    def look_after_room(self) -> None:
        """Measure the room, raise alarms, remove the oldest details when it is full. Raises as `flush()`."""
        use = self._room.measure()
        if (alarm := self._room.alarm(self._clock.now())) is not None:
            self.tell(alarm)
        if use.share >= 1:
            self._prune()

    def close(self) -> None:
        """Write the waiting events, move the log into the file, let go of it. A second call does nothing."""
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
        committed = isinstance(event, AccessDecided | DoorOrdered) and event.decision_id in self._committed
        if not committed:
            self.record(event)

    def _row(self, event: Event) -> tuple[Any, ...]:
        return row_of(event, self._clock.now(), self._clock_quality())

    def _require_room(self, event: Event) -> None:
        """Check the room: a grant must leave some for its outcome; a refusal may use the reserve."""
        if not isinstance(event, AccessDecided | DoorOrdered) or not self._room.full:
            return
        if _opens(event) or self._room.exhausted:
            raise NeedsOperator(
                f"The room for records is used up ({self._room.use.used_bytes / 1e6:.0f} MB).",
                code="journal_full",
                hint="Raise journal.max_mb, lower journal.keep_days, or bring delivery back: what was not "
                "delivered is not removed.",
            )

    def _prune(self) -> None:
        removed, below = 0, self._room.protected_from()
        while self._room.measure().share > PRUNE_TO and not self._closing:
            if not (batch := remove_details(self._database, below)):
                break
            removed += batch
        if removed:
            until = self._database.query("SELECT until_seq FROM removals WHERE kind = 'details'")[0][0]
            now = self._clock.now()
            self.write(JournalPruned(at=now, code="journal_full", removed=removed, until_seq=until))

    def _report_time_gone_back(self) -> None:
        """Record a clock that is behind the newest record: it was set, or lost, since the last run."""
        newest = self._database.query("SELECT received_at FROM records ORDER BY seq DESC LIMIT 1")
        now = self._clock.now()
        if newest and newest[0][0] is not None:
            by_s = (now - datetime.fromisoformat(newest[0][0])).total_seconds()
            if by_s < -STEP_S:
                self.record(ClockStepped(at=now, by_s=round(by_s, 3), clock=self._clock_quality()))

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
                self.look_after_room()
            except EdgedError as error:
                with self._changed:
                    self._failure = error
                    self._changed.wait_for(lambda: self._closing, timeout=RETRY_S)

    def _wait_for_group(self) -> bool:
        """Wait until a group is due or something was written. False: the journal is closing."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._waiting or self._long_log_possible or self._closing,
                timeout=LOOK_WHEN_FULL_S if self._room.full else None,
            )
            self._changed.wait_for(
                lambda: len(self._waiting) >= GROUP_EVENTS or self._closing, timeout=GROUP_S
            )
            self._long_log_possible = False
            return not self._closing


def _keep_account(connection: sqlite3.Connection, event: Event, seq: int) -> None:
    """Keep the account of grants without an outcome, in the transaction that writes `event`."""
    if isinstance(event, AccessDecided | DoorOrdered) and _opens(event):
        connection.execute("INSERT INTO unfinished_grants VALUES (?, ?)", (event.decision_id, seq))
    elif isinstance(event, DoorUnlocked | GrantNotExecuted):
        connection.execute("DELETE FROM unfinished_grants WHERE decision_id = ?", (event.decision_id,))


def _opens(event: AccessDecided | DoorOrdered) -> bool:
    """Whether the relay may move because of `event`: a grant, or an accepted command to open."""
    if isinstance(event, DoorOrdered):
        return event.action == "open" and event.code is None
    return event.outcome is Outcome.GRANTED
