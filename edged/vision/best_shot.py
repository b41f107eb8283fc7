"""Chooses which acceptable shots of a track go to recognition, and when. Pure.

A shot costs a search or a paid call. A good one goes at once, another one only when there is reason to expect
a better answer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

Shot = TypeVar("Shot")

GOOD_ENOUGH = 0.55
"""Quality (see quality.shot_quality) at which a shot goes without a wait for a better one."""

WAIT_S = 0.25
"""Longest wait for a better shot after the first acceptable one."""

CLEARLY_BETTER = 0.15
"""Quality above that of the last shot sent that is worth a search of its own."""

LONGEST_PAUSE_S = 2.0
"""Between two shots that are no better than those that were not recognised."""

KEPT = 3
"""Shots of one track that wait for their turn, the best ones."""

KEPT_S = 0.6
"""Longest wait of a kept shot: a grant needs a picture of the person who stands there now."""


@dataclass(frozen=True)
class _Kept(Generic[Shot]):
    quality: float
    captured_s: float
    shot: Shot


@dataclass
class BestShot(Generic[Shot]):
    """The choice for one track. The best `KEPT` of its shots wait here for their turn.

    Args:
        interval_s: shortest time between two shots that go to recognition, and between their pictures.
            Recognition may replace a shot by a better one, and limits how many it looks at.
    """

    interval_s: float
    sent: int = 0
    _sent_s: float = float("-inf")
    _sent_quality: float = 0.0
    _kept: list[_Kept[Shot]] = field(default_factory=list)
    _waiting_since_s: float = 0.0
    _in_vain: int = 0

    def wants(self, now_s: float) -> bool:
        """Whether to measure this track's face in a frame captured at `now_s`."""
        return now_s - self._sent_s >= self.interval_s

    def offer(
        self, shot: Shot, quality: float, now_s: float, *, promising: bool | None = None
    ) -> Shot | None:
        """Take in an acceptable shot captured at `now_s`; return the one to send now, if any.

        Args:
            quality: how good this shot is, 0..1.
            promising: the latest answer. True: the shots so far name one person, and another shot may
                confirm it; False: they do not; None: there is no answer yet.
        """
        self._drop_stale(now_s)
        if not self._kept:
            self._waiting_since_s = now_s
        self._kept.append(_Kept(quality, now_s, shot))
        self._kept = sorted(self._kept, key=lambda kept: -kept.quality)[:KEPT]
        return self.due(now_s, promising=promising)

    def due(self, now_s: float, *, promising: bool | None = None) -> Shot | None:
        """The best kept shot, if it is its turn: also without a new one, for a face that has turned away."""
        self._drop_stale(now_s)
        if not self._kept or not self.wants(now_s):
            return None
        best = self._kept[0]
        if promising:
            self._in_vain = 0
        elif not self._its_turn(best.quality, now_s):
            return None
        self._send(best, now_s)
        return best.shot

    def _send(self, best: _Kept[Shot], now_s: float) -> None:
        self._sent_quality, self._sent_s = best.quality, now_s
        self._kept = [k for k in self._kept if abs(k.captured_s - best.captured_s) >= self.interval_s]
        self._waiting_since_s = now_s
        self.sent += 1
        self._in_vain += 1

    def _drop_stale(self, now_s: float) -> None:
        self._kept = [kept for kept in self._kept if now_s - kept.captured_s <= KEPT_S]

    def _its_turn(self, quality: float, now_s: float) -> bool:
        if self.sent and not self._worth_another(quality, now_s):
            return False
        return quality >= GOOD_ENOUGH or now_s - self._waiting_since_s >= WAIT_S

    def _worth_another(self, quality: float, now_s: float) -> bool:
        """Clearly better than the last one, or the pause is over, which doubles with every shot in vain."""
        pause_s = min(self.interval_s * 2**self._in_vain, LONGEST_PAUSE_S)
        return quality >= self._sent_quality + CLEARLY_BETTER or now_s - self._sent_s >= pause_s
