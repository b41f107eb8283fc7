"""When the cloud's day ends, though people and NTP may set the clock at any time. Times are passed in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone

CLOUD_TIME = timezone(timedelta(hours=8))
"""The service counts days in its own time, UTC+8."""

DAY_S = 86400.0
STEPPED_S = 1.0
"""A wall clock that moves this far against the monotonic one was set; both follow NTP's slow corrections."""


@dataclass(frozen=True)
class Window:
    """One of the cloud's days as this machine sees it.

    Attributes:
        boot: the boot of the machine the monotonic times belong to.
        started_s, ends_s: monotonic times.
        ends_at: the end by the wall clock, aware; of use only after another boot.
        offset_s: wall clock minus monotonic clock.
    """

    boot: str
    started_s: float
    ends_s: float
    ends_at: datetime
    offset_s: float


def current(window: Window | None, wall: datetime, now: float, boot: str) -> tuple[Window, bool]:
    """The window that holds now, and whether it is a new one, so that counting begins at 0.

    While the machine is up, the monotonic clock decides. When the wall clock was set, either its old or its
    new time is the right one; the window ends when a midnight has passed by both, which is within 24 hours of
    its beginning. After a boot only the wall clock is left to believe; if that has gone back, the window is
    kept until its next midnight.

    Args:
        window: the one stored last.
        wall: wall time, aware.
        now: monotonic time.
        boot: of the machine, now.
    """
    if window is None:
        return _begun(wall, now, boot), True
    if window.boot != boot:
        return _begun(wall, now, boot), wall >= window.ends_at
    offset_s = wall.timestamp() - now
    if abs(offset_s - window.offset_s) > STEPPED_S:
        window = _after_step(window, wall, now, offset_s)
    return (_begun(wall, now, boot), True) if now >= window.ends_s else (window, False)


def _begun(wall: datetime, now: float, boot: str) -> Window:
    local = wall.astimezone(CLOUD_TIME)
    midnight = datetime(local.year, local.month, local.day, tzinfo=CLOUD_TIME) + timedelta(days=1)
    ends_s = now + (midnight - wall).total_seconds()
    return Window(boot, now, ends_s, midnight, wall.timestamp() - now)


def _after_step(window: Window, wall: datetime, now: float, offset_s: float) -> Window:
    moved_s = offset_s - window.offset_s
    length_s = (window.ends_s - moved_s - window.started_s) % DAY_S or DAY_S
    ends_s = max(window.ends_s, window.started_s + length_s)
    ends_at = wall + timedelta(seconds=ends_s - now)
    return replace(window, ends_s=ends_s, ends_at=ends_at, offset_s=offset_s)
