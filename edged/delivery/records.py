"""Turns a record of the journal into a message: its kind and its format. Sends nothing.

The format is docs/delivery.md; `version` changes when a key goes or changes its meaning.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from edged.clock import Clock, iso
from edged.delivery.target import Message
from edged.record import Record

VERSION = 1
DECISION, ALARM, PUNCH, OTHER = "decision", "alarm", "punch", "event"
_OF_THE_CONFIGURATION = {
    "decisions": (DECISION,),
    "alarms": (ALARM,),
    "punches": (PUNCH,),
    "all": (DECISION, ALARM, PUNCH, OTHER),
}

DECISIONS = frozenset({"access_decided", "grant_not_executed"})
PUNCHES = frozenset({"punch_recorded", "punch_corrected"})
ALARMS = frozenset(
    {
        "gate_alarm_raised", "gate_alarm_ended", "gate_alarm_acknowledged", "gate_lost", "gate_connected",
        "camera_lost", "camera_connected", "cloud_degraded", "cloud_recovered", "component_failed",
        "subscriber_failed", "subscriber_overflowed", "clock_stepped", "journal_filling",
        "journal_restored", "record_damaged", "backup_failed", "delivery_degraded", "delivery_recovered",
        "record_put_aside",
    }
)  # fmt: skip

STRANGER = "stranger"
STRANGER_REASONS = frozenset({"not_recognised", "below_threshold", "ambiguous_match", "library_empty"})
_COMMON = ("event", "at", "passage_id", "door_id", "camera_id")
_NAMED = ("person_id", "person_name", "runner_up_id", "cloud_name", "author", "user", "by")

_PICTURE_WRITTEN = timedelta(seconds=2)

PictureOf = Callable[[Record], bytes | None]
"""The JPEG that belongs to a record, or None."""


def kind_of(event: str) -> str:
    """`decision`, `alarm`, `punch` or `event` for the name of an event."""
    if event in DECISIONS:
        return DECISION
    if event in PUNCHES:
        return PUNCH
    return ALARM if event in ALARMS else OTHER


def wanted_kinds(events: Iterable[str]) -> frozenset[str]:
    """The kinds that `events` of the configuration (`decisions`, `alarms`, `punches`, `all`) stand for."""
    return frozenset(kind for name in events for kind in _OF_THE_CONFIGURATION[name])


class RecordMaker:
    """Makes the messages of this box.

    Args:
        device: id of this box; part of every idempotency key, so it must never change or be shared.
        site: the configured name of the place.
        historic_after_s: a record further than this from the present when it is sent is historic, seconds.
        picture_of: None where the journal keeps no pictures.
    """

    def __init__(
        self,
        device: str,
        site: str,
        clock: Clock,
        *,
        historic_after_s: float = 60.0,
        picture_of: PictureOf | None = None,
    ) -> None:
        self.device = device
        self.site = site
        self._clock = clock
        self._age = timedelta(seconds=historic_after_s)
        self._picture_of = picture_of

    def message_id(self, seq: int, series: int) -> str:
        """The idempotency key. A new journal counts from 1 again, hence the series."""
        return f"{self.device}-{seq}" if series == 1 else f"{self.device}-s{series}-{seq}"

    def awaits_picture(self, record: Record) -> bool:
        """Whether the picture of a decision, which the journal gets after it, may still come."""
        if self._picture_of is None or record.event != "access_decided":
            return False
        fresh = abs(self._clock.now() - record.at) < _PICTURE_WRITTEN
        return fresh and self._picture_of(record) is None

    def make(self, record: Record, *, series: int = 1, pictures: bool = False) -> Message:
        """The message for `record`, to be sent now."""
        kind = kind_of(record.event)
        body = {
            "version": VERSION,
            "recordId": self.message_id(record.seq, series),
            "logId": self.message_id(record.seq, series),  # docs/reference/terminals.md 2.7
            "seq": record.seq,
            "deviceId": self.device,
            "site": self.site,
            "kind": kind,
            "event": record.event,
            "time": iso(record.at),
            "clock": record.clock,
            # a date ahead of the clock means that one of the two is wrong: no reason to act either
            "historic": abs(self._clock.now() - record.at) > self._age,
            "doorId": record.door_id,
            "cameraId": record.camera_id,
            "passageId": record.passage_id,
            **_BODIES[kind](record.payload),
        }
        if pictures and self._picture_of is not None and (picture := self._picture_of(record)) is not None:
            body["image"] = b64encode(picture).decode("ascii")
        body = {key: value for key, value in body.items() if value is not None}
        named = tuple(str(v) for key in _NAMED if (v := record.payload.get(key)))
        return Message(body["recordId"], record.seq, kind, record.event, body, named)


def _decision(payload: dict[str, Any]) -> dict[str, Any]:
    reasons = payload.get("reasons") or [payload[key] for key in ("code",) if key in payload]
    liveness = payload.get("liveness") or {}
    result = _result(payload, reasons)
    known = result != STRANGER  # the person whom a stranger resembles most stays private
    return {
        "mode": "gate",
        "result": result,
        "reasons": reasons,
        "decisionId": payload.get("decision_id"),
        "userId": payload.get("person_id") if known else None,
        "name": payload.get("person_name") if known else None,
        "groupId": ",".join(payload.get("groups") or ()) or None if known else None,
        "trackId": payload.get("track_id"),
        "direction": payload.get("direction"),
        "score": payload.get("score"),
        "threshold": payload.get("threshold"),
        "margin": payload.get("margin"),
        "engine": payload.get("engine"),
        "liveness": _liveness(liveness) if "score" in liveness else None,
        "ms": payload.get("timings_ms") or None,
    }


def _liveness(judged: dict[str, Any]) -> dict[str, Any]:
    """Score and verdict; no `passed` where there were too few frames: that is no failure."""
    passed = {"passed": judged.get("passed")} if judged.get("decided", True) else {}
    return {"rgb": judged["score"], **passed}


def _result(payload: dict[str, Any], reasons: list[str]) -> str:
    if payload["event"] == "grant_not_executed":
        return "not_executed"
    if payload.get("outcome") == "granted":
        return "pass"
    unknown = payload.get("person_id") is None or bool(STRANGER_REASONS & set(reasons[:1]))
    return STRANGER if unknown else "deny"


def _punch(payload: dict[str, Any]) -> dict[str, Any]:
    return {
        "mode": "attendance",
        "punchId": payload.get("punch_id"),
        "userId": payload.get("person_id"),
        "name": payload.get("person_name"),
        "direction": payload.get("direction"),
        "directionBy": payload.get("direction_by"),
        "repeated": payload.get("repeated"),
        "decisionId": payload.get("decision_id"),
        "action": payload.get("action"),
        "corrects": payload.get("corrects"),
        "punchTime": payload.get("punch_at"),
        "reason": payload.get("reason"),
        "author": payload.get("author"),
    }


def _other(payload: dict[str, Any]) -> dict[str, Any]:
    return {"data": {key: value for key, value in payload.items() if key not in _COMMON}}


_BODIES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    DECISION: _decision,
    PUNCH: _punch,
    ALARM: _other,
    OTHER: _other,
}
