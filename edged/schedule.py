"""Weekly hours such as `Mon-Fri 08:00-17:30`: whether they are on, and when they change next. Pure.

All times are local times of the site. On a daylight-saving change the hours keep their local times: hours
that begin inside the lost hour begin at its end, and hours inside the repeated hour are on both times.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_HOURS = r"(?P<from>\d\d:\d\d)-(?P<to>\d\d:\d\d)"
_WEEKLY = re.compile(rf"(?P<days>[A-Za-z,-]+) {_HOURS}")
_DATED = re.compile(rf"(?P<date>\d{{4}}-\d\d-\d\d) (?:{_HOURS}|(?P<closed>closed))")
_HORIZON_DAYS = 9  # a week, a day on either side


@dataclass(frozen=True)
class _Hours:
    start: int  # minutes after midnight
    end: int  # more than a day: ends on the next one


@dataclass(frozen=True)
class Schedule:
    """Weekly hours, and the dates on which other hours replace them. Made by `parse`."""

    weekly: tuple[tuple[int, _Hours], ...] = ()
    dated: tuple[tuple[date, tuple[_Hours, ...]], ...] = ()

    def on(self, at: datetime, zone: tzinfo) -> bool:
        """Whether the hours are on at `at` (aware)."""
        local = at.astimezone(zone)
        minute = local.hour * 60 + local.minute
        today = any(h.start <= minute < h.end for h in self._of(local.date()))
        yesterday = local.date() - timedelta(days=1)
        return today or any(minute + 1440 < h.end for h in self._of(yesterday))

    def next_change(self, at: datetime, zone: tzinfo) -> datetime | None:
        """The first moment after `at` (aware) at which `on` changes, UTC; None: not within a week."""
        now = self.on(at, zone)
        edges = sorted(edge for edge in self._edges(at.astimezone(zone).date(), zone) if edge > at)
        return next((edge for edge in edges if self.on(edge, zone) is not now), None)

    def spans(self, first: date, days: int, zone: tzinfo) -> list[tuple[datetime, datetime]]:
        """Begin and end (UTC) of the hours that begin on `first` and the `days` - 1 after it, in order."""
        found = []
        for offset in range(days):
            day = first + timedelta(days=offset)
            for hours in self._of(day):
                start, end = (min(_moments(day, minutes, zone)) for minutes in (hours.start, hours.end))
                found.append((start, end))
        return sorted(found)

    def _edges(self, first: date, zone: tzinfo) -> Iterable[datetime]:
        for offset in range(-1, _HORIZON_DAYS):
            day = first + timedelta(days=offset)
            for hours in self._of(day):
                for minutes in (hours.start, hours.end):
                    yield from _moments(day, minutes, zone)
            yield from _moments(day, 0, zone)
            yield from _jumps(day, zone)

    def _of(self, day: date) -> tuple[_Hours, ...]:
        for dated, hours in self.dated:
            if dated == day:
                return hours
        return tuple(hours for weekday, hours in self.weekly if weekday == day.weekday())


@dataclass(frozen=True)
class Shift:
    """A named shift, e.g. `day` with `Mon-Fri 08:00-17:00`."""

    name: str
    hours: Schedule


def parse(entries: Iterable[str]) -> Schedule:
    """Read entries such as `Mon-Fri 08:00-17:30`, `Sat,Sun 22:00-06:00`, `2026-12-24 08:00-12:00` and
    `2026-12-25 closed`. 24:00 is the end of a day; an end before the start is on the next day. Entries with a
    date replace the weekly ones on that date.

    Raises:
        ValueError: an entry cannot be understood; the message names it.
    """
    weekly: list[tuple[int, _Hours]] = []
    dated: dict[date, tuple[_Hours, ...]] = {}
    for entry in entries:
        text = " ".join(entry.split())
        if match := _DATED.fullmatch(text):
            day = _date(match["date"], entry)
            hours = () if match["closed"] else (_hours(match, entry),)
            dated[day] = dated.get(day, ()) + hours
        elif match := _WEEKLY.fullmatch(text):
            weekly += [(day, _hours(match, entry)) for day in _days(match["days"], entry)]
        else:
            raise ValueError(f"{entry!r} is not like `Mon-Fri 08:00-17:30` or `2026-12-25 closed`")
    return Schedule(tuple(weekly), tuple(dated.items()))


def parse_shift(text: str) -> Shift:
    """`day Mon-Fri 08:00-17:00` as a Shift. Raises ValueError naming what cannot be understood."""
    name, _, hours = text.strip().partition(" ")
    if not name or not hours.strip():
        raise ValueError(f"{text!r} is not like `day Mon-Fri 08:00-17:00`")
    return Shift(name, parse([hours]))


def _days(text: str, entry: str) -> list[int]:
    found: list[int] = []
    for part in text.split(","):
        ends = [_day(name, entry) for name in part.split("-")]
        if len(ends) > 2:
            raise ValueError(f"{entry!r}: {part!r} is not a range of days")
        first, last = ends[0], ends[-1]
        found += [day % 7 for day in range(first, (last if last >= first else last + 7) + 1)]
    return found


def _day(name: str, entry: str) -> int:
    try:
        return DAYS.index(name.capitalize())
    except ValueError:
        raise ValueError(f"{entry!r}: {name!r} is not one of {', '.join(DAYS)}") from None


def _date(text: str, entry: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{entry!r}: there is no such date") from error


def _hours(match: re.Match[str], entry: str) -> _Hours:
    start, end = _minutes(match["from"], entry), _minutes(match["to"], entry)
    if start == 1440 or start == end:
        raise ValueError(f"{entry!r} has no duration; a whole day is 00:00-24:00")
    return _Hours(start, end if end > start else end + 1440)


def _minutes(text: str, entry: str) -> int:
    hour, minute = int(text[:2]), int(text[3:])
    if minute > 59 or hour * 60 + minute > 1440:
        raise ValueError(f"{entry!r}: {text} is not a time of the day")
    return hour * 60 + minute


def _moments(day: date, minutes: int, zone: tzinfo) -> Iterable[datetime]:
    """The moments (UTC) at which a wall clock shows `minutes` after the midnight of `day`: one, both of a
    repeated hour, or for a lost hour two of which the earlier is its end."""
    at = datetime.combine(day, time()) + timedelta(minutes=minutes)
    for fold in (0, 1):
        yield at.replace(tzinfo=zone, fold=fold).astimezone(UTC)


def _jumps(day: date, zone: tzinfo) -> Iterable[datetime]:
    """The moment in `day` of a daylight-saving change, to the minute; nothing on other days."""
    start = datetime.combine(day, time(), zone).astimezone(UTC)
    end = datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
    if start.astimezone(zone).utcoffset() == end.astimezone(zone).utcoffset():
        return
    before = start.astimezone(zone).utcoffset()
    while end - start > timedelta(minutes=1):
        middle = start + (end - start) / 2
        middle = middle.replace(second=0, microsecond=0)
        if middle == start:
            break
        if middle.astimezone(zone).utcoffset() == before:
            start = middle
        else:
            end = middle
    yield end
