"""Calls to the face cloud: held back, and working again."""

from __future__ import annotations

from dataclasses import dataclass

from edged.events.base import Event


@dataclass(frozen=True, kw_only=True, eq=False)
class CloudDegraded(Event):
    """The daemon holds a call to the cloud back from now on.

    Attributes:
        call: which one, e.g. `search`; `*`: all.
        code: why: `cloud_unreachable`, `cloud_daily_quota`, `cloud_total_quota`, `cloud_throttled`, …
        retry_s: time until the next attempt, seconds.
        needs_operator: only a person can put it right.
    """

    call: str
    code: str
    reason: str
    hint: str
    retry_s: float
    needs_operator: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class CloudRecovered(Event):
    """A held-back call works again, after `after_s` seconds."""

    call: str
    after_s: float
