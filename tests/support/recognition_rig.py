"""The recognition service on a bus, with a small engine that answers when the test lets it."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np

from edged.bus import EventBus
from edged.clock import ManualClock
from edged.config import RecognitionConfig
from edged.errors import RetryLater, TryAnotherShot
from edged.events import (
    Event,
    FaceIdentified,
    Measures,
    PassageExhausted,
    RecognitionFailed,
    ShotChosen,
    TrackEnded,
    TrackStarted,
)
from edged.gallery.match import Match
from edged.recognition.protocol import (
    Answer,
    EngineUnavailable,
    FaceNotAnswered,
    Identification,
    Question,
    SpoofSuspected,
    one_by_one,
)
from edged.recognition.service import RecognitionService

DEADLINE_S = 30.0
FAILURES = {
    "away": RetryLater("The engine is away.", code="engine_away"),
    "down": EngineUnavailable("The cloud is away.", code="cloud_circuit_open"),
    "blurred": TryAnotherShot("Blurred.", code="cloud_223114"),
    "screen": SpoofSuspected("A screen.", code="cloud_223120"),
    "filtered": FaceNotAnswered("Left out.", code="cloud_face_filtered"),
}
ALIGNED = np.zeros((112, 112, 3), np.uint8)


class ScriptedEngine:
    """An engine whose answer is written in the shot's camera id: `anna:95`, `nobody`, `raise`, `hang`, or one
    of `FAILURES`.

    While `gate` is closed it keeps its worker waiting, as a slow engine does; `hang` does so for those shots.
    """

    engine = "scripted"

    def __init__(self, max_batch: int = 1) -> None:
        self.max_batch = max_batch
        self.batches: list[list[str | None]] = []
        self.gate, self.hang = threading.Event(), threading.Event()
        self.gate.set()
        self.hang.set()
        self.asked = threading.Semaphore(0)
        self.lock = threading.Lock()
        self.shots: list[ShotChosen] = []
        self.running: list[str | None] = []
        self.overlapped = False
        self.warm = 0

    def warm_up(self) -> None:
        self.warm += 1

    def identify(self, shot: ShotChosen, earlier: Sequence[Identification] = ()) -> Identification:
        with self.lock:
            self.overlapped |= shot.passage_id in self.running
            self.running.append(shot.passage_id)
            self.shots.append(shot)
        self.asked.release()
        assert (self.hang if shot.camera_id == "hang" else self.gate).wait(DEADLINE_S)
        with self.lock:
            self.running.remove(shot.passage_id)
        return self._answer(shot.camera_id or "")

    def identify_batch(self, questions: Sequence[Question]) -> list[Answer]:
        self.batches.append([question.shot.passage_id for question in questions])
        return one_by_one(self.identify, questions)

    def _answer(self, script: str) -> Identification:
        if script == "raise":
            raise ZeroDivisionError("a fault in the engine")
        if script in FAILURES:
            raise FAILURES[script]
        if script in ("nobody", "hang"):
            return Identification(self.engine, "m", (), 0)
        person, score = script.split(":")
        matches = (Match(person, 1, 0.6, float(score)), Match("second", 2, 0.1, 20.0))
        return Identification(self.engine, "m", matches, 2, timings_ms={"embed": 16.0, "search": 1.5})


class Rig:
    """A bus, the service and everything it published."""

    def __init__(
        self,
        *,
        workers: int = 1,
        max_shots: int = 5,
        agreeing: int = 2,
        max_batch: int = 1,
        on_beat=None,
    ) -> None:
        self.engine = ScriptedEngine(max_batch)
        self.clock = ManualClock()
        self.bus = EventBus(self.clock)
        self.seen: list[Event] = []
        self.unsent: list[int] = []
        self.changed = threading.Condition()
        self.exhausted: list[PassageExhausted] = []
        self.bus.subscribe((FaceIdentified, RecognitionFailed), self._collect, name="test")
        self.bus.subscribe(PassageExhausted, self.exhausted.append, name="exhausted")
        self.service = RecognitionService(
            RecognitionConfig(workers=workers, agreeing_shots=agreeing),
            lambda: self.engine,
            self.bus,
            self.clock,
            max_shots=max_shots,
            on_beat=on_beat,
            on_saved=self.unsent.append,
        )
        self.service.start()

    def _collect(self, event: Event) -> None:
        with self.changed:
            self.seen.append(event)
            self.changed.notify_all()

    def shot(self, passage: str, script: str = "anna:95", *, number: int = 1, quality: float = 0.5) -> None:
        self.bus.publish(
            ShotChosen(
                at=self.clock.now(),
                passage_id=passage,
                camera_id=script,
                track_id=7,
                shot_number=number,
                frame_number=number,
                captured_s=self.clock.monotonic(),
                quality=quality,
                measures=Measures(face_px=120, detection=0.9),
                aligned=ALIGNED,
                timings_ms={"detect": 11.0},
            )
        )

    def begin(self, *passages: str) -> None:
        for passage in passages:
            self.bus.publish(TrackStarted(at=self.clock.now(), passage_id=passage, track_id=7))

    def end(self, passage: str, refusals: tuple[str, ...] = ()) -> None:
        self.bus.publish(
            TrackEnded(
                at=self.clock.now(),
                passage_id=passage,
                track_id=7,
                frames=9,
                duration_s=1,
                nearest_px=120,
                shots=1,
                refusals=refusals,
            )
        )

    def delivered(self) -> None:
        """Everything published so far has reached the service."""
        subscription = self.service._subscription
        assert subscription is not None
        assert subscription.queue.wait_idle(DEADLINE_S)

    def reasons(self) -> list[tuple[str, ...]]:
        """Why passages were given up, once everything has been handled."""
        assert self.service.wait_idle(DEADLINE_S)
        assert self.bus.drain(DEADLINE_S)
        return [e.reasons for e in self.exhausted]

    def wait_asked(self) -> None:
        assert self.engine.asked.acquire(timeout=DEADLINE_S)

    def wait_seen(self, count: int) -> list[Event]:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.seen) >= count, DEADLINE_S), self.seen
            return list(self.seen)

    def close(self) -> None:
        self.engine.gate.set()
        self.engine.hang.set()
        self.service.stop()
        self.bus.close()
