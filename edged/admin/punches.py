"""Attendance: working time of days and months, punches one by one, corrections, the direction key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Literal, TextIO
from zoneinfo import ZoneInfo

from edged.admin.actor import Actor
from edged.admin.box import Box, opened_library
from edged.admin.inputs import A_DAY, bounds
from edged.admin.rights import Right, needs
from edged.attendance.punch import Direction, Punch, effective
from edged.attendance.report import hours, to_dict, totals, write_csv, write_xlsx
from edged.attendance.store import PunchLedger
from edged.attendance.worktime import WorkDay, work_days
from edged.errors import EdgedError, Misconfigured, NeedsOperator
from edged.ops.control import ask

__all__ = [
    "Direction",
    "Punch",
    "WorkDay",
    "add_punch",
    "correct_punch",
    "export_days",
    "hours",
    "list_days",
    "list_punches",
    "press_key",
    "to_dict",
    "totals",
    "void_punch",
]

Format = Literal["csv", "xlsx"]


@needs(Right.ATTENDANCE_SEE)
def list_days(actor: Actor, box: Box, first: date, last: date, *, person: str | None = None) -> list[WorkDay]:
    """Working time of each person and day, by the rules of the section attendance.

    Args:
        first, last: days of the site, both included.
        person: only this person id.

    Raises:
        NotFound: there is no ledger yet.
    """
    zone, rules = ZoneInfo(box.config.timezone), box.config.attendance
    begin, end = bounds(first, zone)[0], bounds(last, zone)[1]
    longest = timedelta(hours=rules.max_shift_h)
    around = longest + A_DAY  # a shift that began before, or ends after
    with _ledger(box) as ledger:
        rows = ledger.rows(since=begin - around, until=end + around, person_id=person)
    days = work_days(
        effective(rows),
        zone,
        longest=longest,
        day_change=time.fromisoformat(rules.day_change),
        policy=rules.policy,
    )
    return [day for day in days if first <= day.day <= last]


@needs(Right.ATTENDANCE_SEE)
def list_punches(
    actor: Actor, box: Box, first: date, last: date, *, person: str | None = None, all_rows: bool = False
) -> list[Punch]:
    """The punches one by one.

    Args:
        first, last: days of the site, both included.
        all_rows: also repeats, voided punches and the corrections themselves.
    """
    zone = ZoneInfo(box.config.timezone)
    begin, end = bounds(first, zone)[0], bounds(last, zone)[1]
    with _ledger(box) as ledger:
        rows = ledger.rows(since=begin, until=end, person_id=person)
    return list(rows) if all_rows else [punch for punch in effective(rows) if begin <= punch.at < end]


@needs(Right.ATTENDANCE_SEE)
def export_days(
    actor: Actor,
    box: Box,
    first: date,
    last: date,
    output: Path | TextIO,
    kind: Format,
    *,
    person: str | None = None,
) -> int:
    """Write the days of `list_days` for payroll; how many.

    Args:
        output: a file, or for CSV a stream that is open for text.

    Raises:
        Misconfigured: `workbook_needs_file`: a stream for a workbook.
        NeedsOperator: `output_unwritable`.
    """
    days = list_days(actor, box, first, last, person=person)
    zone = ZoneInfo(box.config.timezone)
    try:
        if not isinstance(output, Path):
            if kind == "xlsx":
                raise Misconfigured("A workbook needs a file.", code="workbook_needs_file")
            write_csv(days, zone, output)
        elif kind == "xlsx":
            write_xlsx(days, zone, output)
        else:
            with output.open("w", encoding="utf-8", newline="") as stream:
                write_csv(days, zone, stream)
    except OSError as error:
        raise NeedsOperator(
            f"{'-' if not isinstance(output, Path) else output} cannot be written: {error.strerror}.",
            code="output_unwritable",
            hint="Choose another place with --output.",
        ) from error
    return len(days)


@needs(Right.ATTENDANCE_CORRECT)
def void_punch(actor: Actor, box: Box, punch_id: int, *, reason: str, author: str) -> None:
    """Take a punch back; it stays visible among all rows.

    Raises:
        NotFound: there is no such punch.
        Misconfigured: it cannot be corrected, or reason or author is missing.
    """
    with _correcting(box) as ledger:
        ledger.correct(punch_id, void=True, reason=reason, author=author)


@needs(Right.ATTENDANCE_CORRECT)
def correct_punch(
    actor: Actor,
    box: Box,
    punch_id: int,
    *,
    at: datetime | None = None,
    direction: Direction | None = None,
    reason: str,
    author: str,
) -> None:
    """Give a punch another time (aware) or direction. Raises as `void_punch`."""
    with _correcting(box) as ledger:
        ledger.correct(punch_id, at=at, direction=direction, reason=reason, author=author)


@needs(Right.ATTENDANCE_CORRECT)
def add_punch(
    actor: Actor,
    box: Box,
    person_id: str,
    at: datetime,
    direction: Direction,
    *,
    reason: str,
    author: str,
) -> Punch:
    """Add a passage that was not recorded; `at` is aware.

    Raises:
        NotFound: `person_unknown`.
        Misconfigured: reason or author is missing.
    """
    zone = box.config.timezone
    with _correcting(box) as ledger:
        with opened_library(box) as store:
            name = store.get(person_id).name
        return ledger.add_by_hand(person_id, name, at, direction, zone=zone, reason=reason, author=author)


@needs(Right.ATTENDANCE_CORRECT)
def press_key(actor: Actor, box: Box, direction: Direction) -> None:
    """Tell the running daemon which way the next person goes. Raises as `edged.ops.control.ask`."""
    ask(box.data_dir, "attendance.key", direction=direction.value)


# -- inside


@contextmanager
def _ledger(box: Box) -> Iterator[PunchLedger]:
    ledger = PunchLedger.open_readonly(box.data_dir, box.clock)
    try:
        yield ledger
    finally:
        ledger.close()


@contextmanager
def _correcting(box: Box) -> Iterator[PunchLedger]:
    """The ledger for writing; then a running daemon delivers the correction, else its next start does."""
    ledger = PunchLedger.open(box.data_dir, box.clock)
    try:
        yield ledger
    finally:
        ledger.close()
    with suppress(EdgedError):
        ask(box.data_dir, "attendance.corrected")
