"""Alarms of one door, kept until a person acknowledges them. Pure.

An alarm is active while its cause lasts, and open until a person acknowledges it; an alarm that is neither is
dropped. So a door that was forced at night and closed again still shows in the morning.
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
        active: its cause lasts.
        acknowledged_by: name of the person; None: not acknowledged.
        count: times raised since the alarm was last dropped.
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
        """Raise an alarm; `lasting`: it is active until `over`.

        Returns:
            False when this alarm is active already, so there is nothing to report.
        """
        before = self._alarms.get(code)
        if before and before.active:
            return False
        count = before.count + 1 if before else 1
        self._alarms[code] = Alarm(code, reason, now, lasting, count=count)
        return True

    def over(self, code: str) -> bool:
        """Clear an alarm: its cause has ended. False: it was not active."""
        alarm = self._alarms.get(code)
        if alarm is None or not alarm.active:
            return False
        self._put(replace(alarm, active=False))
        return True

    def acknowledge(self, by: str) -> tuple[Alarm, ...]:
        """Acknowledge all open alarms. Returns those that were not acknowledged before."""
        unseen = tuple(alarm for alarm in self.alarms if alarm.acknowledged_by is None)
        for alarm in unseen:
            self._put(replace(alarm, acknowledged_by=by))
        return unseen

    def _put(self, alarm: Alarm) -> None:
        if alarm.active or alarm.acknowledged_by is None:
            self._alarms[alarm.code] = alarm
        else:
            del self._alarms[alarm.code]
