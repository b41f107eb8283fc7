"""A gate on the test bench: a real bus, a service, a simulated board, and a record of what was published."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

import pytest
from leaping_clock import LeapingClock

from edged.bus import EventBus
from edged.clock import Clock, SystemClock
from edged.config import GateConfig
from edged.events import AccessDecided, Event, Outcome
from edged.gate.door.interlock import Interlock
from edged.gate.door.timetable import ModeOrder
from edged.gate.service import GateService
from edged.gate.sim import SimBoard, parse_url

E = TypeVar("E", bound=Event)
DEADLINE_S = 45.0
BOTH_CLOCKS = [
    pytest.param(LeapingClock, id=""),
    pytest.param(SystemClock, id="real", marks=pytest.mark.slow),
]
"""Parameters of a fixture `clock` in files whose cases run in real time as well."""
LIFE_S = 10.0
"""Of a grant: longer than in service, because a busy machine must not make a grant too late."""


def moved(board: SimBoard, *expected: bool) -> bool:
    """Whether the relay has moved like this and not otherwise; waits, as bytes take time on the line."""
    board.wait_for(lambda b: len(b.edges) >= len(expected), DEADLINE_S)
    return tuple(edge.on for edge in board.edges) == expected


class GateBench:
    """Used as a context manager: closes what it made. Waiting has a deadline, never a fixed time."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or SystemClock()
        self.bus = EventBus(self.clock)
        self.beats = 0
        self._events: list[Event] = []
        self._changed = threading.Condition()
        self._boards: list[SimBoard] = []
        self._services: list[GateService] = []
        self._callbacks: list[Callable[[], None]] = []
        self.bus.subscribe(Event, self._record, name="bench", capacity=1000)

    def __enter__(self) -> GateBench:
        return self

    def __exit__(self, *exc: object) -> None:
        for service in self._services:
            service.stop(DEADLINE_S)
        for close in self._callbacks:
            close()
        self.bus.close()
        for board in self._boards:
            board.close()

    def board(self, url: str) -> SimBoard:
        """A board of the bench's own, whose plug and faults the test can reach."""
        board = SimBoard(parse_url(url), self.clock)
        self._boards.append(board)
        return board

    def callback(self, close: Callable[[], None]) -> None:
        """Called when the bench is put away, before the boards are."""
        self._callbacks.append(close)

    def service(
        self,
        port: object,
        *,
        wait_until_ready: bool = True,
        order: ModeOrder | None = None,
        interlock_object: Interlock | None = None,
        **gate: object,
    ) -> GateService:
        """A started service on `port` that looks after its board more often than in service."""
        config = GateConfig(**{"port": str(port), "grant_ttl_s": LIFE_S, **gate})
        service = GateService(
            config,
            self.bus,
            self.clock,
            on_beat=self._beat,
            beat_s=0.25,
            order=order,
            interlock=interlock_object,
        )
        self._services.append(service)
        service.start()
        if wait_until_ready:
            self.wait_until(lambda: service.ready)
        return service

    def interlocked(self, *door_ids: str, **gate: object) -> list[GateService]:
        """Services of doors of which one may be unlocked at a time, each with a Modbus board of its own."""
        shared = Interlock(door_ids)
        return [
            self.service(
                self.board("sim:modbus").link, id=name, interlock="trap", interlock_object=shared, **gate
            )
            for name in door_ids
        ]

    def decide(self, decision_id: str, *, life_s: float = LIFE_S, **changes: object) -> None:
        """Publish a grant, as the access package does."""
        now = self.clock.monotonic()
        fields = {
            "door_id": "door1",
            "passage_id": f"p_{decision_id}",
            "camera_id": "cam1",
            "outcome": Outcome.GRANTED,
            "person_id": "mia",
            "captured_s": now - 0.04,
            "expires_s": now + life_s,
            **changes,
        }
        self.bus.publish(
            AccessDecided(
                at=self.clock.now(),
                decision_id=decision_id,
                person_name=None,
                score=95.0,
                reasons=("granted",),
                **fields,
            )
        )

    def wait_for(self, kind: type[E], count: int = 1, **fields: object) -> E:
        """The `count`-th event of this kind with these field values; fails when it does not come."""
        self.wait_until(lambda: len(self.seen(kind, **fields)) >= count, f"{kind.__name__} {fields}")
        return self.seen(kind, **fields)[count - 1]

    def seen(self, kind: type[E], **fields: object) -> list[E]:
        """The events of this kind with these field values so far."""
        return [
            event
            for event in list(self._events)
            if isinstance(event, kind) and all(getattr(event, k) == v for k, v in fields.items())
        ]

    def wait_until(self, condition: Callable[[], bool], what: str = "condition") -> None:
        """Wait for a condition that becomes true through an event or a beat of the gate's thread."""
        with self._changed:
            came = self._changed.wait_for(condition, DEADLINE_S)
        assert came, f"{what} did not come; seen: {[event.to_dict() for event in self._events]}"

    def _record(self, event: Event) -> None:
        with self._changed:
            self._events.append(event)
            self._changed.notify_all()

    def _beat(self) -> None:
        with self._changed:
            self.beats += 1
            self._changed.notify_all()
