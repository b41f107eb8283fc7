"""Passages while the cloud comes and goes: each is decided once, by whichever engine, and never wrongly."""

from __future__ import annotations

import random
import threading
from collections import Counter, defaultdict

import pytest
from cloud_faces import FaceCloudStub
from cloud_stub import Asked, answer, refusal
from drawn_local import DrawnLocal
from shots import drawn_shot

from edged.access import AccessDoor, AccessService, DoorPolicy, PersonRecord
from edged.bus import EventBus, Overflow
from edged.clock import SystemClock
from edged.config import RecognitionConfig
from edged.events import (
    AccessDecided,
    FaceIdentified,
    Outcome,
    RecognitionFailed,
    TrackEnded,
    TrackStarted,
)
from edged.faceapi.client.face_cloud import build_client
from edged.faceapi.governor.admission import Unlimited
from edged.recognition.cloud.engine import CloudEngine
from edged.recognition.consensus import rules_by_engine
from edged.recognition.hybrid import HybridEngine
from edged.recognition.service import RecognitionService

DEADLINE_S = 30.0
CLOCK = SystemClock()
KNOWN = ["ann", "bert", "cleo", "dora"]
SCORES = {"ann": 97.0, "bert": 96.0, "cleo": 84.0, "dora": 82.0}
"""What this box makes of them: two it is sure of, two it is not."""


class Door:
    """Recognition and access on one bus, with a cloud that can fail, and somebody who walks people past."""

    def __init__(
        self,
        cloud: FaceCloudStub,
        *,
        max_shots: int = 3,
        max_age_s: float = DEADLINE_S,
        gather_s: float = 0.02,
        **settings,
    ) -> None:
        sections = {"url": cloud.url, "auth": "token", "gather_s": gather_s, "connect_timeout_s": 0.5}
        self.config = RecognitionConfig.model_validate({"cloud": sections, **settings})
        self.bus = EventBus(CLOCK)
        self.decisions: list[AccessDecided] = []
        self.answers: dict[str, int] = defaultdict(int)
        self.identified: list[FaceIdentified] = []
        self.over: set[str] = set()
        self._changed = threading.Condition()
        self._max_shots = max_shots
        self._max_age_s = max_age_s
        self.rules = rules_by_engine(self.config, max_shots)
        self.client = build_client(self.config.cloud, CLOCK, governor=Unlimited(), data_dir=None)
        self.engine = self._build()
        self.service = RecognitionService(
            self.config, lambda: self.engine, self.bus, CLOCK, max_shots=max_shots
        )
        self.service.start()
        self._listen()

    def _build(self):
        cloud = CloudEngine(
            self.client,
            self.config.cloud,
            CLOCK,
            max_age_s=self._max_age_s,
            resolve=lambda user_id: f"p_{user_id}" if user_id in KNOWN else None,
        )
        if self.config.engine == "cloud":
            return cloud
        return HybridEngine(
            self.config.hybrid,
            DrawnLocal(SCORES),
            cloud,
            CLOCK,
            rules=self.rules["local"],
            may_leave=lambda person_id: True,
            calls=8,
            max_age_s=self._max_age_s,
        )

    def _listen(self) -> None:
        door = AccessDoor(
            door_id="door1",
            policy=self._policy,
            person=lambda person_id: PersonRecord(person_id=person_id, name=person_id),
            gate_ready=lambda: True,
            grant_ttl_s=2.0,
        )
        AccessService(self.bus, CLOCK, commit=lambda decision: None).add_door(door)
        self.bus.subscribe(
            (AccessDecided, FaceIdentified, RecognitionFailed),
            self._hear,
            name="test",
            overflow=Overflow.WAIT,
        )

    def _policy(self, event: FaceIdentified) -> DoorPolicy:
        rules = self.rules[event.engine]
        return DoorPolicy(
            allowed_groups=frozenset({"*"}),
            threshold=90.0 if rules.threshold is None else rules.threshold,
            margin=rules.margin,
            agreeing_shots=rules.agreeing_shots,
            cool_down_s=0.0,
            max_age_s=self._max_age_s,
        )

    def _hear(self, event) -> None:
        with self._changed:
            if isinstance(event, AccessDecided):
                self.decisions.append(event)
            else:
                self.answers[event.passage_id] += 1
            if isinstance(event, FaceIdentified):
                self.identified.append(event)
            if isinstance(event, AccessDecided) or (isinstance(event, FaceIdentified) and event.final):
                self.over.add(event.passage_id)
            self._changed.notify_all()

    def walk(self, people: dict[str, str]) -> None:
        """Several people come together, one passage each, and stay until all are decided or out of shots."""
        for passage in people:
            self.bus.publish(TrackStarted(at=CLOCK.now(), passage_id=passage, door_id="door1", track_id=1))
        for number in range(1, self._max_shots + 1):
            waiting = [p for p in people if p not in self.over]
            for passage in waiting:
                self.bus.publish(drawn_shot(CLOCK, passage, people[passage], number=number))
            with self._changed:
                assert self._changed.wait_for(
                    lambda asked=waiting, n=number: all(
                        self.answers[p] >= n or p in self.over for p in asked
                    ),
                    DEADLINE_S,
                ), f"no answer for {[p for p in waiting if self.answers[p] < number]}"
        for passage in people:
            self.bus.publish(
                TrackEnded(
                    at=CLOCK.now(), passage_id=passage, door_id="door1", track_id=1, frames=9,
                    duration_s=1, nearest_px=120, shots=self._max_shots,
                )
            )  # fmt: skip

    def settle(self) -> None:
        assert self.service.wait_idle(DEADLINE_S)
        assert self.bus.drain(DEADLINE_S)

    def close(self) -> None:
        self.client.close()
        assert self.service.stop(DEADLINE_S)
        if isinstance(self.engine, HybridEngine):
            assert self.engine.close(DEADLINE_S)
        self.bus.close()


@pytest.fixture
def cloud(monkeypatch):
    monkeypatch.setenv("EDGED_CLOUD_TOKEN", "24.given")
    with FaceCloudStub() as cloud:
        yield cloud


@pytest.fixture
def make_door(cloud):
    doors = []

    def make(**settings) -> Door:
        doors.append(Door(cloud, **settings))
        return doors[-1]

    yield make
    cloud.released.set()
    for door in doors:
        door.close()


def troubles(cloud: FaceCloudStub, seed: int):
    """Two answers in five go wrong, each in its own way; now and then every connection is cut."""
    rng = random.Random(seed)
    lock = threading.Lock()

    def trouble(asked: Asked):
        with lock:
            kind = rng.choice(["", "", "", "", "", "hang up", "502", "busy", "late"])
            if rng.random() < 0.05:
                cloud.drop_connections()
        if kind == "late":
            threading.Event().wait(0.25)  # a real delay on a real socket, longer than the door waits
        return {
            "hang up": lambda sock: None,
            "502": answer(502, "<html>bad gateway</html>"),
            "busy": refusal(222901),
        }.get(kind)

    return trouble


def people_of(count: int, seed: int) -> list[dict[str, str]]:
    """`count` passages in groups of one to four, some of them strangers, masked, or a picture held up."""
    rng = random.Random(seed)
    groups, number = [], 0
    while number < count:
        group = {}
        for who in rng.sample([*KNOWN, "stranger", "nobody", "masked", "replay"], rng.randint(1, 4)):
            number += 1
            group[f"p{number:04}_{who}"] = who
        groups.append(group)
    return groups


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["local_first", "cloud_first"])
@pytest.mark.parametrize("when_down", ["local", "deny"])
def test_while_the_cloud_comes_and_goes_every_passage_is_decided_once_and_rightly(
    cloud, make_door, policy, when_down
):
    cloud.trouble = troubles(cloud, seed=7)
    hybrid = {"policy": policy, "cloud_wait_s": 0.15, "when_cloud_down": when_down}
    door = make_door(engine="hybrid", hybrid=hybrid)
    groups = people_of(100, seed=3)
    for group in groups:
        door.walk(group)
    door.settle()
    decided = Counter(decision.passage_id for decision in door.decisions)
    assert decided == Counter({passage: 1 for group in groups for passage in group})
    for decision in door.decisions:
        if decision.outcome is Outcome.GRANTED:
            assert decision.person_id == "p_" + decision.passage_id.partition("_")[2]
            assert (decision.engine, decision.engine_reason) in {
                ("local", "local_sure"),
                ("local", "cloud_down"),
                ("local", "cloud_late"),
                ("cloud", "local_unsure"),
                ("cloud", "cloud_first"),
            }
    only_cloud = policy == "cloud_first" and when_down == "deny"
    engines = {decision.engine for decision in door.decisions} - {None}
    assert engines == ({"cloud"} if only_cloud else {"cloud", "local"})


def test_with_the_cloud_alone_and_away_every_passage_ends_with_a_stated_denial(cloud, make_door):
    cloud.trouble = lambda asked: answer(502, "<html>bad gateway</html>")
    door = make_door(engine="cloud")
    for group in people_of(20, seed=1):
        door.walk(group)
    door.settle()
    assert {decision.reasons[0] for decision in door.decisions} == {"cloud_unavailable"}
    assert set(Counter(decision.passage_id for decision in door.decisions).values()) == {1}


def test_where_the_site_wants_it_nobody_the_box_is_unsure_of_passes_while_the_cloud_is_away(cloud, make_door):
    cloud.trouble = lambda asked: answer(502, "<html>bad gateway</html>")
    door = make_door(engine="hybrid", hybrid={"when_cloud_down": "deny"})
    door.walk({"p1_ann": "ann", "p2_cleo": "cleo"})
    door.settle()
    reasons = {decision.passage_id: decision.reasons for decision in door.decisions}
    assert reasons["p1_ann"] == ("granted",)
    assert reasons["p2_cleo"][0] == "cloud_unavailable"


def test_people_who_come_together_share_a_call_and_each_is_let_in_as_themselves(cloud, make_door):
    door = make_door(engine="cloud", gather_s=2.0)  # it waits no longer than until all are there
    door.walk({f"p{n}_{who}": who for n, who in enumerate(KNOWN)})
    door.settle()
    assert cloud.searches() == ["multi-search"]
    assert {(d.passage_id[3:], d.person_id, d.outcome) for d in door.decisions} == {
        (who, f"p_{who}", Outcome.GRANTED) for who in KNOWN
    }


def test_somebody_who_brings_a_friend_does_not_get_a_picture_past_the_cloud(cloud, make_door):
    door = make_door(engine="cloud")
    door.walk({"p1_ann": "ann", "p2_replay": "replay", "p3_masked": "masked"})
    door.settle()
    reasons = {decision.passage_id: decision.reasons for decision in door.decisions}
    assert reasons == {
        "p1_ann": ("granted",),
        "p2_replay": ("spoof_suspected", "cloud_223120"),
        "p3_masked": ("no_usable_shot", "cloud_223113"),
    }


def test_a_stranger_costs_two_calls_and_is_not_recognised(cloud, make_door):
    door = make_door(engine="cloud")
    door.walk({"p1": "stranger"})
    door.settle()
    assert [d.reasons for d in door.decisions] == [("not_recognised",)]
    assert cloud.searches() == ["search", "search"]


def test_a_cloud_that_answers_too_late_opens_nothing_and_is_named_in_the_denial(cloud, make_door):
    def slow(asked: Asked) -> None:
        cloud.released.wait(0.15)

    cloud.trouble = slow
    door = make_door(engine="cloud", max_age_s=0.05)
    door.walk({"p1_ann": "ann"})
    door.settle()
    (decision,) = door.decisions
    assert decision.reasons in {("cloud_unavailable", "cloud_timeout"), ("too_old",)}
