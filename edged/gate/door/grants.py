"""Grants that wait for the lane, and the ids of accepted ones. Pure; moves nothing."""

from __future__ import annotations

import math
from collections import deque

from edged.gate.door.model import Grant, RefusedGrant

MAX_REMEMBERED = 1024
"""Unexpired decisions remembered; at two seconds of life each, far more than one door can get."""


class GrantBook:
    """Accepts each decision once, before it expires, and lets it wait no longer than that.

    Args:
        room: how many grants may wait.
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._waiting: deque[Grant] = deque()
        self._taken: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def deadline(self) -> float:
        """When the first waiting grant expires; infinite: none waits."""
        return min((grant.expires_s for grant in self._waiting), default=math.inf)

    def take(self, now: float, grant: Grant) -> RefusedGrant | None:
        """Accept a grant (None) or refuse it; an accepted id is remembered until the grant expires."""
        self._taken = {known: until for known, until in self._taken.items() if now < until}
        if not now < grant.expires_s < math.inf:
            return RefusedGrant(grant, "grant_expired", "The grant came too late.")
        if grant.decision_id in self._taken:
            return RefusedGrant(grant, "grant_already_spent", "This decision was taken up before.")
        if len(self._taken) >= MAX_REMEMBERED:
            return RefusedGrant(grant, "door_busy", f"More than {MAX_REMEMBERED} grants at once.")
        self._taken[grant.decision_id] = grant.expires_s
        return None

    def wait(self, grant: Grant) -> bool:
        """Let a grant wait. False: there is no room."""
        if len(self._waiting) >= self._room:
            return False
        self._waiting.append(grant)
        return True

    def next(self) -> Grant:
        """The grant that has waited longest."""
        return self._waiting.popleft()

    def drop_expired(self, now: float) -> list[RefusedGrant]:
        """Remove the grants that have expired."""
        late = [grant for grant in self._waiting if now >= grant.expires_s]
        for grant in late:
            self._waiting.remove(grant)
        return [RefusedGrant(each, "grant_expired", "The lane did not get free in time.") for each in late]

    def drop_all(self, code: str, reason: str) -> list[RefusedGrant]:
        """Remove all waiting grants."""
        dropped = [RefusedGrant(grant, code, reason) for grant in self._waiting]
        self._waiting.clear()
        return dropped
