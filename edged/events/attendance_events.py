"""Punches and corrections that entered the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from edged.events.base import Event


@dataclass(frozen=True, kw_only=True, eq=False)
class PunchRecorded(Event):
    """A granted passage became a punch; `at` is the time of the passage.

    Attributes:
        punch_id: its number in the ledger.
        direction: `in` or `out`.
        direction_by: source of the direction: `device`, `alternate`, `schedule`, `key`.
        repeated: so soon after the last one that the ledger keeps it without counting it.
    """

    punch_id: int
    person_id: str
    person_name: str
    direction: str
    direction_by: str
    repeated: bool
    decision_id: str | None


@dataclass(frozen=True, kw_only=True, eq=False)
class PunchCorrected(Event):
    """A person added, voided or changed a punch. `punch_at` and `direction` are its values from now on."""

    punch_id: int
    corrects: int | None
    action: str
    person_id: str
    punch_at: datetime
    direction: str
    reason: str
    author: str
