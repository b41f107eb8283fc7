"""What all events have in common: time, ids, and their JSON form."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from numbers import Integral, Real
from typing import Any

from edged.clock import iso

PRIVATE = {"private": True}


@dataclass(frozen=True, kw_only=True, eq=False)
class Event:
    """Base of all events.

    Attributes:
        at: wall time of the fact, aware UTC.
        passage_id: the passage it belongs to, where it applies.
        door_id: the door, where it applies.
        camera_id: the camera, where it applies.
    """

    at: datetime
    passage_id: str | None = None
    door_id: str | None = None
    camera_id: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready dict: `event` and `at` first, absent ids left out, private fields left out."""
        out: dict[str, Any] = {"event": event_name(type(self)), "at": iso(self.at)}
        for f in dataclasses.fields(self):
            if f.name == "at" or f.metadata.get("private"):
                continue
            value = getattr(self, f.name)
            if value is None and f.name in ("passage_id", "door_id", "camera_id"):
                continue
            out[f.name] = _plain(value)
        return out


def event_name(kind: type[Event]) -> str:
    """`AccessDecided` -> `access_decided`."""
    return _snake_case(kind.__name__)


@cache
def _snake_case(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, Integral):  # numpy's, which register with the number tower
        return int(value)
    if isinstance(value, Real):
        return round(float(value), 4)
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if dataclasses.is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    return value
