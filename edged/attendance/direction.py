"""In or out, from the last punch or from the shifts. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo

from edged.attendance.punch import Direction, Punch
from edged.schedule import Shift

NEAR_SHIFT = timedelta(hours=4)
"""A punch further than this from every begin and end of a shift gets no direction from the shifts."""


def by_alternation(last: Punch | None, at: datetime, longest: timedelta) -> Direction:
    """Out when the last punch is an in at most `longest` ago, else in."""
    came = last is not None and last.direction is Direction.IN and timedelta() <= at - last.at <= longest
    return Direction.OUT if came else Direction.IN


def by_schedule(shifts: Sequence[Shift], at: datetime, zone: tzinfo) -> Direction | None:
    """In near the begin of a shift, out near its end; None when neither is near, or both equally."""
    first = at.astimezone(zone).date() - timedelta(days=2)
    spans = [span for shift in shifts for span in shift.hours.spans(first, 4, zone)]
    begin = min((abs(at - start) for start, _ in spans), default=NEAR_SHIFT)
    end = min((abs(at - stop) for _, stop in spans), default=NEAR_SHIFT)
    if begin == end or min(begin, end) >= NEAR_SHIFT:
        return None
    return Direction.IN if begin < end else Direction.OUT
