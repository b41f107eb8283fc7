"""May this person pass here at all: known, active, valid, in an allowed group."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from edged.access.model import AccessRule, Request, Snapshot
from edged.events import RuleCheck


def _check(request: Request, snapshot: Snapshot, now: datetime) -> Iterable[RuleCheck]:
    person, policy = snapshot.person, snapshot.policy
    if person is None:
        yield RuleCheck(code="person_unknown", passed=False, detail="the library has no such person")
        return
    yield RuleCheck(code="person_inactive", passed=person.active, detail=f"active: {person.active}")
    yield RuleCheck(
        code="not_yet_valid",
        passed=person.valid_from is None or person.valid_from <= now,
        detail=f"valid from {person.valid_from or 'the beginning'}",
    )
    yield RuleCheck(
        code="validity_over",
        passed=person.valid_until is None or now < person.valid_until,
        detail=f"valid until {person.valid_until or 'further notice'}",
    )
    allowed = "*" in policy.allowed_groups or bool(person.groups & policy.allowed_groups)
    yield RuleCheck(
        code="group_not_allowed",
        passed=allowed,
        detail=f"in {_listing(person.groups)}; let in here: {_listing(policy.allowed_groups)}",
    )


def _listing(groups: Iterable[str]) -> str:
    return ", ".join(sorted(groups)) or "no group"


RULE = AccessRule(
    ("person_unknown", "person_inactive", "not_yet_valid", "validity_over", "group_not_allowed"), _check
)
