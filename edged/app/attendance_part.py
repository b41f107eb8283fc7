"""Attendance: the ledger of punches.

At the start the ledger gets the granted passages of the journal that have no punch yet, and the journal gets
the corrections it does not hold yet.
"""

from __future__ import annotations

import threading
from collections.abc import Container, Mapping
from datetime import timedelta
from typing import Any

from edged.app.part import PartHealth, PartState
from edged.app.site import Site
from edged.app.site_part import SitePart
from edged.attendance.punch import Punch
from edged.attendance.service import AttendanceService, GrantedPassage
from edged.attendance.store import FILE_NAME, PunchLedger
from edged.command import Command
from edged.events import Outcome, PunchCorrected
from edged.journal import Journal
from edged.record import Record
from edged.upkeep.files import ATTENDANCE


class AttendancePart(SitePart):
    """Punches the granted passages of the journal that have no punch yet, then every later one.

    Switched off, it only notes that the passages granted meanwhile get no punch later. Where attendance has
    never been on there is no ledger, and nothing to note.
    """

    name = "attendance"

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self._commands: dict[str, Command] = {}
        self._service: AttendanceService | None = None

    def start(self) -> None:
        """Raises EdgedError when the ledger cannot be opened and no backup replaces it."""
        config = self._site.config
        if config.attendance.enabled or (config.data_dir / FILE_NAME).exists():
            self._site.upkeep.opened(ATTENDANCE, self._begin)

    def commands(self) -> Mapping[str, Command]:
        """`attendance.corrected` where there is a ledger, `attendance.key` where attendance is on."""
        return self._commands

    def health(self) -> PartHealth:
        """`without_punch` (passages that wait for theirs) and the counters of the subscription to decisions.

        The state is failed while the ledger cannot be written.
        """
        service = self._service
        if service is None:
            return self._is(PartState.OFF, "Attendance is not switched on.")
        state, summary = PartState.OK, "Granted passages become punches."
        if problem := service.problem:
            state = PartState.FAILED
            summary = f"{service.waiting} granted passages wait for their punch: {problem.message}"
        return self._is(state, summary, without_punch=service.waiting, **self._subscriber("attendance"))

    def _begin(self) -> None:
        """Runs again, from the opening on, when a damage showed and a backup has replaced the ledger."""
        site, enabled = self._site, self._site.config.attendance.enabled
        ledger = PunchLedger.open(site.config.data_dir, site.clock)
        self._stack.callback(ledger.close)
        newest = next((record.seq for record in site.journal.list(limit=1)), 0)
        ledger.set_enabled(enabled, newest)
        corrections = Corrections(ledger, site.journal)
        corrections.write_new()
        self._commands["attendance.corrected"] = corrections.command
        if enabled:
            self._punch(ledger, newest)

    def _punch(self, ledger: PunchLedger, newest: int) -> None:
        site = self._site
        service = AttendanceService(
            site.config.attendance, ledger, site.bus, site.clock, zone=site.config.timezone
        )
        _catch_up(service, ledger, site.journal, newest)
        service.attach()
        self._commands["attendance.key"] = service.key_command
        self._service = service


class Corrections:
    """Copies corrections from the ledger into the journal, each once, even when the daemon ends in
    between."""

    def __init__(self, ledger: PunchLedger, journal: Journal) -> None:
        self._ledger = ledger
        self._journal = journal
        self._lock = threading.Lock()

    def write_new(self) -> int:
        """Write the new ones to the journal. Returns how many. Raises what `Journal.write` raises."""
        with self._lock:
            rows = self._ledger.unjournalled_corrections()
            for row in rows:
                event = _corrected(row)
                if not self._is_journalled(event):
                    self._journal.write(event)
                self._ledger.mark_journalled(row)
        return len(rows)

    def command(self, peer: object, arguments: dict[str, Any]) -> dict[str, Any]:
        """`attendance.corrected` of the control socket: a person has just corrected something."""
        return {"told": self.write_new()}

    def _is_journalled(self, event: PunchCorrected) -> bool:
        """Compares times too, because a ledger restored from a backup gives numbers a second time."""
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
    seq = ledger.caught_up()
    granted = journal.list(
        event="access_decided", outcome=Outcome.GRANTED, after_seq=seq, newest_first=False, limit=None
    )
    punches = journal.list(event="punch_recorded", after_seq=seq, newest_first=False, limit=None)
    announced = {record.decision_id for record in punches}
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
