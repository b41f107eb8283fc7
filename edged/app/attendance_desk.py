"""Attendance as part of the daemon: the ledger, what the journal holds that has no punch yet, and what people
corrected that the journal does not hold yet."""

from __future__ import annotations

import threading
from collections.abc import Container
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

from edged.attendance.punch import Punch
from edged.attendance.service import AttendanceService, GrantedPassage
from edged.attendance.store import FILE_NAME, PunchLedger
from edged.bus import EventBus
from edged.clock import Clock
from edged.config import Config
from edged.events import Outcome, PunchCorrected
from edged.journal import Journal
from edged.ops.control import Command
from edged.record import Record


def start_attendance(
    config: Config, journal: Journal, bus: EventBus, clock: Clock, stack: ExitStack
) -> dict[str, Command]:
    """Punch whom the journal says was let in and has no punch, then everybody who is let in from now on.

    Switched off, it only notes that what was let in meanwhile gets no punch later. `stack` closes the ledger.

    Returns:
        For the control socket: `attendance.key` and `attendance.corrected`; empty when there is no ledger.

    Raises:
        EdgedError: the ledger cannot be opened.
    """
    known = (config.data_dir / FILE_NAME).exists()
    if not (config.attendance.enabled or known):
        return {}
    ledger = PunchLedger.open(config.data_dir, clock)
    stack.callback(ledger.close)
    newest = next((record.seq for record in journal.list(limit=1)), 0)
    ledger.want(config.attendance.enabled, newest)
    corrections = Corrections(ledger, journal)
    corrections.tell()
    commands: dict[str, Command] = {"attendance.corrected": corrections.command}
    if config.attendance.enabled:
        service = AttendanceService(config.attendance, ledger, bus, clock, zone=config.timezone)
        _catch_up(service, ledger, journal, newest)
        service.attach()
        commands["attendance.key"] = service.key_command
    return commands


class Corrections:
    """Takes what people corrected out of the ledger into the journal: each correction once, whatever ends the
    daemon in between."""

    def __init__(self, ledger: PunchLedger, journal: Journal) -> None:
        self._ledger = ledger
        self._journal = journal
        self._lock = threading.Lock()

    def tell(self) -> int:
        """Write down those that are new. Returns how many. Raises as `Journal.write`."""
        with self._lock:
            rows = self._ledger.untold_corrections()
            for row in rows:
                event = _corrected(row)
                if not self._is_told(event):
                    self._journal.write(event)
                self._ledger.mark_told(row)
        return len(rows)

    def command(self, peer: object, arguments: dict[str, Any]) -> dict[str, Any]:
        """`attendance.corrected` of the control socket: somebody has just corrected something."""
        return {"told": self.tell()}

    def _is_told(self, event: PunchCorrected) -> bool:
        """Its number alone does not say so: a ledger that was put back from a backup gives numbers again."""
        same_time = self._journal.list(
            event="punch_corrected", since=event.at, until=event.at + timedelta(milliseconds=1), limit=None
        )
        return any(record.payload["punch_id"] == event.punch_id for record in same_time)


def _corrected(row: Punch) -> PunchCorrected:
    assert row.recorded_at is not None  # every stored row has it
    return PunchCorrected(
        at=row.recorded_at,
        door_id=row.door_id,
        camera_id=row.camera_id,
        punch_id=row.punch_id,
        corrects=row.corrects,
        action=row.action.value,
        person_id=row.person_id,
        punch_at=row.at,
        direction=row.direction.value,
        reason=row.reason,
        author=row.author,
    )


def _catch_up(service: AttendanceService, ledger: PunchLedger, journal: Journal, newest: int) -> None:
    new = {"after_seq": ledger.caught_up(), "newest_first": False, "limit": None}
    granted = journal.list(event="access_decided", outcome=Outcome.GRANTED, **new)
    announced = {record.decision_id for record in journal.list(event="punch_recorded", **new)}
    journal.database.settle()  # the ledger must not rely on what a power cut can take out of the journal
    service.catch_up((_grant(record, announced) for record in granted if record.person_id), newest)


def _grant(record: Record, announced: Container[str | None]) -> GrantedPassage:
    return GrantedPassage(
        decision_id=str(record.decision_id),
        person_id=str(record.person_id),
        person_name=record.payload.get("person_name") or str(record.person_id),
        at=record.at,
        passage_id=record.passage_id,
        door_id=record.door_id,
        camera_id=record.camera_id,
        direction=record.payload.get("direction"),
        announced=record.decision_id in announced,
    )
