"""Who may pass when: hours of the configuration, and orders of people in their place. Pure.

Hours are those on the wall, so they follow a clock that is set. The end of an order that was given for a time
is counted on the monotonic clock, so that setting the clock neither prolongs nor shortens it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from edged.gate.door.model import DoorMode
from edged.schedule import Schedule

CLOCK_UNSET_BEFORE = datetime(2026, 1, 1, tzinfo=UTC)
"""A machine that shows an earlier time has lost it; nothing is opened to everybody on its word."""
_MOST_EDGES = 100  # two schedules that change without changing the mode


@dataclass(frozen=True)
class ModeOrder:
    """Somebody has said who may pass.

    Attributes:
        at: wall time of the order, aware.
        until: wall time of its end, aware; None: until the hours change next.
        hours_change: when that was to be at the time of the order; a configuration that was changed since
            does not move it. None: never.
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
        free: hours in which everybody may pass; locked: in which nobody may. Locked wins.
        zone: of the site.
    """

    def __init__(self, free: Schedule, locked: Schedule, zone: tzinfo) -> None:
        self._free, self._locked, self._zone = free, locked, zone
        self._order: ModeOrder | None = None
        self._ends_s: float | None = None  # of an order for a time, monotonic
        self._ends_at: datetime | None = None  # of an order until the hours change
        self._span: tuple[datetime, datetime, DoorMode] | None = None

    @property
    def order(self) -> ModeOrder | None:
        """The order that stands in place of the hours, as of the last `mode`."""
        return self._order

    def scheduled(self, at: datetime) -> DoorMode:
        """What the hours say."""
        if self._locked.on(at, self._zone):
            return DoorMode.LOCKED
        if at >= CLOCK_UNSET_BEFORE and self._free.on(at, self._zone):
            return DoorMode.FREE
        return DoorMode.NORMAL

    def next_change(self, at: datetime) -> datetime | None:
        """When the hours next say something else; None: not within a week."""
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
        """An order, of now or of an earlier run. One whose time is over has no effect.

        Nor has one that frees the door without an end, or was given later than it is now: the machine has
        lost its clock.
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
        """Who may pass now (aware wall time, and the monotonic time of the same moment)."""
        if self._order is not None and self._is_over(self._order, now, monotonic):
            self._order = None
        return self._order.mode if self._order else self._hours(now)[2]

    def due(self, now: datetime, monotonic: float) -> float:
        """Monotonic time at which `mode` should be asked again, if nobody sets the clock; infinite: never."""
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
        """From when until when the hours say the same as now. Kept, because this is asked many times a
        second; a clock that was set to before or after is noticed."""
        if self._span is None or not self._span[0] <= now < self._span[1]:
            end = self.next_change(now) or now + timedelta(days=1)
            if now < CLOCK_UNSET_BEFORE < end:
                end = CLOCK_UNSET_BEFORE
            self._span = (now, end, self.scheduled(now))
        return self._span
