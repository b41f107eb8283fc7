"""Settings of the governor: rates, allowances, pauses. No rules here."""

from __future__ import annotations

from dataclasses import dataclass, field

from edged.config import CloudConfig
from edged.faceapi.calls import Call
from edged.faceapi.governor.call_backoff import Pauses
from edged.faceapi.governor.token_bucket import SLACK_S, Bucket


@dataclass(frozen=True)
class GovernorLimits:
    """Rates, allowances and pauses for one service.

    Attributes:
        qps: calls a second of each paid call.
        management_qps: the same of each other call.
        daily_calls, total_calls: allowance of each paid call; 0: no limit.
        slack_s: see `token_bucket.SLACK_S`.
        failures_to_open: failures in a row that open the circuit.
        pauses: length of the pause after each kind of answer.
    """

    qps: float
    management_qps: float
    daily_calls: int = 0
    total_calls: int = 0
    slack_s: float = SLACK_S
    failures_to_open: int = 3
    pauses: Pauses = field(default_factory=Pauses)

    @classmethod
    def of(cls, config: CloudConfig) -> GovernorLimits:
        """The limits from `recognition.cloud`."""
        return cls(
            qps=config.qps,
            management_qps=config.management_qps,
            daily_calls=config.daily_calls,
            total_calls=config.total_calls,
        )

    def bucket(self, call: Call) -> Bucket:
        """The rate of `call`."""
        return Bucket(self.qps if call.value.paid else self.management_qps, self.slack_s)

    def allowance(self, call: Call) -> tuple[int, int]:
        """Most calls a day and in all, 0: no limit. Management calls are free of charge and have none."""
        return (self.daily_calls, self.total_calls) if call.value.paid else (0, 0)


def service_of(config: CloudConfig) -> str:
    """The name under which calls to this service are counted: its address, and a private one's library."""
    root = config.url.rstrip("/")
    return f"{root}?appid={config.appid}" if config.dialect == "private" else root
