"""Working time as rows for people and spreadsheets: tables, CSV, XLSX, JSON. No calculation here."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, TextIO

from edged.attendance.worktime import WorkDay
from edged.spreadsheets import disarmed, plain

HEADINGS = ("day", "person", "name", "first in", "last out", "worked", "pairs", "missing")
_WIDTHS = (12, 16, 28, 18, 18, 10, 8, 12)


def hours(worked: timedelta) -> str:
    """`8:05`; a started minute does not count."""
    minutes = int(worked.total_seconds() // 60)
    return f"{minutes // 60}:{minutes % 60:02d}"


def totals(days: Iterable[WorkDay]) -> list[tuple[str, str, int, timedelta, int]]:
    """One row per person, by name: id, name, days with a punch, time worked, number of missing punches."""
    found: dict[str, tuple[str, str, int, timedelta, int]] = {}
    for day in days:
        _, _, count, worked, missing = found.get(day.person_id, ("", "", 0, timedelta(), 0))
        found[day.person_id] = (
            day.person_id, day.person_name, count + 1, worked + day.worked, missing + len(day.missing),
        )  # fmt: skip
    return sorted(found.values(), key=lambda row: (row[1], row[0]))


def to_dict(day: WorkDay) -> dict[str, Any]:
    """A JSON-ready dict; times in UTC, `worked_s` in seconds."""
    return {
        "day": day.day.isoformat(),
        "person_id": day.person_id,
        "person_name": day.person_name,
        "first_in": day.first_in and day.first_in.isoformat(),
        "last_out": day.last_out and day.last_out.isoformat(),
        "worked_s": int(day.worked.total_seconds()),
        "missing": [direction.value for direction in day.missing],
        "pairs": [
            {
                "in": pair.came and pair.came.at.isoformat(),
                "out": pair.left and pair.left.at.isoformat(),
                "in_punch": pair.came and pair.came.punch_id,
                "out_punch": pair.left and pair.left.punch_id,
            }
            for pair in day.pairs
        ],
    }


def write_csv(days: Sequence[WorkDay], zone: tzinfo, stream: TextIO) -> None:
    """Comma-separated, in wall times of the site. A spreadsheet runs no text of it as a formula."""
    writer = csv.writer(stream)
    writer.writerow(HEADINGS)
    for day in days:
        writer.writerow(
            [
                day.day.isoformat(),
                disarmed(day.person_id),
                disarmed(day.person_name),
                _wall(day.first_in, zone),
                _wall(day.last_out, zone),
                hours(day.worked),
                len(day.pairs),
                " ".join(direction.value for direction in day.missing),
            ]
        )


def write_xlsx(days: Sequence[WorkDay], zone: tzinfo, path: Path) -> None:
    """A workbook with the days and a sheet of totals; dates, times and durations are typed cells.

    Raises:
        OSError: the file cannot be written.
    """
    from openpyxl import Workbook  # loads numpy, which no other form needs

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Days"
    rows = [
        (
            day.day,
            day.person_id,
            day.person_name,
            _naive(day.first_in, zone),
            _naive(day.last_out, zone),
            day.worked,
            len(day.pairs),
            " ".join(direction.value for direction in day.missing),
        )
        for day in days
    ]
    _fill(sheet, HEADINGS, rows)
    summary = book.create_sheet("Totals")
    _fill(summary, ("person", "name", "days", "worked", "missing"), totals(days))
    book.save(path)


def _fill(sheet: Any, headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    sheet.append(list(headings))
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    sheet.freeze_panes = "A2"
    for number, row in enumerate(rows, start=2):
        for column, value in enumerate(row, start=1):
            cell = sheet.cell(number, column)
            if isinstance(value, str):
                cell.value = plain(value)
                cell.data_type = "s"  # never a formula, whatever a name begins with
                continue
            cell.value = value
            if isinstance(value, timedelta):
                cell.number_format = "[h]:mm"
            elif isinstance(value, datetime):
                cell.number_format = "yyyy-mm-dd hh:mm"
    for column, width in enumerate(_WIDTHS[: len(headings)], start=1):
        sheet.column_dimensions[get_column_letter(column)].width = width


def _wall(at: datetime | None, zone: tzinfo) -> str:
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M") if at else ""


def _naive(at: datetime | None, zone: tzinfo) -> datetime | None:
    return at.astimezone(zone).replace(tzinfo=None, second=0, microsecond=0) if at else None
