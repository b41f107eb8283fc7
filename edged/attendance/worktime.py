"""Working-time calculation: pairs of in and out, and the day each counts for. Pure; adds no punch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Literal

from edged.attendance.punch import Direction, Punch

Policy = Literal["pairs", "first_last"]


@dataclass(frozen=True)
class Pair:
    """An in and the out that belongs to it; None stands for the missing one."""

    came: Punch | None
    left: Punch | None

    @property
    def worked(self) -> timedelta | None:
        """Elapsed time, correct across a daylight-saving change; None when one end is missing."""
        if self.came is None or self.left is None:
            return None
        return self.left.at - self.came.at

    @property
    def begin(self) -> Punch:
        """The punch that determines the day of the pair: the in, or the out when the in is missing."""
        punch = self.came or self.left
        assert punch is not None
        return punch


@dataclass(frozen=True)
class WorkDay:
    """One person's day.

    Attributes:
        worked: sum of the complete pairs, or time from the first in to the last out, depending on the policy.
        missing: `in` or `out` for each missing punch, in the order of the day.
    """

    person_id: str
    person_name: str
    day: date
    pairs: tuple[Pair, ...]
    worked: timedelta
    missing: tuple[Direction, ...] = field(default=())

    @property
    def first_in(self) -> datetime | None:
        """The first time in, UTC."""
        return min((pair.came.at for pair in self.pairs if pair.came), default=None)

    @property
    def last_out(self) -> datetime | None:
        """The last time out, UTC."""
        return max((pair.left.at for pair in self.pairs if pair.left), default=None)


def pair_up(punches: Iterable[Punch], longest: timedelta) -> list[Pair]:
    """Pair the punches of one person, by time.

    An out completes the last in, when that has no out yet and is at most `longest` ago. A second in leaves
    the first without an out.

    Args:
        punches: what `punch.effective` returns, in any order.
    """
    pairs: list[Pair] = []
    open_in: Punch | None = None
    for punch in sorted(punches, key=lambda punch: (punch.at, punch.punch_id)):
        if punch.direction is Direction.IN:
            pairs += [Pair(open_in, None)] if open_in else []
            open_in = punch
        elif open_in and punch.at - open_in.at <= longest:
            pairs.append(Pair(open_in, punch))
            open_in = None
        else:
            pairs += [Pair(open_in, None)] if open_in else []
            pairs.append(Pair(None, punch))
            open_in = None
    return pairs + ([Pair(open_in, None)] if open_in else [])


def work_days(
    punches: Iterable[Punch], zone: tzinfo, *, longest: timedelta, day_change: time, policy: Policy
) -> list[WorkDay]:
    """Days of work, by day and person.

    A pair counts for the day on which it begins, so a night shift counts for the day of its evening.

    Args:
        punches: what `punch.effective` returns, for any number of people.
        zone: time zone of the site.
        longest: an out later than this after an in does not complete it.
        day_change: a pair that begins before this time of the day counts for the day before.
        policy: how `worked` is calculated.
    """
    of_person: dict[str, list[Punch]] = {}
    for punch in punches:
        of_person.setdefault(punch.person_id, []).append(punch)
    days = []
    for person_id, own in of_person.items():
        of_day: dict[date, list[Pair]] = {}
        for pair in pair_up(own, longest):
            of_day.setdefault(day_of(pair.begin.at, zone, day_change), []).append(pair)
        name = max(own, key=lambda punch: punch.punch_id).person_name
        days += [_work_day(person_id, name, day, pairs, policy) for day, pairs in of_day.items()]
    return sorted(days, key=lambda day: (day.day, day.person_name, day.person_id))


def day_of(at: datetime, zone: tzinfo, day_change: time) -> date:
    """The day that a pair counts for when it begins at `at` (aware)."""
    local = at.astimezone(zone)
    return local.date() - timedelta(days=int(local.time() < day_change))


def _work_day(person_id: str, name: str, day: date, pairs: Sequence[Pair], policy: Policy) -> WorkDay:
    missing = tuple(
        Direction.IN if pair.came is None else Direction.OUT for pair in pairs if pair.worked is None
    )
    worked = sum((pair.worked or timedelta() for pair in pairs), timedelta())
    found = WorkDay(person_id, name, day, tuple(pairs), worked, missing)
    if policy == "pairs":
        return found
    return WorkDay(person_id, name, day, tuple(pairs), _span(found), missing)


def _span(day: WorkDay) -> timedelta:
    if day.first_in is None or day.last_out is None or day.last_out < day.first_in:
        return timedelta()
    return day.last_out - day.first_in
