"""Is it surely one person: score, lead over the next person, agreement of the shots."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from edged.access.model import AccessRule, Request, Snapshot
from edged.events import RuleCheck


def _check(request: Request, snapshot: Snapshot, now: datetime) -> Iterable[RuleCheck]:
    policy = snapshot.policy
    if request.library_empty:
        yield RuleCheck(code="library_empty", passed=False, detail="the library holds nobody to compare with")
        return
    if request.person_id is None:
        detail = f"nobody came near, needed {policy.threshold:g}"
        yield RuleCheck(code="not_recognised", passed=False, detail=detail)
        return
    yield RuleCheck(
        code="not_recognised",
        passed=request.score >= policy.threshold,
        detail=f"best score {request.score:.1f}, needed {policy.threshold:g}",
    )
    yield RuleCheck(
        code="ambiguous_match",
        passed=request.margin >= policy.margin,
        detail=f"{request.margin:.1f} points ahead of the next person, needed {policy.margin:g}",
    )
    yield RuleCheck(
        code="not_confirmed",
        passed=request.agreeing_shots >= policy.agreeing_shots,
        detail=f"{request.agreeing_shots} shots agree, needed {policy.agreeing_shots}",
    )


RULE = AccessRule(("library_empty", "not_recognised", "ambiguous_match", "not_confirmed"), _check)
