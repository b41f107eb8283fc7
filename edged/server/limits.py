"""Rate per second (code 18) and per day (code 17) of each call of an application.

No second, whenever it begins, holds more calls than the rate. Days change at midnight UTC+8, like the
cloud's, so that a client's own counters agree.
"""

from __future__ import annotations

import math
from collections import deque

from edged.clock import Clock
from edged.config.serve import AppConfig
from edged.faceapi.calls import CLOUD_TIME, Call
from edged.server.replies import ApiError


class Limits:
    """The counters of one application. Used by one thread: the server's event loop.

    Args:
        used: today's counters from before a restart, by `Call.title`.
    """

    def __init__(self, config: AppConfig, clock: Clock, used: dict[str, int]) -> None:
        self._config = config
        self._clock = clock
        self._day = cloud_day(clock)
        self._used = dict(used)
        self._admitted: dict[Call, deque[float]] = {}

    def admit(self, call: Call) -> int | None:
        """Count one call.

        Returns:
            Today's count to store, if the call has a daily limit; else None.

        Raises:
            ApiError: 18 too many this second, 17 too many today.
        """
        self._take_one(call)
        if not (call.value.paid and self._config.daily_calls):
            return None
        today = cloud_day(self._clock)
        if today != self._day:
            self._day, self._used = today, {}
        used = self._used.get(call.title, 0)
        if used >= self._config.daily_calls:
            raise ApiError(17)
        self._used[call.title] = used + 1
        return used + 1

    def _take_one(self, call: Call) -> None:
        rate = self._config.qps if call.value.paid else self._config.management_qps
        if rate <= 0:
            return
        most = math.ceil(rate)  # 2.5 a second are at most 3 within 1.2 s
        now_s = self._clock.monotonic()
        admitted = self._admitted.setdefault(call, deque())
        while admitted and admitted[0] <= now_s - most / rate:
            admitted.popleft()
        if len(admitted) >= most:
            raise ApiError(18)
        admitted.append(now_s)


def cloud_day(clock: Clock) -> str:
    """The date in the cloud's time zone, `YYYY-MM-DD`."""
    return clock.now().astimezone(CLOUD_TIME).date().isoformat()
