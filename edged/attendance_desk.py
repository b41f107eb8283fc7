"""Attendance as part of the daemon: the ledger, and what the journal holds that has no punch yet."""

from __future__ import annotations

from collections.abc import Container
from contextlib import ExitStack

from edged.attendance.punch import Direction
from edged.attendance.service import AttendanceService, Grant
from edged.attendance.store import FILE_NAME, PunchLedger
from edged.bus import EventBus
from edged.clock import Clock
from edged.config import Config
from edged.events import DirectionKeyPressed, Outcome
from edged.journal import Journal
from edged.journal.record import Record


def start_attendance(
    config: Config, journal: Journal, bus: EventBus, clock: Clock, stack: ExitStack
) -> AttendanceService | None:
    """Punch whom the journal says was let in and has no punch, then everybody who is let in from now on.

    Switched off, it only notes that what was let in meanwhile gets no punch later. `stack` closes the ledger.

    Raises:
        EdgedError: the ledger cannot be opened.
    """
    known = (config.data_dir / FILE_NAME).exists()
    if not (config.attendance.enabled or known):
        return None
    ledger = PunchLedger.open(config.data_dir, clock)
    stack.callback(ledger.close)
    newest = next((record.seq for record in journal.list(limit=1)), 0)
    ledger.want(config.attendance.enabled, newest)
    if not config.attendance.enabled:
        return None
    service = AttendanceService(config.attendance, ledger, bus, clock, zone=config.timezone)
    new = {"after_seq": ledger.caught_up(), "newest_first": False, "limit": None}
    granted = journal.list(event="access_decided", outcome=Outcome.GRANTED, **new)
    announced = {record.decision_id for record in journal.list(event="punch_recorded", **new)}
    journal.database.settle()  # the ledger must not rely on what a power cut can take out of the journal
    service.catch_up((_grant(record, announced) for record in granted if record.person_id), newest)
    service.attach()
    bus.subscribe(
        DirectionKeyPressed,
        lambda event: service.press_key(Direction(event.direction)),
        name="attendance:keys",
    )
    return service


def _grant(record: Record, announced: Container[str | None]) -> Grant:
    return Grant(
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
