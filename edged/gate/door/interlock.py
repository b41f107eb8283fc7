"""Doors of which only one may be unlocked at a time (a man-trap). Pure; safe to use from several threads."""

from __future__ import annotations

import threading
from collections.abc import Iterable


class Interlock:
    """Tracks which of its doors are known to be locked. At first none is.

    A door that cannot be seen (its relay board is away) is not known to be locked, so the others stay
    locked as well (fail secure). People get out by means that need no software.

    Args:
        door_ids: the doors that belong together.
    """

    def __init__(self, door_ids: Iterable[str]) -> None:
        self._lock = threading.Lock()
        self._locked = dict.fromkeys(door_ids, False)
        self._fire: set[str] = set()

    def report(self, door_id: str, locked: bool, fire: bool) -> None:
        """State of one door: closed and `locked`; `fire`: fire release is active there."""
        with self._lock:
            self._locked[door_id] = locked
            (self._fire.add if fire else self._fire.discard)(door_id)

    def take(self, door_id: str) -> bool:
        """Ask to unlock a door. When several ask at once, one gets True.

        Returns:
            True when all others are locked, or fire release is active at any of them; the door then counts as
            not locked until it reports otherwise.
        """
        with self._lock:
            others_locked = all(locked for other, locked in self._locked.items() if other != door_id)
            if not (others_locked or self._fire):
                return False
            self._locked[door_id] = False
            return True
