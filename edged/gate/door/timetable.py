"""Mode of a door over time: the hours of the configuration, and manual overrides in their place. Pure.

Hours follow the wall clock, also when a person sets it. The end of a timed override is counted on the
monotonic clock, so setting the wall clock neither prolongs nor shortens it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from edged.gate.door.model import DoorMode
from edged.schedule import Schedule

CLOCK_UNSET_BEFORE = datetime(2026, 1, 1, tzinfo=UTC)
"""A machine that shows an earlier time has lost it; its hours do not unlock a door."""
_MOST_EDGES = 100  # bound for two schedules that change without changing the mode


@dataclass(frozen=True)
class ModeOrder:
    """A manual override: the mode that a person ordered.

    Attributes:
        at: wall time of the order, aware.
        until: wall time of its end, aware; None: until the hours change next.
        hours_change: next change of the hours as seen when the order came; a later change of the
            configuration does not move it. None: never.
    """

    mode: DoorMode
    at: datetime
    until: datetime | None = None
    hours_change: datetime | None = None

    @property
    def has_end(self) -> bool:
        """Whether it ends by itself."""
        return self.until is not None or self.hours_change is not None


class Timetable:
    """The mode of one door.

    Args:
        free: unlocked hours, in which everybody may pass; locked: lockdown hours, which win over `free`.
        zone: time zone of the site.
    """

    def __init__(self, free: Schedule, locked: Schedule, zone: tzinfo) -> None:
        self._free, self._locked, self._zone = free, locked, zone
        self._order: ModeOrder | None = None
        self._ends_s: float | None = None  # end of a timed order, monotonic
        self._ends_at: datetime | None = None  # end of an order that lasts until the hours change
        self._span: tuple[datetime, datetime, DoorMode] | None = None

    @property
    def order(self) -> ModeOrder | None:
        """The order in force at the last `mode`; None: the hours count."""
        return self._order

    def scheduled(self, at: datetime) -> DoorMode:
        """Mode by the hours alone."""
        if self._locked.on(at, self._zone):
            return DoorMode.LOCKED
        if at >= CLOCK_UNSET_BEFORE and self._free.on(at, self._zone):
            return DoorMode.FREE
        return DoorMode.NORMAL

    def next_change(self, at: datetime) -> datetime | None:
        """When the hours next change the mode; None: not within a week."""
        now, moment = self.scheduled(at), at
        for _ in range(_MOST_EDGES):
            changes = [each.next_change(moment, self._zone) for each in (self._free, self._locked)]
            known = [change for change in changes if change is not None]
            if not known:
                return None
            moment = min(known)
            if self.scheduled(moment) is not now:
                return moment
        return None

    def give(self, order: ModeOrder, now: datetime, monotonic: float) -> None:
        """Put an order in force, a new one or one of an earlier run. One that has ended has no effect.

        An order to unlock without an end, or one with a time in the future, has no effect either: the
        machine has lost its clock.
        """
        doubtful = order.mode is DoorMode.FREE and (now < order.at or not order.has_end)
        self._order = None if doubtful else order
        self._ends_s = self._ends_at = None
        if order.until is not None:
            longest = order.until - order.at  # a clock that was set back does not prolong it
            self._ends_s = monotonic + min(order.until - now, longest).total_seconds()
        else:
            self._ends_at = order.hours_change

    def mode(self, now: datetime, monotonic: float) -> DoorMode:
        """The mode at `now` (aware wall time) and `monotonic`, which are the same moment."""
        if self._order is not None and self._is_over(self._order, now, monotonic):
            self._order = None
        return self._order.mode if self._order else self._hours(now)[2]

    def due(self, now: datetime, monotonic: float) -> float:
        """Monotonic time of the next change of `mode` unless a person sets the clock; infinite: never."""
        if self._order is not None and self._ends_s is not None:
            return self._ends_s
        end = self._ends_at if self._order is not None else self._hours(now)[1]
        if end is None:
            return math.inf
        return monotonic + max(0.0, (end - now).total_seconds())

    def _is_over(self, order: ModeOrder, now: datetime, monotonic: float) -> bool:
        if self._ends_s is not None:
            return monotonic >= self._ends_s
        if self._ends_at is not None:
            return now >= self._ends_at
        return order.mode is DoorMode.NORMAL and self.scheduled(now) is DoorMode.NORMAL

    def _hours(self, now: datetime) -> tuple[datetime, datetime, DoorMode]:
        """Span around `now` in which the hours give one mode. Cached, as every turn of the thread needs it;
        a clock set to a time outside the span makes a new one."""
        if self._span is None or not self._span[0] <= now < self._span[1]:
            end = self.next_change(now) or now + timedelta(days=1)
            if now < CLOCK_UNSET_BEFORE < end:
                end = CLOCK_UNSET_BEFORE
            self._span = (now, end, self.scheduled(now))
        return self._span
