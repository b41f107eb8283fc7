"""Days, months, times and names of events as people write them. Pure; a mistake names the right way."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from difflib import get_close_matches
from typing import Final
from zoneinfo import ZoneInfo

from edged import events
from edged.errors import Misconfigured
from edged.events import Event, event_name

A_DAY: Final = timedelta(days=1)
_YEARS: Final = range(2000, 2200)  # any other year is a slip of the pen
_DAY_CHARS: Final = len("2026-11-21")
_AGO: Final = re.compile(r"(\d{1,6})([mhd])")
_AGO_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days"}


def validity(text: str | None, *, is_end: bool = False) -> datetime | None:
    """A day or a time in the time zone of this machine; None for no text.

    Args:
        text: `2026-01-31` or `2026-01-31T08:00`.
        is_end: a day stands for its last moment.

    Raises:
        Misconfigured: `bad_date`.
    """
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if is_end and len(text) <= _DAY_CHARS:
            moment += A_DAY
        return moment.astimezone()
    except (ValueError, OverflowError):
        raise Misconfigured(
            f"{text!r} is not a date.", code="bad_date", hint="Write 2026-01-31 or 2026-01-31T08:00."
        ) from None


def recent(text: str, now: datetime) -> datetime:
    """A time in the past, aware; without a zone it is that of the machine.

    Args:
        text: `2026-11-21`, `2026-11-21T08:30`, `90m`, `12h`, `7d` or `today`.
        now: aware.

    Raises:
        Misconfigured: `time_malformed`.
    """
    if text == "today":
        return now.astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    try:
        if ago := _AGO.fullmatch(text):
            return now - timedelta(**{_AGO_UNITS[ago.group(2)]: int(ago.group(1))})
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError) as error:
        raise Misconfigured(
            f"{text!r} is no time; write 2026-11-21, 2026-11-21T08:30, today, 90m, 12h or 7d.",
            code="time_malformed",
        ) from error


def day_of(text: str, now: datetime, zone: ZoneInfo) -> date:
    """`2026-11-21`, or `today` in `zone`. Raises Misconfigured (`date_malformed`)."""
    if text == "today":
        return now.astimezone(zone).date()
    try:
        return _in_range(date.fromisoformat(text))
    except ValueError as error:
        raise Misconfigured(
            f"{text!r} is not a date.", code="date_malformed", hint="Write it like 2026-11-21, or today."
        ) from error


def month_of(text: str) -> tuple[date, date]:
    """First and last day of `2026-11`. Raises Misconfigured (`month_malformed`)."""
    try:
        first = _in_range(date.fromisoformat(f"{text}-01"))
    except ValueError as error:
        raise Misconfigured(
            f"{text!r} is not a month.", code="month_malformed", hint="Write it like 2026-11."
        ) from error
    return first, (first + timedelta(days=31)).replace(day=1) - A_DAY


def wall_time(text: str, zone_name: str) -> datetime:
    """A wall time of the site, or a time with an offset of its own; aware.

    Raises:
        Misconfigured: `time_malformed`, or `time_left_out`: the clocks of the site skip it.
    """
    try:
        at = datetime.fromisoformat(text)
        _in_range(at.date())
        if len(text) <= _DAY_CHARS:
            raise ValueError("a day without a time")
    except ValueError as error:
        raise Misconfigured(
            f"{text!r} is not a time.", code="time_malformed", hint="Write it like 2026-11-21T08:00."
        ) from error
    if at.tzinfo is not None:
        return at
    zone = ZoneInfo(zone_name)
    local = at.replace(tzinfo=zone)
    there_and_back = local.astimezone(ZoneInfo("UTC")).astimezone(zone).replace(tzinfo=None)
    if there_and_back != at:
        raise Misconfigured(
            f"There is no {text} in {zone_name}: the clocks were put forward.",
            code="time_left_out",
            hint=f"Did you mean {there_and_back:%Y-%m-%dT%H:%M}?",
        )
    return local


def bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """First moment of `day` in `zone`, and the first moment after it."""
    return datetime.combine(day, time(), zone), datetime.combine(day + A_DAY, time(), zone)


def check_event_name(name: str) -> str:
    """`name` when it names an event of this version. Raises Misconfigured (`event_unknown`) otherwise."""
    kinds = (kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, Event))
    names = {event_name(kind) for kind in kinds if kind is not Event}
    if name in names:
        return name
    near = get_close_matches(name, names | {"all"}, n=3)
    raise Misconfigured(
        f"{name!r} is no event"
        + (f"; did you mean {' or '.join(near)}?" if near else "; docs/events.md lists them."),
        code="event_unknown",
    )


def _in_range(day: date) -> date:
    """The same day. Raises ValueError for a year nobody means."""
    if day.year not in _YEARS:
        raise ValueError(f"the year {day.year}")
    return day
