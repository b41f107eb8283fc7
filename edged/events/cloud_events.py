"""The way to the face cloud: closed, open again, people brought into line."""

from __future__ import annotations

from dataclasses import dataclass

from edged.events.base import Event


@dataclass(frozen=True, kw_only=True, eq=False)
class CloudDegraded(Event):
    """A call to the cloud is held back from now on.

    Attributes:
        call: which one, e.g. `search`; `*`: all.
        code: why: `cloud_unreachable`, `cloud_daily_quota`, `cloud_total_quota`, `cloud_throttled`, …
        retry_s: time until it is tried again, seconds.
        needs_operator: it will not get better by itself.
    """

    call: str
    code: str
    reason: str
    hint: str
    retry_s: float
    needs_operator: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class CloudRecovered(Event):
    """A call that was held back works again, after `after_s` seconds."""

    call: str
    after_s: float
