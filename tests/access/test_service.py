"""One decision per passage, in the journal before anybody hears of it."""

import threading
from datetime import timedelta

import pytest

from edged.access import AccessDoor, AccessService, DoorPolicy, PersonRecord
from edged.bus import EventBus
from edged.clock import ManualClock
from edged.errors import NeedsOperator
from edged.events import AccessDecided, FaceIdentified, GrantNotExecuted, Measures, Outcome, PassageExhausted

DEADLINE_S = 30.0
POLICY = DoorPolicy(
    allowed_groups=frozenset({"*"}),
    threshold=90.0,
    margin=5.0,
    agreeing_shots=2,
    cool_down_s=5.0,
    max_age_s=1.0,
)


class House:
    """An access service on a bus, with a journal that can break and a clock that is moved by hand."""

    def __init__(self, last_grants=None):
        self.clock = ManualClock()
        self.bus = EventBus(self.clock)
        self.committed, self.published = [], []
        self.journal_broken = False
        self.gate_ready = True
        self.locked_down = False
        self.slow_people = {"mia"}
        self.slow_door = None
        self.slow_door_may_go_on = threading.Event()
        self.bus.subscribe(AccessDecided, self.published.append, name="listener")
        self.service = AccessService(self.bus, self.clock, commit=self._commit, direction={"cam1": "in"}.get)
        self.add_door("door1", (last_grants or (lambda clock: {}))(self.clock))

    def add_door(self, door_id, last_grants=None):
        door = AccessDoor(
            door_id=door_id,
            policy=lambda answer: POLICY,
            person=self._person,
            gate_ready=lambda: self.gate_ready,
            locked_down=lambda: self.locked_down,
            grant_ttl_s=2.0,
        )
        self.service.add_door(door, last_grants)

    def _person(self, person_id):
        known = person_id.isalpha()  # `cloud:u1` is not
        slow = person_id in self.slow_people
        return PersonRecord(person_id=person_id, name=person_id.title(), extra_time=slow) if known else None

    def _commit(self, event):
        if event.door_id == self.slow_door:
            assert self.slow_door_may_go_on.wait(DEADLINE_S)
        if self.journal_broken:
            raise NeedsOperator("The disk is full.", code="disk_full")
        # what was published before the commit would be here already
        self.committed.append((event.decision_id, len(self.published)))

    def tell(self, event, wait=True):
        self.bus.publish(event)
        assert not wait or self.bus.drain(DEADLINE_S)

    def identified(self, passage_id="p_1", *, wait=True, **changes):
        fields = {
            "at": self.clock.now(),
            "passage_id": passage_id,
            "door_id": "door1",
            "camera_id": "cam1",
            "track_id": 1,
            "shot_number": 1,
            "captured_s": self.clock.monotonic() - 0.05,
            "engine": "local",
            "model_id": "m",
            "person_id": "ann",
            "score": 95.0,
            "margin": 50.0,
            "runner_up_id": None,
            "agreeing_shots": 2,
            "gallery_people": 3,
            "final": True,
            "measures": Measures(face_px=150, detection=0.9),
        }
        self.tell(FaceIdentified(**{**fields, **changes}), wait)


@pytest.fixture
def house():
    house = House()
    yield house
    house.bus.close(DEADLINE_S)


def test_a_grant_is_committed_before_it_is_published(house):
    house.identified()
    assert [d.outcome for d in house.published] == [Outcome.GRANTED]
    assert house.committed == [(house.published[0].decision_id, 0)]


def test_a_grant_says_until_when_it_may_be_executed(house):
    house.identified()
    assert house.published[0].expires_s == house.clock.monotonic() + 2.0


def test_answers_that_are_not_final_decide_nothing(house):
    house.identified(final=False)
    assert house.published == []


def test_a_passage_is_decided_once(house):
    for _ in range(3):
        house.identified()
    assert len(house.published) == 1


def test_recognitions_of_the_passage_are_counted(house):
    house.identified(final=False)
    house.identified(final=True)
    assert house.published[0].recognitions == 2


def test_a_broken_journal_denies_openly(house):
    house.journal_broken = True
    house.identified()
    decision = house.published[0]
    assert (decision.outcome, decision.reasons) == (Outcome.DENIED, ("journal_unavailable", "disk_full"))
    assert decision.expires_s is None


def test_the_problem_is_that_of_the_newest_decision(house):
    assert house.service.problem is None
    house.journal_broken = True
    house.identified("p_1")
    assert house.service.problem.code == "disk_full"
    house.journal_broken = False
    house.identified("p_2")
    assert house.service.problem is None


def test_a_grant_that_the_journal_refused_starts_no_cool_down(house):
    house.journal_broken = True
    house.identified("p_1")
    house.journal_broken = False
    house.identified("p_2")
    assert house.published[-1].outcome is Outcome.GRANTED


def test_the_same_person_is_cooled_down_and_then_let_in(house):
    house.identified("p_1")
    house.clock.advance(3)
    house.identified("p_2")
    house.clock.advance(3)
    house.identified("p_3")
    assert [d.reasons[0] for d in house.published] == ["granted", "cool_down", "granted"]


def test_a_grant_that_did_not_move_the_relay_does_not_count(house):
    house.identified("p_1")
    house.tell(
        GrantNotExecuted(
            at=house.clock.now(),
            decision_id=house.published[0].decision_id,
            code="relay_port_lost",
            reason="",
        )
    )
    house.identified("p_2")
    assert house.published[-1].outcome is Outcome.GRANTED


def test_cool_down_survives_a_restart():
    house = House(last_grants=lambda clock: {"ann": clock.now() - timedelta(seconds=2)})
    house.identified()
    assert house.published[0].reasons == ("cool_down",)
    house.bus.close(DEADLINE_S)


def test_a_grant_from_the_future_counts_as_just_now():
    house = House(last_grants=lambda clock: {"ann": clock.now() + timedelta(hours=1)})
    house.identified("p_1")
    house.clock.advance(6)
    house.identified("p_2")
    assert [d.reasons[0] for d in house.published] == ["cool_down", "granted"]
    house.bus.close(DEADLINE_S)


def test_below_the_threshold_nobody_is_named(house):
    house.identified(score=70.0)
    decision = house.published[0]
    assert (decision.person_id, decision.person_name, decision.score) == (None, None, 70.0)
    assert (decision.groups, decision.track_id) == ((), 1)


def test_a_passage_without_a_usable_shot_is_denied_with_what_was_wrong(house):
    house.tell(
        PassageExhausted(
            at=house.clock.now(),
            passage_id="p_1",
            door_id="door1",
            track_id=1,
            reasons=("no_usable_shot", "too_blurred"),
        )
    )
    assert house.published[0].reasons == ("no_usable_shot", "too_blurred")
    assert house.committed


def test_what_happens_at_another_door_is_not_decided_here(house):
    house.identified(door_id="door2")
    assert house.published == []


def test_a_grant_at_one_door_is_no_cool_down_at_the_next(house):
    house.add_door("door2")
    house.identified("p_1")
    house.identified("p_2", door_id="door2")
    house.identified("p_3", door_id="door2")
    assert [d.reasons[0] for d in house.published] == ["granted", "granted", "cool_down"]


def test_grants_before_a_restart_count_at_their_own_door(house):
    house.add_door("door2", {"ann": house.clock.now()})
    house.identified("p_1")
    house.identified("p_2", door_id="door2")
    assert [d.reasons[0] for d in house.published] == ["granted", "cool_down"]


def test_a_door_whose_journal_is_slow_keeps_no_other_door_waiting(house):
    house.add_door("door2")
    house.slow_door = "door1"
    heard = threading.Event()
    house.bus.subscribe(AccessDecided, lambda decided: heard.set(), name="first to be heard")
    house.identified("p_1", wait=False)
    house.identified("p_2", door_id="door2", wait=False)
    assert heard.wait(DEADLINE_S)
    house.slow_door_may_go_on.set()
    assert house.bus.drain(DEADLINE_S)
    assert [d.door_id for d in house.published] == ["door2", "door1"]


def test_the_decision_says_which_way_the_camera_sees_people_go(house):
    house.identified()
    house.identified("p_2", camera_id="cam2", person_id="bo")
    assert [d.direction for d in house.published] == ["in", None]


def test_without_the_gate_nobody_is_granted(house):
    house.gate_ready = False
    house.identified()
    assert house.published[0].reasons == ("gate_offline",)


def test_while_the_door_is_locked_down_nobody_is_granted(house):
    house.locked_down = True
    house.identified()
    assert house.published[0].reasons == ("door_locked_down",)


def test_the_decision_says_who_needs_more_time_to_pass(house):
    house.identified(person_id="mia")
    house.identified("p_2", person_id="bo")
    assert [d.extra_time for d in house.published] == [True, False]


def test_somebody_only_the_cloud_knows_is_unknown_here(house):
    house.identified(person_id="cloud:u1", engine="cloud")
    assert house.published[0].reasons == ("person_unknown",)


def test_the_word_of_the_cloud_stands_for_somebody_the_library_does_not_know(house):
    house.identified(person_id="cloud:u1", engine="cloud", cloud_name="Udo", cloud_groups=("staff",))
    decision = house.published[0]
    assert (decision.outcome, decision.person_id, decision.person_name, decision.groups) == (
        Outcome.GRANTED,
        "cloud:u1",
        "Udo",
        ("staff",),
    )


def test_the_word_of_the_cloud_does_not_replace_the_record_of_the_library(house):
    house.identified(person_id="ann", engine="cloud", cloud_name="Somebody", cloud_groups=("staff",))
    assert house.published[0].person_name == "Ann"


def test_a_decision_says_which_engine_answered_and_why(house):
    house.identified(engine="cloud", engine_reason="local_unsure")
    assert (house.published[0].engine, house.published[0].engine_reason) == ("cloud", "local_unsure")


def test_a_denial_without_an_answer_says_which_engine_was_asked(house):
    house.tell(
        PassageExhausted(
            at=house.clock.now(),
            passage_id="p_1",
            door_id="door1",
            track_id=1,
            reasons=("cloud_unavailable", "cloud_timeout"),
            engine="cloud",
        )
    )
    assert house.published[0].engine == "cloud"


def test_nobody_near_is_an_empty_library_only_for_the_engine_of_this_box(house):
    house.identified("p_1", person_id=None, score=0.0, margin=0.0, agreeing_shots=0)
    house.identified("p_2", person_id=None, score=0.0, margin=0.0, agreeing_shots=0, engine="cloud")
    assert [d.reasons for d in house.published] == [("library_empty",), ("not_recognised",)]
