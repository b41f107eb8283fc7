"""The health of one part as the daemon tells it: with hung threads, failed questions, and since when."""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from edged.app.part import Part, PartHealth, PartState
from edged.clock import Clock
from edged.errors import EdgedError

NOT_RUNNING = "The part is not running."


def health_of(part: Part, *, started: bool, hung: Collection[str]) -> PartHealth:
    """How a part is.

    Args:
        started: whether its `start` has returned, and nobody has stopped it since.
        hung: names of heartbeats that are overdue; one of the part's own makes it failed.
    """
    if not started:
        return PartHealth(part.name, PartState.OFF, NOT_RUNNING)
    try:
        health = part.health()
    except EdgedError as error:
        details = {"code": error.code, "hint": error.hint}
        return PartHealth(part.name, PartState.FAILED, error.message, details)
    except Exception as error:  # noqa: BLE001 - a fault in one answer must not hide the health of the others
        summary = f"Its health cannot be found out: {type(error).__name__}: {error}."
        return PartHealth(part.name, PartState.FAILED, summary)
    silent = [name for name in part.beats() if name in hung]
    if silent:
        return replace(
            health, state=PartState.FAILED, summary=f"Does not move any more: {', '.join(silent)}."
        )
    return health


class StateTimes:
    """Remembers since when each part is in its state, as far as somebody has looked. Safe from any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: dict[str, tuple[PartState, datetime]] = {}

    def dated(self, health: PartHealth) -> PartHealth:
        """The same with `since`: the time of the first look that found this state."""
        with self._lock:
            state, since = self._seen.get(health.part, (None, None))
            if since is None or state is not health.state:
                since = self._clock.now()
                self._seen[health.part] = (health.state, since)
        return replace(health, since=since)
