"""End of the cloud's day, even if people or NTP set the clock. Callers pass the times in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from edged.faceapi.calls import CLOUD_TIME

DAY_S = 86400.0
STEPPED_S = 1.0
"""A wall clock that moves this far against the monotonic one was set, seconds; NTP's slow corrections move
both."""


@dataclass(frozen=True)
class Window:
    """One of the cloud's days as this machine sees it.

    Attributes:
        boot: boot of the machine to which the monotonic times belong.
        started_s, ends_s: monotonic times.
        ends_at: end by the wall clock, aware; used only after another boot.
        offset_s: wall clock minus monotonic clock.
    """

    boot: str
    started_s: float
    ends_s: float
    ends_at: datetime
    offset_s: float


def current(window: Window | None, wall: datetime, now: float, boot: str) -> tuple[Window, bool]:
    """The window of this moment, and whether it is new, so that counting begins at 0.

    The monotonic clock decides until the machine boots again. If the wall clock was set, either its old or
    its new time may be right: the window ends once midnight has passed by both, within 24 hours of its
    beginning. After a boot only the wall clock is left; if it has gone back, the window lasts until its next
    midnight.

    Args:
        window: the stored one.
        wall: wall time, aware.
        now: monotonic time.
        boot: the present boot of the machine.
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
