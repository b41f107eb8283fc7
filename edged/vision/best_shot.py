"""Which of a track's acceptable shots is sent to recognition, and when. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

Shot = TypeVar("Shot")

GOOD_ENOUGH = 0.55
"""Quality (see quality.shot_quality) at which a shot is sent without waiting for a better one."""

WAIT_S = 0.25
"""Longest wait for a better shot after the first acceptable one."""


@dataclass
class BestShot(Generic[Shot]):
    """The choice for one track.

    Args:
        interval_s: shortest time between two shots that are sent. How many are recognised is the business of
            recognition: a shot that is sent may be replaced there by a better one.
    """

    interval_s: float
    sent: int = 0
    _sent_s: float = float("-inf")
    _best: tuple[float, float, Shot] | None = None
    _waiting_since_s: float = 0.0

    def wants(self, now_s: float) -> bool:
        """Is it worth measuring this track's face in a frame captured at `now_s`?"""
        return now_s - self._sent_s >= self.interval_s

    def offer(self, shot: Shot, quality: float, now_s: float) -> Shot | None:
        """Take in an acceptable shot; return the one to send now, if any."""
        if self._best is None:
            self._waiting_since_s = now_s
        if self._best is None or quality > self._best[0]:
            self._best = (quality, now_s, shot)
        return self.due(now_s, good_enough=self._best[0] >= GOOD_ENOUGH)

    def due(self, now_s: float, *, good_enough: bool = False) -> Shot | None:
        """The best shot so far if the wait for a better one is over."""
        if self._best is None or not (good_enough or now_s - self._waiting_since_s >= WAIT_S):
            return None
        _, _, shot = self._best
        self._best = None
        self._sent_s = now_s
        self.sent += 1
        return shot
