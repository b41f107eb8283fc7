"""Was the same person granted a passage at this door only a moment ago."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from edged.access.model import AccessRule, Request, Snapshot
from edged.events import RuleCheck


def _check(request: Request, snapshot: Snapshot, now: datetime) -> Iterable[RuleCheck]:
    since, pause = snapshot.since_last_grant_s, snapshot.policy.cool_down_s
    last = "never" if since is None else f"{since:.1f} s ago"
    yield RuleCheck(
        code="cool_down",
        passed=since is None or since >= pause,
        detail=f"last let in {last}, pause {pause:g} s",
    )


RULE = AccessRule(("cool_down",), _check)
