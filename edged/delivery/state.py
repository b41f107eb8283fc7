"""The present state of a target, for `edged delivery status`, and its announcements on the bus."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from edged.bus import EventBus
from edged.clock import Clock, iso
from edged.delivery.outbox import Refusal
from edged.errors import EdgedError, Misconfigured, NeedsOperator
from edged.events import DeliveryDegraded, DeliveryRecovered, RecordPutAside

STARTING, DELIVERING, PAUSED, WAITING, NEEDS_OPERATOR = (
    "starting", "delivering", "paused", "waiting", "needs_operator",
)  # fmt: skip
ANNOUNCED_AFTER = 3
"""Failures in a row before the bus hears of them; one or two are a network that blinked."""

OWN_EVENTS = frozenset({"delivery_degraded", "delivery_recovered", "record_put_aside"})
"""Failures to deliver these are not announced, to avoid a loop."""


@dataclass(frozen=True)
class TargetState:
    """One target as it is now.

    Attributes:
        state: `starting`, `delivering`, `paused`, `waiting` (after a failure), `needs_operator`.
        code, message, hint: the last failure while it lasts.
        failures: in a row.
        retry_at: time of the next attempt, ISO 8601 UTC.
    """

    state: str = STARTING
    code: str = ""
    message: str = ""
    hint: str = ""
    failures: int = 0
    retry_at: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


class Reporter:
    """Holds the state of one target for other threads, and announces on the bus when it turns."""

    def __init__(self, target: str, bus: EventBus, clock: Clock) -> None:
        self._target = target
        self._bus = bus
        self._clock = clock
        self._lock = threading.Lock()
        self._state = TargetState()
        self._announced = ""  # code of the failure that was announced
        self._failing_since_s = 0.0

    @property
    def state(self) -> TargetState:
        """A consistent copy."""
        with self._lock:
            return self._state

    def well(self) -> None:
        """The receiver took something, or is there and has everything."""
        self._set(TargetState(DELIVERING))
        if self._announced:
            self._announced = ""
            after_s = round(self._clock.monotonic() - self._failing_since_s, 1)
            self._bus.publish(DeliveryRecovered(at=self._clock.now(), target=self._target, after_s=after_s))

    def paused(self) -> None:
        """An operator has paused it."""
        self._set(TargetState(PAUSED))

    def failed(self, error: EdgedError, failures: int, pause_s: float) -> None:
        """An attempt has failed.

        Args:
            failures: in a row, this one included.
            pause_s: seconds until the next attempt.
        """
        operator = isinstance(error, NeedsOperator | Misconfigured)
        if failures == 1:
            self._failing_since_s = self._clock.monotonic()
        state = TargetState(
            NEEDS_OPERATOR if operator else WAITING, error.code, error.message, error.hint, failures
        )
        retry_at = iso(_later(self._clock, pause_s))
        self._set(replace(state, retry_at=retry_at))
        if self._announced != error.code and (operator or failures >= ANNOUNCED_AFTER):
            self._announced = error.code
            self._bus.publish(
                DeliveryDegraded(
                    at=self._clock.now(),
                    target=self._target,
                    code=error.code,
                    reason=error.message,
                    hint=error.hint,
                    retry_s=round(pause_s, 1),
                    needs_operator=operator,
                )
            )

    def dead_lettered(self, refusal: Refusal) -> None:
        """A record has become a dead letter."""
        if refusal.record.event in OWN_EVENTS:
            return
        self._bus.publish(
            RecordPutAside(
                at=self._clock.now(),
                target=self._target,
                seq=refusal.record.seq,
                code=refusal.code,
                reason=refusal.reason,
            )
        )

    def _set(self, state: TargetState) -> None:
        with self._lock:
            self._state = state


def _later(clock: Clock, seconds: float) -> datetime:
    return clock.now() + timedelta(seconds=seconds)
