"""Punches and corrections, and which of them count in the end. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any


class Direction(StrEnum):
    """Which way a person passes the door."""

    IN = "in"
    OUT = "out"


class Action(StrEnum):
    """What a row of the ledger does.

    `punch`: a passage at this device. The others are corrections by a person: `add` enters a passage that
    the device did not record, `void` takes one back, `change` gives one another time or direction.
    """

    PUNCH = "punch"
    ADD = "add"
    VOID = "void"
    CHANGE = "change"


@dataclass(frozen=True, kw_only=True)
class Punch:
    """One row of the ledger. Rows are never changed; a correction is another row.

    Attributes:
        punch_id: position in the ledger, from 1; 0 for one that is not stored yet.
        at: time of the passage, aware UTC.
        zone: the site's time zone at that time.
        direction_by: source of the direction: `device`, `alternate`, `schedule`, `key`, `correction`.
        repeated: lies within the dedupe window of an earlier punch: kept, but not counted.
        decision_id: the access decision it stands for; unique, so that no passage has two punches.
        corrects: the row that a `void` or `change` is about.
        reason: why a person made the correction; empty for a punch.
        author: name of that person; empty for a punch.
        recorded_at: when the ledger stored the row, aware UTC; None for one that is not stored yet.
        extra: room for what later rules need.
    """

    person_id: str
    person_name: str
    at: datetime
    zone: str
    direction: Direction
    direction_by: str
    punch_id: int = 0
    action: Action = Action.PUNCH
    repeated: bool = False
    decision_id: str | None = None
    door_id: str | None = None
    camera_id: str | None = None
    corrects: int | None = None
    reason: str = ""
    author: str = ""
    recorded_at: datetime | None = None
    extra: dict[str, Any] = field(default_factory=dict)


def effective(rows: Iterable[Punch]) -> list[Punch]:
    """The punches that count, by time, each with its newest correction. Repeats and voids do not count.

    Args:
        rows: rows of any number of people, in any order. A correction whose row is missing has no effect.
    """
    current: dict[int, Punch | None] = {}
    for row in sorted(rows, key=lambda row: row.punch_id):
        if row.action in (Action.PUNCH, Action.ADD):
            current[row.punch_id] = None if row.repeated else row
        elif row.corrects in current:
            current[row.corrects] = _corrected(row)
    found = [punch for punch in current.values() if punch is not None]
    return sorted(found, key=lambda punch: (punch.at, punch.punch_id))


def _corrected(correction: Punch) -> Punch | None:
    if correction.action is Action.VOID:
        return None
    return replace(correction, punch_id=correction.corrects or 0)
