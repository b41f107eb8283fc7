"""Every shot is answered by the engine of its own door."""

import queue
import threading
from dataclasses import replace

import pytest
from shots import HUES, drawn_shot

from edged.bus import EventBus
from edged.clock import ManualClock
from edged.config import Config, RecognitionConfig
from edged.events import FaceIdentified
from edged.recognition.per_door import PerDoor
from edged.recognition.protocol import Identification, Question
from edged.recognition.service import RecognitionService

DEADLINE_S = 30.0


class Echo:
    """An engine that says who it is."""

    engine = "echo"

    def __init__(self, name, max_batch=10):
        self.name = name
        self.max_batch = max_batch
        self.asked = []

    def warm_up(self):
        self.asked.append("warm")

    def identify_batch(self, questions):
        self.asked.append(len(questions))
        return [
            Identification(engine=self.name, model_id=str(q.shot.track_id), matches=(), gallery_people=1)
            for q in questions
        ]


def question(track_id, door_id):
    shot = drawn_shot(ManualClock(), f"p{track_id}", next(iter(HUES)))
    return Question(replace(shot, track_id=track_id, door_id=door_id), ())


def test_the_answers_come_from_the_door_of_the_shots():
    doors = {"in": Echo("a"), "out": Echo("b")}
    both = PerDoor(doors, "hybrid")
    assert [a.engine for a in both.identify_batch([question(1, "out"), question(2, "out")])] == ["b", "b"]
    assert [a.engine for a in both.identify_batch([question(3, None)])] == ["a"]
    assert (doors["in"].asked, doors["out"].asked) == ([1], [2])


def test_shots_of_several_doors_are_no_batch():
    with pytest.raises(ValueError, match="several doors"):
        PerDoor({"in": Echo("a"), "out": Echo("b")}, "hybrid").identify_batch(
            [question(1, "in"), question(2, "out")]
        )


def test_a_batch_is_as_large_as_every_door_allows():
    assert PerDoor({"in": Echo("a"), "out": Echo("b", max_batch=1)}, "hybrid").max_batch == 1


def test_all_engines_are_warmed_up():
    doors = {"in": Echo("a"), "out": Echo("b")}
    PerDoor(doors, "hybrid").warm_up()
    assert [door.asked for door in doors.values()] == [["warm"], ["warm"]]


class Stuck(Echo):
    """An engine whose cloud does not answer until `free` is set."""

    def __init__(self):
        super().__init__("stuck")
        self.reached, self.free = threading.Event(), threading.Event()

    def identify_batch(self, questions):
        self.reached.set()
        self.free.wait(DEADLINE_S)
        return super().identify_batch(questions)


def test_a_door_that_waits_for_its_cloud_keeps_no_other_door_waiting():
    clock, stuck, answered = ManualClock(), Stuck(), queue.Queue()
    bus = EventBus(clock)
    bus.subscribe(FaceIdentified, answered.put, name="test")
    doors = PerDoor({"in": stuck, "out": Echo("quick")}, "hybrid")
    config = RecognitionConfig.model_validate({"engine": "hybrid", "cloud": {"workers": 1}})
    service = RecognitionService(config, lambda: doors, bus, clock, max_shots=5, doors=2)
    service.start()
    try:
        bus.publish(question(1, "in").shot)
        assert stuck.reached.wait(DEADLINE_S)
        bus.publish(question(2, "out").shot)
        assert answered.get(timeout=DEADLINE_S).engine == "quick"
    finally:
        stuck.free.set()
        service.stop(DEADLINE_S)
        bus.close(DEADLINE_S)


@pytest.mark.parametrize(("own", "expected"), [(None, "local_first"), ("cloud_first", "cloud_first")])
def test_a_door_has_its_own_policy_or_that_of_the_box(own, expected):
    config = Config.model_validate(
        {"recognition": {"engine": "hybrid"}, "gate": {"hybrid_policy": own, "when_cloud_down": "deny"}}
    )
    hybrid = config.hybrid_of(config.gate)
    assert (hybrid.policy, hybrid.when_cloud_down) == (expected, "deny")
