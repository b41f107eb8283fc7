"""Spacing of calls that never exceeds a rate. Pure; keeps no state.

A bucket of one token: no burst, however long nothing was sent. The service counts calls within a second and
refuses those above the rate (code 18), so two calls saved up from a quiet minute would be one too many.
"""

from __future__ import annotations

from dataclasses import dataclass

SLACK_S = 0.1
"""Jitter between two requests on the network that still keeps them within the rate, seconds. It costs a tenth
of the rate at full load, which a door does not reach."""


@dataclass(frozen=True)
class Bucket:
    """The rate of one call.

    Attributes:
        per_s: calls per second, above 0.
        slack_s: see `SLACK_S`.
    """

    per_s: float
    slack_s: float = SLACK_S

    @property
    def interval_s(self) -> float:
        """Time between two calls: `per_s` + 1 calls in a row span a second and the slack."""
        return (1.0 + self.slack_s) / self.per_s

    def wait_s(self, next_at: float, now: float) -> float:
        """Time until a call may be sent, 0: now.

        Args:
            next_at: monotonic time left behind by the call before. One further away than an interval is from
                before a restart of the machine and counts as an interval.
            now: monotonic time.
        """
        return min(max(0.0, next_at - now), self.interval_s)

    def after(self, now: float) -> float:
        """The `next_at` that a call sent now leaves behind."""
        return now + self.interval_s
