"""Can the door open now: relay board ready, no lockdown."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from edged.access.model import AccessRule, Request, Snapshot
from edged.events import RuleCheck


def _check(request: Request, snapshot: Snapshot, now: datetime) -> Iterable[RuleCheck]:
    yield RuleCheck(
        code="gate_offline",
        passed=snapshot.gate_ready,
        detail=f"relay board ready: {snapshot.gate_ready}",
    )
    if snapshot.locked_down:
        yield RuleCheck(code="door_locked_down", passed=False, detail="by its hours or by an order")


RULE = AccessRule(("gate_offline", "door_locked_down"), _check)
