"""Growing pauses between attempts, the only back-off of edged. Waits for nothing: callers pass the time in.

`PauseRule` says how long the n-th pause lasts and is a pure value; `Backoff` counts failures for one owner.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class PauseRule:
    """How pauses grow with failures in a row.

    Attributes:
        first_s: the first pause before the spread, seconds, above 0.
        longest_s: the longest pause before the spread, seconds; also limits the first.
        factor: growth from one pause to the next, at least 1.
        spread: lowest and highest share of a pause that chance may choose, so that many boxes do not come
            back at the same moment; (1, 1) leaves nothing to chance.
    """

    first_s: float
    longest_s: float
    factor: float = 2.0
    spread: tuple[float, float] = (1.0, 1.0)

    def base_s(self, failures: int) -> float:
        """The pause before the spread, seconds, after `failures` earlier failures in a row (0 or more)."""
        try:
            return min(self.longest_s, self.first_s * self.factor**failures)
        except OverflowError:
            return self.longest_s

    def pause_s(self, failures: int, chance: float) -> float:
        """The pause, seconds; `chance` from 0 up to 1 places it within the spread."""
        low, high = self.spread
        return self.base_s(failures) * (low + (high - low) * chance)


class Backoff:
    """Failures in a row of one owner, and how long it should leave the other side alone. Not thread-safe.

    Args:
        rule: how pauses grow.
        chance: gives 0 up to 1 for the spread.
    """

    def __init__(self, rule: PauseRule, chance: Callable[[], float] = random.random) -> None:
        self.rule = rule
        self._chance = chance
        self._steps = 0
        self._failures = 0
        self._pause_s = 0.0
        self._until_s: float | None = None

    @property
    def failures(self) -> int:
        """Failures since the last `reset`."""
        return self._failures

    @property
    def pause_s(self) -> float:
        """The latest pause, seconds; 0 after `reset`."""
        return self._pause_s

    @property
    def until_s(self) -> float | None:
        """Monotonic end of the latest pause, which may be over; None after `reset`."""
        return self._until_s

    def left_s(self, now_s: float) -> float:
        """Seconds until the next attempt is due at monotonic `now_s`; 0: now."""
        return 0.0 if self._until_s is None else max(0.0, self._until_s - now_s)

    def failed(self, now_s: float, *, at_least_s: float = 0.0) -> float:
        """Begin the next, longer pause at monotonic `now_s`.

        Args:
            at_least_s: the other side asks for this pause; a longer one of the rule counts.

        Returns:
            The pause, seconds.
        """
        pause_s = max(self.rule.pause_s(self._steps, self._chance()), at_least_s)
        self._steps += 1
        return self._begin(now_s, pause_s)

    def failed_for_long(self, now_s: float) -> float:
        """Begin the longest pause at once; pauses stay the longest until `reset`. Returns it, seconds."""
        while self.rule.base_s(self._steps) < self.rule.longest_s and self.rule.factor > 1:
            self._steps += 1
        return self._begin(now_s, self.rule.pause_s(self._steps, self._chance()))

    def reset(self) -> None:
        """Forget all failures: an attempt may be made now, and the next pause is the shortest."""
        self._steps = self._failures = 0
        self._pause_s = 0.0
        self._until_s = None

    def _begin(self, now_s: float, pause_s: float) -> float:
        self._failures += 1
        self._pause_s = pause_s
        self._until_s = now_s + pause_s
        return pause_s
