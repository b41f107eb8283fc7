"""A door with recognition, access and the real way to the cloud, and somebody who walks drawn people past it.

Only the engine of the box is a stand-in (`DrawnLocal`); the cloud is whatever the address leads to.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from drawn_local import DrawnLocal
from shots import drawn_shot

from edged.access import AccessDoor, AccessService, DoorPolicy, PersonRecord
from edged.app.cloud_part import greet, open_cloud
from edged.bus import EventBus, Overflow
from edged.clock import SystemClock
from edged.config import Config
from edged.events import AccessDecided, Event, FaceIdentified, RecognitionFailed, TrackEnded, TrackStarted
from edged.recognition.cloud.engine import CloudEngine
from edged.recognition.consensus import rules_by_engine
from edged.recognition.hybrid import HybridEngine
from edged.recognition.protocol import LOCAL
from edged.recognition.service import RecognitionService

DEADLINE_S = 30.0
DOOR = "door1"
MAX_SHOTS = 3
SURE = {"ann": 97.0, "bert": 96.0}
UNSURE = {"cleo": 84.0, "dora": 82.0}
"""What this box makes of the people in its library; the rules ask for 90."""
KNOWN = SURE | UNSURE


class SettableClock(SystemClock):
    """The machine's clocks; the wall clock can be set, and both can be moved on without waiting."""

    def __init__(self) -> None:
        self._stepped = timedelta()
        self._skipped_s = 0.0

    def now(self) -> datetime:
        return super().now() + self._stepped

    def monotonic(self) -> float:
        return super().monotonic() + self._skipped_s

    def step_wall(self, seconds: float) -> None:
        """Set the wall clock, as NTP or a person would."""
        self._stepped += timedelta(seconds=seconds)

    def skip(self, seconds: float) -> None:
        """As if so much time had passed. Not while anything waits for a time."""
        self._skipped_s += seconds
        self.step_wall(seconds)


class PassageDoor:
    """Recognition and access on one bus.

    Args:
        recognition: the section of the configuration; `cloud.url` says where the cloud is.
        access: the same.
        data_dir: for the counters and the token.

    Attributes:
        decisions: all of them, in their order.
        waited_s: by passage, from the capture of its newest shot to the decision.
        events: everything that was on the bus.
    """

    def __init__(
        self,
        recognition: dict[str, Any],
        data_dir: Path,
        clock: SettableClock,
        *,
        access: dict[str, Any] | None = None,
    ) -> None:
        self.clock = clock
        sections = {"recognition": recognition, "access": access or {}}
        self.config = Config.model_validate({"data_dir": data_dir, **sections})
        self.max_age_s = self.config.access.max_age_s
        self.decisions: list[AccessDecided] = []
        self.waited_s: dict[str, float] = {}
        self.events: list[Event] = []
        self._answers: dict[str, int] = defaultdict(int)
        self._over: set[str] = set()
        self._captured_s: dict[str, float] = {}
        self._changed = threading.Condition()
        self._rules = rules_by_engine(self.config.recognition, MAX_SHOTS)
        self._stack = ExitStack()
        self.bus = EventBus(clock)
        self.link = open_cloud(self.config, self.bus, clock, self._stack)
        greet(self.link, self._stack)
        self._engine = self._build()
        self._service = RecognitionService(
            self.config.recognition, lambda: self._engine, self.bus, clock, max_shots=MAX_SHOTS
        )
        self._service.start()
        self._listen()

    def _build(self) -> CloudEngine | HybridEngine:
        recognition = self.config.recognition
        cloud = CloudEngine(
            self.link.client,
            recognition.cloud,
            self.clock,
            max_age_s=self.max_age_s,
            resolve=lambda user_id: f"p_{user_id}" if user_id in KNOWN else None,
            on_saved=self.link.governor.saved,
        )
        if recognition.engine == "cloud":
            return cloud
        return HybridEngine(
            recognition.hybrid,
            DrawnLocal(KNOWN),
            cloud,
            self.clock,
            rules=self._rules[LOCAL],
            may_leave=lambda person_id: True,
            calls=recognition.cloud.workers,
            max_age_s=self.max_age_s,
        )

    def _listen(self) -> None:
        door = AccessDoor(
            door_id=DOOR,
            policy=self._policy,
            person=lambda person_id: PersonRecord(person_id=person_id, name=person_id),
            gate_ready=lambda: True,
            grant_ttl_s=2.0,
        )
        AccessService(self.bus, self.clock, commit=lambda decision: None).add_door(door)
        self.bus.subscribe(Event, self._hear, name="test", capacity=4096, overflow=Overflow.WAIT)

    def _policy(self, event: FaceIdentified) -> DoorPolicy:
        rules = self._rules[event.engine]
        return DoorPolicy(
            allowed_groups=frozenset({"*"}),
            threshold=90.0 if rules.threshold is None else rules.threshold,
            margin=rules.margin,
            agreeing_shots=rules.agreeing_shots,
            cool_down_s=0.0,
            max_age_s=self.max_age_s,
        )

    def _hear(self, event: Event) -> None:
        with self._changed:
            self.events.append(event)
            if isinstance(event, AccessDecided):
                self.decisions.append(event)
                self.waited_s[event.passage_id] = self.clock.monotonic() - self._captured_s[event.passage_id]
            elif isinstance(event, FaceIdentified | RecognitionFailed):
                self._answers[event.passage_id] += 1
            if isinstance(event, AccessDecided) or (isinstance(event, FaceIdentified) and event.final):
                self._over.add(event.passage_id)
            self._changed.notify_all()

    @property
    def passages(self) -> list[str]:
        """Everybody who came, in their order."""
        return list(self._captured_s)

    def walk(self, *people: str) -> list[AccessDecided]:
        """These people come together, one passage each, show themselves until they are decided on or out of
        shots, and go. Returns the decisions about them."""
        first = len(self.decisions)
        passages = {f"p{len(self._captured_s) + n:03}_{who}": who for n, who in enumerate(people)}
        for passage in passages:
            self.bus.publish(TrackStarted(at=self.clock.now(), passage_id=passage, door_id=DOOR, track_id=1))
        for number in range(1, MAX_SHOTS + 1):
            self._show(passages, number)
        for passage in passages:
            self.bus.publish(
                TrackEnded(
                    at=self.clock.now(), passage_id=passage, door_id=DOOR, track_id=1, frames=9,
                    duration_s=1, nearest_px=120, shots=MAX_SHOTS,
                )
            )  # fmt: skip
        assert self._service.wait_idle(DEADLINE_S)
        assert self.bus.drain(DEADLINE_S)
        return self.decisions[first:]

    def _show(self, passages: dict[str, str], number: int) -> None:
        """One shot of everybody who is not decided on yet, and an answer to each."""
        waiting = [passage for passage in passages if passage not in self._over]
        for passage in waiting:
            shot = drawn_shot(self.clock, passage, passages[passage], number=number)
            with self._changed:
                self._captured_s[passage] = shot.captured_s
            self.bus.publish(shot)
        with self._changed:
            assert self._changed.wait_for(
                lambda: all(self._answers[p] >= number or p in self._over for p in waiting), DEADLINE_S
            ), f"no answer for {[p for p in waiting if self._answers[p] < number]}"

    def close(self) -> None:
        """End everything, each part within a deadline."""
        assert self._service.stop(DEADLINE_S)
        if isinstance(self._engine, HybridEngine):
            assert self._engine.close(DEADLINE_S)
        self._stack.close()
        self.bus.close()
