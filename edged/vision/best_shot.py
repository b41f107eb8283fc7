"""Which of a track's acceptable shots is sent to recognition, and when. Pure.

A shot costs a search, or a paid call, so one is sent when it is good, and another one only when there is a
reason to expect a better answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

Shot = TypeVar("Shot")

GOOD_ENOUGH = 0.55
"""Quality (see quality.shot_quality) at which a shot is sent without waiting for a better one."""

WAIT_S = 0.25
"""Longest wait for a better shot after the first acceptable one."""

CLEARLY_BETTER = 0.15
"""Quality above that of the last shot sent that is worth a search of its own."""

LONGEST_PAUSE_S = 2.0
"""Between two shots that are no better than those that were not recognised."""


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
    _sent_quality: float = 0.0
    _best: tuple[float, Shot] | None = None
    _waiting_since_s: float = 0.0
    _in_vain: int = 0

    def wants(self, now_s: float) -> bool:
        """Is it worth measuring this track's face in a frame captured at `now_s`?"""
        return now_s - self._sent_s >= self.interval_s

    def offer(
        self, shot: Shot, quality: float, now_s: float, *, promising: bool | None = None
    ) -> Shot | None:
        """Take in an acceptable shot; return the one to send now, if any.

        Args:
            quality: of this shot, 0..1.
            promising: what the last answer said: True, the shots so far name one person and another may
                confirm it; False, they do not; None, there is no answer yet.
        """
        if self.sent and not promising and not self._worth_another(quality, now_s):
            return None
        if self._best is None:
            self._waiting_since_s = now_s
        if self._best is None or quality > self._best[0]:
            self._best = (quality, shot)
        if promising:
            self._in_vain = 0
        return self.due(now_s, good_enough=promising is True or self._best[0] >= GOOD_ENOUGH)

    def due(self, now_s: float, *, good_enough: bool = False) -> Shot | None:
        """The best shot so far if the wait for a better one is over."""
        if self._best is None or not (good_enough or now_s - self._waiting_since_s >= WAIT_S):
            return None
        self._sent_quality, shot = self._best
        self._best = None
        self._sent_s = now_s
        self.sent += 1
        self._in_vain += 1
        return shot

    def _worth_another(self, quality: float, now_s: float) -> bool:
        """Clearly better than the last one, or the pause is over, which doubles with every shot in vain."""
        pause_s = min(self.interval_s * 2**self._in_vain, LONGEST_PAUSE_S)
        return quality >= self._sent_quality + CLEARLY_BETTER or now_s - self._sent_s >= pause_s
