"""Delivery of records to other systems: stuck, moving again, a dead letter."""

from __future__ import annotations

from dataclasses import dataclass

from edged.events.base import Event


@dataclass(frozen=True, kw_only=True, eq=False)
class DeliveryDegraded(Event):
    """Records do not reach a target. They wait in the journal; nothing is lost.

    Attributes:
        target: its name.
        code: why: `delivery_unreachable`, `delivery_certificate`, `delivery_login`, …
        needs_operator: only a person can put it right.
        retry_s: time until the next attempt, seconds.
    """

    target: str
    code: str
    reason: str
    hint: str
    retry_s: float
    needs_operator: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class DeliveryRecovered(Event):
    """Records reach the target again, after `after_s` seconds."""

    target: str
    after_s: float


@dataclass(frozen=True, kw_only=True, eq=False)
class RecordPutAside(Event):
    """A target refuses one record for good: it is a dead letter now, and the queue has moved on.

    Attributes:
        seq: number of the record in the journal.
    """

    target: str
    seq: int
    code: str
    reason: str
