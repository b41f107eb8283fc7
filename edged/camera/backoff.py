"""How long to wait before a lost camera is opened again. Waiting itself happens in the capture loop."""

from __future__ import annotations

import random

_JITTER = 0.2
"""Keeps many boxes from coming back at the same moment (docs/reference/relay-boards.md 7.3)."""


class Backoff:
    """Pauses that double from `min_s` to `max_s`, each varied by +-20 %.

    Args:
        min_s: first pause, seconds.
        max_s: longest pause before jitter, seconds; a smaller one than `min_s` counts as `min_s`.
        rng: source of the jitter.
    """

    def __init__(self, min_s: float, max_s: float, rng: random.Random | None = None) -> None:
        self._min_s = max(min_s, 0.05)
        self._max_s = max(max_s, self._min_s)
        self._rng = rng or random.Random()
        self._next_s = self._min_s

    def next_s(self) -> float:
        """The pause to make now, seconds; the one after it will be twice as long."""
        pause_s = self._next_s * self._rng.uniform(1 - _JITTER, 1 + _JITTER)
        self._next_s = min(self._next_s * 2, self._max_s)
        return pause_s

    def reset(self) -> None:
        """Start again from the shortest pause."""
        self._next_s = self._min_s
