"""The decision itself: the rules in their order, as a pure function.

Nothing here reads a clock, a database or a device; `decide` gets all of it as values. Every doubt denies,
with a reason code from edged/reasons.
"""

from __future__ import annotations

from datetime import datetime

from edged.access.model import AccessRule, Decision, Request, Snapshot
from edged.access.rules import cool_down, freshness, identity, living_person, permission, readiness
from edged.events import Outcome

WHO_IT_IS: tuple[AccessRule, ...] = (identity.RULE, living_person.RULE)
"""Applied to every request."""

WHAT_THEY_MAY: tuple[AccessRule, ...] = (permission.RULE, cool_down.RULE)
"""Applied only when `WHO_IT_IS` leaves no doubt: nobody asks what a stranger may do."""

WHETHER_THE_DOOR_CAN: tuple[AccessRule, ...] = (freshness.RULE, readiness.RULE)
"""Applied to every request."""

ORDER: tuple[AccessRule, ...] = (*WHO_IT_IS, *WHAT_THEY_MAY, *WHETHER_THE_DOOR_CAN)
"""The order in which a record shows the rules; the first that fails decides."""


def decide(request: Request, snapshot: Snapshot, now: datetime) -> Decision:
    """May the person of `request` pass at `now` (aware UTC)?

    All rules that apply are checked, so that the record shows everything that stood in the way; the first
    that fails is the deciding one.
    """
    checks = [check for rule in WHO_IT_IS for check in rule.check(request, snapshot, now)]
    surely = all(check.passed for check in checks)
    for rule in (*(WHAT_THEY_MAY if surely else ()), *WHETHER_THE_DOOR_CAN):
        checks.extend(rule.check(request, snapshot, now))
    failed = tuple(check.code for check in checks if not check.passed)
    return Decision(
        outcome=Outcome.DENIED if failed else Outcome.GRANTED,
        reasons=failed or ("granted",),
        rules=tuple(checks),
    )
