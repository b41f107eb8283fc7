"""The service between the bus and an engine, with a small engine that answers when the test lets it."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import pytest

from edged.bus import EventBus
from edged.clock import ManualClock
from edged.config import RecognitionConfig
from edged.errors import RetryLater
from edged.events import (
    Event,
    FaceIdentified,
    Measures,
    PassageExhausted,
    RecognitionFailed,
    ShotChosen,
    TrackEnded,
)
from edged.recognition.passages import MAX_PASSAGES
from edged.recognition.protocol import Answer, Identification, Match, Question, one_by_one
from edged.recognition.service import RecognitionService

DEADLINE_S = 10.0
ALIGNED = np.zeros((112, 112, 3), np.uint8)


class ScriptedEngine:
    """An engine whose answer is written in the shot's camera id: `anna:95`, `nobody`, `raise`,
    `away`, `hang`.

    While `gate` is closed it keeps its worker waiting, as a slow engine does; `hang` does so for those shots.
    """

    engine = "scripted"
    max_batch = 1

    def __init__(self) -> None:
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
        return one_by_one(self.identify, questions)

    def _answer(self, script: str) -> Identification:
        if script == "raise":
            raise ZeroDivisionError("a fault in the engine")
        if script == "away":
            raise RetryLater("The engine is away.", code="engine_away")
        if script in ("nobody", "hang"):
            return Identification(self.engine, "m", (), 0)
        person, score = script.split(":")
        matches = (Match(person, 1, 0.6, float(score)), Match("second", 2, 0.1, 20.0))
        return Identification(self.engine, "m", matches, 2, timings_ms={"embed": 16.0, "search": 1.5})


class Rig:
    """A bus, the service and everything it published."""

    def __init__(self, *, workers: int = 1, max_shots: int = 5, agreeing: int = 2, on_beat=None) -> None:
        self.engine = ScriptedEngine()
        self.clock = ManualClock()
        self.bus = EventBus(self.clock)
        self.seen: list[Event] = []
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
        assert subscription.idle(DEADLINE_S)

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


@pytest.fixture
def make_rig():
    rigs: list[Rig] = []

    def make(**options) -> Rig:
        rigs.append(Rig(**options))
        return rigs[-1]

    yield make
    for rig in rigs:
        rig.close()


def test_an_answer_carries_what_the_shot_and_the_engine_said(make_rig):
    rig = make_rig()
    rig.shot("p1", "anna:95")
    (event,) = rig.wait_seen(1)
    assert isinstance(event, FaceIdentified)
    assert (event.passage_id, event.person_id, event.score, event.margin) == ("p1", "anna", 95.0, 75.0)
    assert (event.runner_up_id, event.gallery_people, event.engine) == ("second", 2, "scripted")
    assert event.timings_ms == {"detect": 11.0, "embed": 16.0, "search": 1.5}
    assert (event.agreeing_shots, event.final) == (1, False)


def test_the_confirming_answer_is_final_and_the_passage_decided(make_rig):
    rig = make_rig()
    rig.shot("p1")
    rig.wait_seen(1)
    assert not rig.service.decided("p1")
    rig.shot("p1", number=2)
    events = rig.wait_seen(2)
    assert (events[1].agreeing_shots, events[1].final) == (2, True)
    assert rig.service.decided("p1")


def test_shots_after_the_final_answer_are_ignored(make_rig):
    rig = make_rig(agreeing=1)
    rig.shot("p1")
    rig.wait_seen(1)
    rig.shot("p1", number=2)
    rig.delivered()
    rig.shot("p2")
    events = rig.wait_seen(2)
    assert [e.passage_id for e in events] == ["p1", "p2"]


def test_a_better_shot_replaces_the_waiting_one_and_a_worse_one_does_not(make_rig):
    rig = make_rig()
    rig.engine.gate.clear()
    rig.shot("p1", number=1)
    rig.wait_asked()
    for number, quality in ((2, 0.4), (3, 0.9), (4, 0.6)):
        rig.shot("p1", number=number, quality=quality)
    rig.delivered()
    rig.engine.gate.set()
    rig.wait_seen(2)
    assert [s.shot_number for s in rig.engine.shots] == [1, 3]


def test_one_request_of_a_passage_is_in_flight_however_many_workers(make_rig):
    rig = make_rig(workers=3, max_shots=50, agreeing=10)
    for number in range(1, 30):
        rig.shot("p1", number=number)
        rig.shot("p2", number=number)
        rig.delivered()
    rig.shot("p3", "nobody")
    rig.wait_seen(3)
    assert not rig.engine.overlapped


def test_passages_are_recognised_side_by_side(make_rig):
    rig = make_rig(workers=2)
    rig.engine.gate.clear()
    rig.shot("p1")
    rig.shot("p2")
    rig.wait_asked()
    rig.wait_asked()  # both are inside the engine
    rig.engine.gate.set()
    rig.wait_seen(2)


def test_the_passage_that_began_first_goes_first(make_rig):
    rig = make_rig()
    rig.shot("p1")
    rig.wait_seen(1)
    rig.engine.gate.clear()
    rig.shot("p2")
    rig.wait_asked()
    rig.wait_asked()
    rig.shot("p3")
    rig.shot("p1", number=2)
    rig.delivered()
    rig.engine.gate.set()
    rig.wait_seen(4)
    assert [s.passage_id for s in rig.engine.shots] == ["p1", "p2", "p1", "p3"]


def test_a_stuck_engine_never_holds_up_the_publisher(make_rig):
    rig = make_rig()
    rig.engine.gate.clear()
    for number in range(1, 2001):  # would not return if publishing waited for the engine
        rig.shot("p1", number=number)
    assert not rig.engine.gate.is_set()


def test_an_engine_fault_is_reported_and_the_worker_goes_on(make_rig):
    rig = make_rig()
    rig.shot("p1", "raise")
    rig.wait_seen(1)
    rig.shot("p2", "away")
    rig.wait_seen(2)
    rig.shot("p3", "anna:95")
    fault, away, fine = rig.wait_seen(3)
    assert isinstance(fault, RecognitionFailed)
    assert (fault.code, fault.passage_id) == ("engine_error", "p1")
    assert "ZeroDivisionError" in fault.reason
    assert (away.code, away.engine) == ("engine_away", "scripted")
    assert isinstance(fine, FaceIdentified)


def test_failures_use_up_the_attempts_of_a_passage(make_rig):
    rig = make_rig(max_shots=2)
    for number in (1, 2):
        rig.shot("p1", "away", number=number)
        rig.wait_seen(number)
    assert rig.service.decided("p1")


def test_the_last_attempt_is_final_without_confirmation(make_rig):
    rig = make_rig(max_shots=2)
    for number in (1, 2):
        rig.shot("p1", "anna:50", number=number)
        rig.wait_seen(number)
    assert [e.final for e in rig.seen] == [False, True]


def test_an_ended_passage_is_forgotten(make_rig):
    rig = make_rig(agreeing=1)
    rig.shot("p1")
    rig.wait_seen(1)
    rig.end("p1")
    rig.delivered()
    assert not rig.service.decided("p1")
    assert rig.service.open_passages() == 0


def test_work_pending_at_the_end_of_a_track_is_done_before_the_passage_is_given_up(make_rig):
    rig = make_rig()
    rig.engine.gate.clear()
    rig.shot("p1", number=1)
    rig.wait_asked()
    rig.shot("p1", "anna:50", number=2)
    rig.end("p1")
    rig.delivered()
    assert rig.exhausted == []
    rig.engine.gate.set()
    rig.wait_seen(2)
    assert rig.reasons() == [("not_recognised",)]
    assert rig.exhausted[0].score == 50.0


def test_a_passage_that_ends_with_too_few_agreeing_shots_is_not_confirmed(make_rig):
    rig = make_rig()
    rig.shot("p1")
    rig.wait_seen(1)
    rig.end("p1")
    assert rig.reasons() == [("not_confirmed",)]


def test_a_confirmed_passage_is_not_given_up_when_its_track_ends(make_rig):
    rig = make_rig(agreeing=1)
    rig.shot("p1")
    rig.wait_seen(1)
    rig.end("p1")
    assert rig.reasons() == []


def test_a_passage_without_a_usable_shot_says_what_was_wrong(make_rig):
    rig = make_rig()
    rig.end("p1", refusals=("too_blurred", "face_too_small"))
    assert rig.reasons() == [("no_usable_shot", "too_blurred", "face_too_small")]


def test_somebody_who_never_came_near_did_not_ask_to_be_let_in(make_rig):
    rig = make_rig()
    rig.end("p1", refusals=("face_too_small",))
    rig.end("p2")
    assert rig.reasons() == []


def test_attempts_used_up_by_failures_end_the_passage_once(make_rig):
    rig = make_rig(max_shots=2)
    for number in (1, 2):
        rig.shot("p1", "away", number=number)
        rig.wait_seen(number)
    rig.end("p1")
    assert rig.reasons() == [("recognition_failed", "engine_away")]


def test_passages_whose_end_got_lost_are_bounded(make_rig):
    rig = make_rig(agreeing=1)
    for number in range(MAX_PASSAGES + 20):
        rig.shot(f"p{number}")
        rig.delivered()
    assert rig.service.open_passages() <= MAX_PASSAGES


def test_idle_means_every_shot_is_answered(make_rig):
    rig = make_rig()
    rig.engine.gate.clear()
    rig.shot("p1")
    rig.wait_asked()
    assert not rig.service.wait_idle(0)
    rig.engine.gate.set()
    assert rig.service.wait_idle(DEADLINE_S)
    rig.bus.drain(DEADLINE_S)
    assert len(rig.seen) == 1


def test_engines_are_warmed_up_before_start_returns(make_rig):
    assert make_rig(workers=2).engine.warm == 2


def test_beats_stop_when_one_worker_hangs(make_rig):
    beats = threading.Semaphore(0)
    rig = make_rig(workers=2, on_beat=beats.release)
    assert beats.acquire(timeout=DEADLINE_S)
    rig.engine.hang.clear()
    rig.shot("p1", "hang")
    rig.wait_asked()
    while beats.acquire(blocking=False):
        pass
    for number in range(1, 10):
        rig.shot(f"q{number}", "anna:95")
        rig.wait_seen(number)
    assert [beats.acquire(blocking=False) for _ in range(2)].count(True) <= 1  # one may have been due


def test_stop_waits_for_the_running_shot_and_drops_waiting_ones(make_rig):
    rig = make_rig()
    rig.engine.gate.clear()
    rig.shot("p1")
    rig.wait_asked()
    rig.shot("p2")
    rig.delivered()
    threading.Timer(0.05, rig.engine.gate.set).start()
    assert rig.service.stop(timeout_s=DEADLINE_S)
    assert [s.passage_id for s in rig.engine.shots] == ["p1"]
