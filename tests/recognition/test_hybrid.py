"""Which engine is asked and whose answer counts, with two engines that do as the test says."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from shots import drawn_shot

from edged.clock import SystemClock
from edged.config.recognition_section import HybridConfig
from edged.errors import TryAnotherShot
from edged.gallery.match import Match
from edged.recognition.consensus import ConsensusRules
from edged.recognition.hybrid import DECIDE_S, HybridEngine
from edged.recognition.protocol import (
    Answer,
    EngineUnavailable,
    Identification,
    Question,
    SpoofSuspected,
)

CLOCK = SystemClock()
RULES = ConsensusRules(90.0, 5.0, 2, 5)
DEADLINE_S = 30.0


class Engine:
    """Answers by passage id: a function that gives the answer or raises."""

    max_batch = 10

    def __init__(self, engine: str, answers: dict[str, Callable[[], Answer]]) -> None:
        self.engine = engine
        self.answers = answers
        self.asked: list[list[str]] = []
        self.warm = 0

    def warm_up(self) -> None:
        self.warm += 1

    def identify_batch(self, questions: Sequence[Question]) -> list[Answer]:
        self.asked.append([q.shot.passage_id for q in questions])
        return [self.answers[q.shot.passage_id]() for q in questions]


def named(engine: str, *matches: tuple[str, float]) -> Callable[[], Answer]:
    found = tuple(Match(person, None, None, score) for person, score in matches)
    return lambda: Identification(engine, "m", found, 10)


def failing(error: Exception) -> Callable[[], Answer]:
    def fail() -> Answer:
        raise error

    return fail


DOWN = EngineUnavailable("The cloud is away.", code="cloud_circuit_open")
CLOUD_SAYS_ANN = named("cloud", ("ann", 88.0))


class House:
    def __init__(self, here: dict, there: dict, calls: int = 2, **config: Any) -> None:
        self.local, self.cloud = Engine("local", here), Engine("cloud", there)
        self.engine = HybridEngine(
            HybridConfig(**config),
            self.local,
            self.cloud,
            CLOCK,
            rules=RULES,
            may_leave=lambda person_id: person_id != "shy",
            calls=calls,
            max_age_s=DEADLINE_S,
        )

    def ask(self, *passages: str) -> list[Answer]:
        return self.engine.identify_batch([Question(drawn_shot(CLOCK, p, "ann")) for p in passages])


def said(answer: Answer) -> tuple[str, str, str | None]:
    assert isinstance(answer, Identification), answer
    return answer.engine, answer.reason, answer.matches[0].person_id if answer.matches else None


@pytest.mark.parametrize(
    ("here", "expected"),
    [
        ([("ann", 90.0), ("bert", 40.0)], ("local", "local_sure", "ann")),
        ([("ann", 69.9)], ("local", "local_sure", "ann")),  # nobody comes near: a stranger
        ([], ("local", "local_sure", None)),
        ([("ann", 89.9)], ("cloud", "local_unsure", "ann")),
        ([("ann", 70.0)], ("cloud", "local_unsure", "ann")),
        ([("ann", 95.0), ("bert", 91.0)], ("cloud", "local_unsure", "ann")),
        ([("shy", 80.0)], ("local", "cloud_no_consent", "shy")),
        ([("ann", 91.0), ("shy", 90.0)], ("local", "cloud_no_consent", "ann")),
    ],
)
def test_local_first_asks_the_cloud_only_when_unsure_and_permitted(here, expected):
    house = House({"p": named("local", *here)}, {"p": CLOUD_SAYS_ANN})
    assert said(house.ask("p")[0]) == expected
    assert len(house.cloud.asked) == (expected[0] == "cloud")


def test_cloud_first_takes_the_word_of_the_cloud_also_when_this_box_is_sure():
    house = House({"p": named("local", ("bert", 99.0))}, {"p": CLOUD_SAYS_ANN}, policy="cloud_first")
    assert said(house.ask("p")[0]) == ("cloud", "cloud_first", "ann")


def test_cloud_first_keeps_those_on_the_box_who_have_not_agreed_and_sends_the_others_together():
    here = {p: named("local", (who, 95.0)) for p, who in (("p1", "ann"), ("p2", "shy"), ("p3", "bert"))}
    there = {"p1": CLOUD_SAYS_ANN, "p3": named("cloud", ("bert", 90.0))}
    house = House(here, there, policy="cloud_first")
    assert [said(answer)[1] for answer in house.ask("p1", "p2", "p3")] == [
        "cloud_first",
        "cloud_no_consent",
        "cloud_first",
    ]
    assert house.cloud.asked == [["p1", "p3"]]


@pytest.mark.parametrize("policy", ["local_first", "cloud_first"])
def test_with_the_cloud_down_this_box_answers(policy):
    house = House({"p": named("local", ("ann", 85.0))}, {"p": failing(DOWN)}, policy=policy)
    assert said(house.ask("p")[0]) == ("local", "cloud_down", "ann")


def test_a_defect_on_the_way_to_the_cloud_does_not_cost_the_answer_of_this_box_and_says_no_secret(capsys):
    defect = ValueError("http://cloud?access_token=24.secret")
    house = House({"p": named("local", ("ann", 95.0))}, {"p": failing(defect)}, policy="cloud_first")
    assert said(house.ask("p")[0]) == ("local", "cloud_down", "ann")
    logged = "".join(capsys.readouterr())
    assert "ValueError" in logged
    assert "24.secret" not in logged


@pytest.mark.parametrize("policy", ["local_first", "cloud_first"])
def test_where_the_site_wants_it_a_cloud_that_is_down_is_no_answer(policy):
    here = {"p": named("local", ("ann", 85.0))}
    house = House(here, {"p": failing(DOWN)}, policy=policy, when_cloud_down="deny")
    assert house.ask("p") == [DOWN]


def test_where_the_site_wants_it_a_sure_answer_of_this_box_still_counts_local_first():
    here = {"p": named("local", ("ann", 95.0))}
    house = House(here, {"p": failing(DOWN)}, when_cloud_down="deny")
    assert said(house.ask("p")[0]) == ("local", "local_sure", "ann")


@pytest.mark.parametrize(
    "error",
    [SpoofSuspected("A screen.", code="cloud_223120"), TryAnotherShot("Blurred.", code="cloud_223114")],
)
def test_what_the_cloud_holds_against_the_picture_stands_against_the_answer_of_this_box(error):
    here = {"p": named("local", ("ann", 99.0))}
    house = House(here, {"p": failing(error)}, policy="cloud_first")
    assert house.ask("p") == [error]


@pytest.mark.parametrize("policy", ["local_first", "cloud_first"])
def test_with_no_time_left_for_a_decision_the_cloud_is_not_asked(policy):
    house = House({"p": named("local", ("ann", 80.0))}, {"p": CLOUD_SAYS_ANN}, policy=policy)
    old = replace(drawn_shot(CLOCK, "p", "ann"), captured_s=CLOCK.monotonic() - DEADLINE_S + DECIDE_S)
    (answer,) = house.engine.identify_batch([Question(old)])
    assert said(answer)[:2] == ("local", "cloud_late")
    assert house.cloud.asked == []


def test_a_cloud_that_is_late_is_not_waited_for_and_is_not_asked_more_often_than_it_may():
    answer_now = threading.Event()

    def slow() -> Answer:
        assert answer_now.wait(DEADLINE_S)
        return CLOUD_SAYS_ANN()

    here = {"p": named("local", ("ann", 95.0))}
    house = House(here, {"p": slow}, policy="cloud_first", cloud_wait_s=0.01, calls=2)
    assert [said(house.ask("p")[0])[:2] for _ in range(5)] == [("local", "cloud_late")] * 5
    assert len(house.cloud.asked) == 2
    assert not house.engine.close(0.0)
    answer_now.set()
    assert house.engine.close(DEADLINE_S)


def test_calls_that_ended_make_room_at_once():
    house = House(
        {"p": named("local", ("ann", 95.0))},
        {"p": CLOUD_SAYS_ANN},
        policy="cloud_first",
        cloud_wait_s=5.0,
        calls=1,
    )
    assert {said(house.ask("p")[0])[0] for _ in range(200)} == {"cloud"}


def test_when_this_box_has_no_answer_the_cloud_is_asked():
    broken = TryAnotherShot("Broken.", code="embedding_invalid")
    house = House({"p": lambda: broken}, {"p": CLOUD_SAYS_ANN})
    assert said(house.ask("p")[0]) == ("cloud", "cloud_first", "ann")


def test_only_cloud_first_puts_several_people_into_one_call():
    assert House({}, {}, policy="cloud_first").engine.max_batch == 10
    assert House({}, {}, policy="local_first").engine.max_batch == 1
