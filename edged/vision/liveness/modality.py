"""Modalities of liveness (RGB, near infrared, depth) and the rule that combines them.

edged ships the RGB one. A driver for another camera implements `LivenessModality`. No I/O here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Protocol

Box = tuple[float, float, float, float]
"""x, y, width, height of a face in pixels of the colour picture; may reach beyond it."""


@dataclass(frozen=True)
class ModalityResult:
    """Answer of one modality for one instant.

    Attributes:
        score: 0 false .. 1 live.
        threshold: least score that passes, 0..1.
        at_s: monotonic time at which its picture was captured, seconds.
    """

    score: float
    threshold: float
    at_s: float

    @property
    def passed(self) -> bool:
        """The score reaches the threshold. False for a score that is no number: doubt denies."""
        return isfinite(self.score) and self.score >= self.threshold


class LivenessModality(Protocol):
    """One source of liveness, for example a near-infrared camera beside the RGB one."""

    @property
    def name(self) -> str:
        """Short and stable, for the configuration and the journal: `rgb`, `nir`, `depth`."""
        ...

    def result_at(self, at_s: float, box: Box) -> ModalityResult | None:
        """Its result nearest to the monotonic instant `at_s` about the face at `box`.

        The vision thread calls it for every shot: answer at once, from results that are there already.

        Returns:
            None without a usable result, also while its camera is away.
        """
        ...


def all_pass(results: Mapping[str, ModalityResult | None], now_s: float, max_skew_s: float) -> bool:
    """Whether every enabled modality passed on the same instant, which is `now_s`.

    The documented rule: all enabled ones must pass, and recognition gets the picture of the instant at which
    they passed (docs/reference/terminals.md 2.1).

    Args:
        results: one entry per enabled modality; None for one without a result, which fails.
        now_s: monotonic capture time of the picture for recognition.
        max_skew_s: longest time between captures, that picture included, that counts as one instant.

    Returns:
        False too when nothing is enabled: switching liveness off is the caller's decision, not a pass.
    """
    times = [one.at_s for one in results.values() if one is not None and one.passed and isfinite(one.at_s)]
    if not times or len(times) < len(results):
        return False
    return max(*times, now_s) - min(*times, now_s) <= max_skew_s


def not_passing(
    results: Mapping[str, ModalityResult | None], now_s: float, max_skew_s: float
) -> tuple[str, ...]:
    """The modalities that keep `all_pass` from holding; () when it holds or none is enabled.

    Those that do not pass by themselves; all of them when each passes, but too far from one another.
    """
    if not results or all_pass(results, now_s, max_skew_s):
        return ()
    alone = [name for name, one in results.items() if not all_pass({name: one}, now_s, max_skew_s)]
    return tuple(alone or results)
