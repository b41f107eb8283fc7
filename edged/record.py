"""One row of the journal: its columns, how an event becomes one, and back. No database here."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from edged.clock import iso
from edged.events import Event, event_name

COLUMNS = (
    "at", "event", "passage_id", "door_id", "camera_id", "decision_id",
    "person_id", "outcome", "reason", "score", "payload", "received_at", "clock",
)  # fmt: skip

DETAILS = frozenset({
    "track_started", "track_ended", "shot_refused", "shot_chosen", "guidance_changed", "face_identified",
    "recognition_failed", "passage_exhausted", "door_state_changed",
})  # fmt: skip
"""Events that only explain: the journal keeps them for a shorter time, and they give way first."""

DAMAGED = "record_damaged"
"""Stands for a row that a worn disk has changed, so that the others can be read and delivered."""


@dataclass(frozen=True)
class Record:
    """One event as the journal has it.

    Attributes:
        seq: position in the journal, from 1; later is larger, no number occurs twice.
        at: wall time of the fact, aware UTC, whole milliseconds.
        event: name of the event, e.g. `access_decided`.
        outcome: `granted` or `denied`, decisions only.
        reason: the deciding reason code, where the event has one.
        score: 0..100, where the event has one.
        payload: the whole event as `Event.to_dict()` gave it.
        received_at: wall time at which the journal took it; None in records of an older edged.
        clock: quality of the wall clock then: `synchronised`, `holdover` (it was, and runs on by itself) or
            `unknown`; None in records of an older edged.
    """

    seq: int
    at: datetime
    event: str
    passage_id: str | None
    door_id: str | None
    camera_id: str | None
    decision_id: str | None
    person_id: str | None
    outcome: str | None
    reason: str | None
    score: float | None
    payload: dict[str, Any]
    received_at: datetime | None = None
    clock: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready dict: `seq`, the payload, then `received_at` and `clock`."""
        arrival = {} if self.received_at is None else {"received_at": iso(self.received_at)}
        if self.clock is not None:
            arrival["clock"] = self.clock
        return {"seq": self.seq, **self.payload, **arrival}


def row_of(event: Event, received_at: datetime, clock: str) -> tuple[Any, ...]:
    """The values of `COLUMNS` for `event`; private fields (pixels) are not among them."""
    payload = storable(event.to_dict())
    text = json.dumps(payload, ensure_ascii=False, allow_nan=False)
    return (iso(event.at), event_name(type(event)), *derived(payload), text, iso(received_at), clock)


def derived(payload: dict[str, Any]) -> tuple[Any, ...]:
    """The columns from `passage_id` to `score`, which repeat what the payload says."""
    return (*(payload.get(column) for column in COLUMNS[2:8]), _reason(payload), payload.get("score"))


def record_of(row: Mapping[str, Any]) -> Record:
    """The record of one row of the table; for one that cannot be read, a `record_damaged` in its place."""
    columns = {name: row[name] for name in ("seq", *COLUMNS)}
    received_at = columns["received_at"]
    try:
        columns["at"] = datetime.fromisoformat(columns["at"])
        columns["received_at"] = None if received_at is None else datetime.fromisoformat(received_at)
        columns["payload"] = json.loads(columns["payload"])
    except (ValueError, TypeError):
        return _damaged(row["seq"])
    return Record(**columns) if isinstance(columns["payload"], dict) else _damaged(row["seq"])


def _damaged(seq: int) -> Record:
    """A `record_damaged` for row `seq`; its time is unknown, so it is as old as can be."""
    at = datetime.fromtimestamp(0, UTC)
    payload = {"event": DAMAGED, "at": iso(at), "code": "database_corrupt"}
    missing = dict.fromkeys(("passage_id", "door_id", "camera_id", "decision_id", "person_id", "outcome"))
    return Record(
        seq=seq, at=at, event=DAMAGED, reason="database_corrupt", score=None, payload=payload, **missing
    )


def _reason(payload: dict[str, Any]) -> str | None:
    reasons = payload.get("reasons") or payload.get("refusals")
    return reasons[0] if reasons else payload.get("code")


def storable(value: Any) -> Any:
    """`value` in a form that JSON and UTF-8 can hold, because a strange value must not cost the record."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return str(value).encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {storable(str(k)): storable(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [storable(v) for v in value]
    return value if isinstance(value, int | None) else str(value)
