"""Every shot is answered by the engine of its own door."""

from dataclasses import replace

import pytest
from shots import HUES, drawn_shot

from edged.clock import ManualClock
from edged.config import Config
from edged.recognition.per_door import PerDoor
from edged.recognition.protocol import Identification, Question


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


def test_the_answers_come_from_the_doors_and_in_order():
    doors = {"in": Echo("a"), "out": Echo("b")}
    both = PerDoor(doors, "hybrid")
    asked = [question(1, "in"), question(2, "out"), question(3, "in"), question(4, None)]
    answers = both.identify_batch(asked)
    assert [(a.engine, a.model_id) for a in answers] == [("a", "1"), ("b", "2"), ("a", "3"), ("a", "4")]
    assert doors["in"].asked == [2, 1]


def test_a_batch_is_as_large_as_every_door_allows():
    assert PerDoor({"in": Echo("a"), "out": Echo("b", max_batch=1)}, "hybrid").max_batch == 1


def test_all_engines_are_warmed_up():
    doors = {"in": Echo("a"), "out": Echo("b")}
    PerDoor(doors, "hybrid").warm_up()
    assert [door.asked for door in doors.values()] == [["warm"], ["warm"]]


@pytest.mark.parametrize(("own", "expected"), [(None, "local_first"), ("cloud_first", "cloud_first")])
def test_a_door_has_its_own_policy_or_that_of_the_box(own, expected):
    config = Config.model_validate(
        {"recognition": {"engine": "hybrid"}, "gate": {"hybrid_policy": own, "when_cloud_down": "deny"}}
    )
    hybrid = config.hybrid_of(config.gate)
    assert (hybrid.policy, hybrid.when_cloud_down) == (expected, "deny")
