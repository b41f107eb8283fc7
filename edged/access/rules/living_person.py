"""Is it a living face, where the door asks for that."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from edged.access.model import AccessRule, Request, Snapshot
from edged.events import RuleCheck


def _check(request: Request, snapshot: Snapshot, now: datetime) -> Iterable[RuleCheck]:
    seen, mode = request.liveness, snapshot.policy.liveness
    if mode == "off":
        return
    if seen is None or not seen.decided:
        frames = seen.frames if seen else 0
        detail = f"too few frames to judge ({frames})"
        yield RuleCheck(code="not_live", passed=mode == "advisory", detail=detail)
        return
    because = f": {', '.join(seen.suspicion)}" if seen.suspicion else ""
    yield RuleCheck(
        code="spoof_suspected",
        passed=seen.passed or mode == "advisory",
        detail=f"live score {seen.score:.2f} over {seen.frames} frames, {mode}{because}",
    )


RULE = AccessRule(("not_live", "spoof_suspected"), _check)
