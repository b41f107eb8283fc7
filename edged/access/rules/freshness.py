"""Is the picture that decides recent enough. A time in the future fails too: it is no measure of age."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from edged.access.model import AccessRule, Request, Snapshot
from edged.events import RuleCheck


def _check(request: Request, snapshot: Snapshot, now: datetime) -> Iterable[RuleCheck]:
    most = snapshot.policy.max_age_s
    yield RuleCheck(
        code="too_old",
        passed=0 <= request.age_s <= most,
        detail=f"frame is {request.age_s:.2f} s old, at most {most:g} s",
    )


RULE = AccessRule(("too_old",), _check)
