"""Alarms of one door, kept until somebody has acknowledged them. Pure.

An alarm is active while what caused it lasts, and open until it was acknowledged; it is forgotten when it
is neither. So a door that was forced at night and closed again still shows in the morning.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Alarm:
    """One alarm.

    Attributes:
        code: see `RaisedAlarm`.
        reason: what happened, a sentence.
        raised_s: monotonic time of the last time it was raised.
        active: what caused it lasts.
        acknowledged_by: who has seen it; None: nobody yet.
        count: how often it was raised since it was last forgotten.
    """

    code: str
    reason: str
    raised_s: float
    active: bool
    acknowledged_by: str | None = None
    count: int = 1


class AlarmBook:
    """The alarms of a door that are active or not yet acknowledged, at most one of each code."""

    def __init__(self) -> None:
        self._alarms: dict[str, Alarm] = {}

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """Oldest first."""
        return tuple(self._alarms.copy().values())

    def raise_(self, now: float, code: str, reason: str, *, lasting: bool) -> bool:
        """Something happened; `lasting`: until `over` says otherwise.

        Returns:
            False when this alarm is active already, so that there is nothing new to tell.
        """
        before = self._alarms.get(code)
        if before and before.active:
            return False
        count = before.count + 1 if before else 1
        self._alarms[code] = Alarm(code, reason, now, lasting, count=count)
        return True

    def over(self, code: str) -> bool:
        """What caused it has ended. False: it was not active."""
        alarm = self._alarms.get(code)
        if alarm is None or not alarm.active:
            return False
        self._put(replace(alarm, active=False))
        return True

    def acknowledge(self, by: str) -> tuple[Alarm, ...]:
        """Somebody has seen all that is open. Returns what they had not seen before."""
        unseen = tuple(alarm for alarm in self.alarms if alarm.acknowledged_by is None)
        for alarm in unseen:
            self._put(replace(alarm, acknowledged_by=by))
        return unseen

    def _put(self, alarm: Alarm) -> None:
        if alarm.active or alarm.acknowledged_by is None:
            self._alarms[alarm.code] = alarm
        else:
            del self._alarms[alarm.code]
