"""Ends several things one after the other within one limit."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from edged.clock import Clock

LEAST_S = 0.1
"""What comes late in its turn still gets this long."""


def stop_in_turn(stops: Iterable[Callable[[float], bool]], timeout_s: float, clock: Clock) -> bool:
    """Call each of `stops` with the seconds that are left of `timeout_s`.

    Returns:
        True when every one of them said so.
    """
    until_s = clock.monotonic() + timeout_s
    return all([stop(max(LEAST_S, until_s - clock.monotonic())) for stop in stops])
