"""Figures of a run: passages, grants, denials by reason, recognitions, latency. Pure counting."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from edged.clock import iso
from edged.events import AccessDecided, DoorUnlocked, Event, FaceIdentified, GrantNotExecuted, Outcome


@dataclass
class Summary:
    """Counts of one run; give it every event with `take`."""

    granted: int = 0
    denied: Counter[str] = field(default_factory=Counter)
    recognitions: int = 0
    not_executed: Counter[str] = field(default_factory=Counter)
    latencies_ms: list[float] = field(default_factory=list)

    def take(self, event: Event) -> None:
        """Count one event."""
        if isinstance(event, FaceIdentified):
            self.recognitions += 1
        elif isinstance(event, AccessDecided):
            if event.outcome is Outcome.GRANTED:
                self.granted += 1
            else:
                self.denied[event.reasons[0]] += 1
        elif isinstance(event, GrantNotExecuted):
            self.not_executed[event.code] += 1
        elif isinstance(event, DoorUnlocked) and event.frame_to_relay_ms is not None:
            self.latencies_ms.append(event.frame_to_relay_ms)

    @property
    def passages(self) -> int:
        """Decided passages."""
        return self.granted + self.denied.total()

    @property
    def recognitions_per_passage(self) -> float:
        """Searches of the library per decided passage; 0 without a passage."""
        return self.recognitions / self.passages if self.passages else 0.0

    def latency_ms(self) -> dict[str, float | None]:
        """p50, p95 and max from frame to relay; None when the relay never moved."""
        if not self.latencies_ms:
            return {"p50": None, "p95": None, "max": None}
        p50, p95 = np.percentile(self.latencies_ms, (50, 95))
        return {"p50": round(p50, 1), "p95": round(p95, 1), "max": round(max(self.latencies_ms), 1)}

    def to_dict(self, at: datetime, *, read: int, analysed: int, dropped: int) -> dict[str, Any]:
        """The last line of `edged demo --json`."""
        return {
            "event": "demo_summary",
            "at": iso(at),
            "passages": self.passages,
            "granted": self.granted,
            "denied": dict(self.denied.most_common()),
            "not_executed": dict(self.not_executed.most_common()),
            "recognitions_per_passage": round(self.recognitions_per_passage, 2),
            "latency_ms": self.latency_ms(),
            "frames": {"read": read, "analysed": analysed, "dropped": dropped},
        }
