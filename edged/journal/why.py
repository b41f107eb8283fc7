"""The records of one passage, turned into the answer to "why?". Pure: no database, no clock, no printing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edged.journal.explanation import Explanation, Recognition, Refusals, RelayOutcome, Rule
from edged.record import Record

_MEASURES: dict[str, tuple[str, str, bool]] = {
    "face_too_small": ("face_px", " px", True),
    "face_too_uncertain": ("detection", "", True),
    "yaw_too_large": ("yaw_deg", "°", False),
    "pitch_too_large": ("pitch_deg", "°", False),
    "roll_too_large": ("roll_deg", "°", False),
    "too_blurred": ("blur", "", False),
    "too_dark": ("illumination", "", True),
    "too_bright": ("illumination", "", False),
    "face_incomplete": ("completeness", "", True),
}
"""Refusal -> its measure, the unit, and whether more of it is better."""

_ANSWERS = ("face_identified", "recognition_failed")


def explain(records: Sequence[Record]) -> Explanation:
    """The explanation of one passage.

    Args:
        records: all records of it, in the order of writing, at least one (see `JournalReader.find`).
    """
    if not records:
        raise ValueError("there is nothing to explain without records")
    decided = _last(records, "access_decided")
    decision = decided.payload if decided else {}
    exhausted = _payload(_last(records, "passage_exhausted"))
    ended = _payload(_last(records, "track_ended"))
    refused = [r.payload for r in records if r.event == "shot_refused"]
    order = _payload(_last(records, "door_ordered"))
    return Explanation(
        passage_id=_first_known(records, "passage_id"),
        decision_id=_first_known(records, "decision_id"),
        at=(decided or records[0]).at,
        door_id=_first_known(records, "door_id"),
        camera_id=_first_known(records, "camera_id"),
        outcome=_order_outcome(order) if order else decision.get("outcome", "undecided"),
        reasons=_reasons(decision, exhausted, ended, order),
        person_id=decision.get("person_id"),
        person_name=decision.get("person_name"),
        score=decision.get("score"),
        threshold=decision.get("threshold"),
        margin=decision.get("margin"),
        refused_shots=len(refused),
        refusals=_refusals(refused),
        recognitions=tuple(_recognition(r) for r in records if r.event in _ANSWERS),
        rules=tuple(Rule(r["code"], r["passed"], r["detail"]) for r in decision.get("rules") or ()),
        timings_ms=_timings(records, decision),
        relay=_relay(records, granted=decision.get("outcome") == "granted" or _opens(order)),
        nearest_px=ended.get("nearest_px"),
        seen_s=ended.get("duration_s"),
        ordered=_ordered(order) if order else None,
    )


def _reasons(
    decision: dict[str, Any], exhausted: dict[str, Any], ended: dict[str, Any], order: dict[str, Any]
) -> tuple[str, ...]:
    if order:
        return (order["code"],) if order.get("code") else ()
    return tuple(decision.get("reasons") or exhausted.get("reasons") or ended.get("refusals") or ())


def _order_outcome(order: dict[str, Any]) -> str:
    return "refused" if order.get("code") else "ordered"


def _opens(order: dict[str, Any]) -> bool:
    return order.get("action") == "open" and not order.get("code")


def _ordered(order: dict[str, Any]) -> str:
    """`open, by Mia (user guard, uid 1000), until 2026-...`."""
    user = f"user {order.get('user') or '-'}, uid {'-' if order.get('uid') is None else order['uid']}"
    by = f"{order['by']} ({user})" if order.get("by") else user
    until = f", until {order['until']}" if order.get("until") else ""
    return f"{order['action']}, by {by}{until}"


def _last(records: Sequence[Record], event: str) -> Record | None:
    return next((r for r in reversed(records) if r.event == event), None)


def _payload(record: Record | None) -> dict[str, Any]:
    return record.payload if record else {}


def _first_known(records: Sequence[Record], column: str) -> str | None:
    return next((getattr(r, column) for r in records if getattr(r, column) is not None), None)


def _refusals(refused: Sequence[dict[str, Any]]) -> tuple[Refusals, ...]:
    """Refused shots grouped by code, most frequent first."""
    codes = dict.fromkeys(code for shot in refused for code in shot["reasons"])
    groups = [_group(code, [shot for shot in refused if code in shot["reasons"]]) for code in codes]
    return tuple(sorted(groups, key=lambda group: -group.count))


def _group(code: str, shots: Sequence[dict[str, Any]]) -> Refusals:
    measure, unit, more_is_better = _MEASURES.get(code, ("", "", True))
    limits = [shot["limits"][code] for shot in shots if shot.get("limits", {}).get(code) is not None]
    measured = [shot["measures"].get(measure) for shot in shots]
    values = sorted(
        (v for v in measured if v is not None), key=lambda v: v if more_is_better else -abs(v), reverse=True
    )
    return Refusals(
        code=code,
        count=len(shots),
        best=values[0] if values else None,
        worst=values[-1] if values else None,
        required=limits[-1] if limits else None,
        unit=unit,
    )


def _recognition(record: Record) -> Recognition:
    answer = record.payload
    if record.event == "recognition_failed":
        return Recognition(
            shot_number=answer["shot_number"],
            engine=answer["engine"],
            error=answer["code"],
            error_detail=answer["reason"],
        )
    known = Recognition.__dataclass_fields__
    return Recognition(**{name: value for name, value in answer.items() if name in known})


def _timings(records: Sequence[Record], decision: dict[str, Any]) -> dict[str, float]:
    """Timings of the decision; without one, those of the last record that has any."""
    if decision.get("timings_ms"):
        return dict(decision["timings_ms"])
    with_timings = [r.payload["timings_ms"] for r in records if r.payload.get("timings_ms")]
    return dict(with_timings[-1]) if with_timings else {}


def _relay(records: Sequence[Record], *, granted: bool) -> RelayOutcome | None:
    unlocked = _last(records, "door_unlocked")
    if unlocked is not None:
        return _moved(unlocked, _last(records, "door_locked"))
    refused = _last(records, "grant_not_executed")
    if refused is not None:
        code = refused.payload["code"]
        moved = None if code == "interrupted" else False
        return RelayOutcome(moved=moved, at=refused.at, code=code, detail=refused.payload["reason"])
    return RelayOutcome(moved=None) if granted else None


def _moved(unlocked: Record, locked: Record | None) -> RelayOutcome:
    on, off = unlocked.payload, _payload(locked)
    return RelayOutcome(
        moved=True,
        at=unlocked.at,
        mode=on["mode"],
        acknowledged=on["acknowledged"],
        acknowledged_ms=on["acknowledged_ms"],
        decision_to_relay_ms=on["decision_to_relay_ms"],
        frame_to_relay_ms=on["frame_to_relay_ms"],
        extended=on["extended"],
        released_at=locked.at if locked else None,
        on_ms=off.get("on_ms"),
        off_acknowledged=off.get("acknowledged"),
    )
