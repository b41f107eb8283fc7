"""The cloud as an engine, against a cloud on a real socket that answers from the pixels."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cloud_faces import FaceCloudStub
from cloud_stub import refusal
from shots import drawn_shot, scene

from edged.clock import SystemClock
from edged.config.recognition_section import CloudConfig
from edged.errors import TryAnotherShot
from edged.faceapi.client.face_cloud import build_client
from edged.faceapi.governor.admission import Unlimited
from edged.recognition.cloud.engine import CloudEngine
from edged.recognition.protocol import (
    EngineUnavailable,
    FaceNotAnswered,
    Identification,
    Question,
    SpoofSuspected,
)

CLOCK = SystemClock()


class Rig:
    """A cloud, and what makes engines that ask it."""

    def __init__(self, cloud: FaceCloudStub) -> None:
        self.cloud = cloud
        self.saved: list[int] = []
        self.people = {"ann": "p_ann", "bert": "p_bert", "cleo": "p_cleo"}
        self.clients = []

    def engine(self, *, max_age_s: float = 30.0, **settings) -> CloudEngine:
        config = CloudConfig(url=self.cloud.url, auth="token", **settings)
        client = build_client(config, CLOCK, governor=Unlimited(), data_dir=None)
        self.clients.append(client)
        return CloudEngine(
            client,
            config,
            CLOCK,
            max_age_s=max_age_s,
            resolve=self.people.get,
            on_saved=self.saved.append,
        )


@pytest.fixture
def rig(monkeypatch):
    monkeypatch.setenv("EDGED_CLOUD_TOKEN", "24.given")
    with FaceCloudStub() as cloud:
        rig = Rig(cloud)
        yield rig
        for client in rig.clients:
            client.close()


def found(*users: tuple[str, str, float]) -> list[dict]:
    return [{"group_id": g, "user_id": u, "user_info": u.upper(), "score": s} for g, u, s in users]


def ask(engine: CloudEngine, *people: str, face_px: int = 120):
    shots = [drawn_shot(CLOCK, f"{who}{n}", who, face_px=face_px) for n, who in enumerate(people)]
    return engine.identify_batch([Question(shot) for shot in shots])


def top(answer) -> tuple[str, float] | None:
    assert isinstance(answer, Identification), answer
    return (answer.matches[0].person_id, answer.matches[0].score) if answer.matches else None


# one face


def test_one_shot_is_one_search_and_the_user_becomes_a_person_of_the_library(rig):
    (answer,) = ask(rig.engine(), "ann")
    assert top(answer) == ("p_ann", 95.0)
    assert (answer.engine, answer.model_id) == ("cloud", "search")
    assert answer.timings_ms["cloud"] > 0
    assert rig.cloud.searches() == ["search"]


def test_the_crop_controls_and_limits_are_those_of_the_settings(rig):
    ask(rig.engine(groups=["staff", "guests"], threshold=82.0, margin=6.0, spoofing_control="LOW"), "ann")
    body = rig.cloud.calls[0].json
    assert rig.cloud.sizes == [(360, 360)]
    assert body["group_id_list"] == "staff,guests"
    assert (body["match_threshold"], body["max_user_num"], body["face_sort_type"]) == (76, 3, 1)
    assert [body[f"{kind}_control"] for kind in ("quality", "liveness", "spoofing")] == [
        "NORMAL",
        "NORMAL",
        "LOW",
    ]


def test_capture_search_is_asked_where_the_cameras_hang_high(rig):
    engine = rig.engine(call="capture_search")
    assert top(ask(engine, "ann")[0]) == ("p_ann", 95.0)
    assert (rig.cloud.searches(), engine.max_batch) == (["search"], 1)
    assert rig.cloud.calls[0].path.endswith("/capture/search")
    assert "match_threshold" not in rig.cloud.calls[0].json


def test_somebody_nearer_in_the_same_crop_is_not_taken_for_the_one_who_is_meant(rig):
    shot = drawn_shot(CLOCK, "p", "ann")
    crowd = scene(360, 360, ("bert", (0, 60, 100, 240)), ("ann", (120, 120, 96, 120)))
    (answer,) = rig.engine().identify_batch([Question(replace(shot, picture=crowd))])
    assert top(answer) == ("p_ann", 95.0)


def test_nobody_found_is_an_answer(rig):
    (answer,) = ask(rig.engine(), "stranger")
    assert top(answer) is None


@pytest.mark.parametrize("score", [74.9, 12.0])
def test_a_score_below_what_was_asked_for_is_nobody(rig, score):
    rig.cloud.users = lambda name, threshold, most: found(("default", "ann", score))
    assert top(ask(rig.engine(), "ann")[0]) is None


def test_a_user_of_a_group_that_was_not_asked_for_is_nobody(rig):
    rig.cloud.users = lambda name, threshold, most: found(("visitors", "ann", 99.0))
    assert top(ask(rig.engine(), "ann")[0]) is None


def test_a_person_found_in_two_groups_is_one_person_and_the_next_one_gives_the_margin(rig):
    rig.cloud.enrolled["ann"] = found(("a", "ann", 90.0), ("b", "ann", 89.0), ("a", "bert", 84.0))
    (answer,) = ask(rig.engine(groups=["a", "b"]), "ann")
    assert [(m.person_id, m.score) for m in answer.matches] == [("p_ann", 90.0), ("p_bert", 84.0)]


def test_somebody_the_library_does_not_know_has_an_id_it_cannot_have(rig):
    (answer,) = ask(rig.engine(), "dora")
    assert top(answer) == ("cloud:dora", 95.0)
    assert (answer.matches[0].name, answer.matches[0].groups) == (None, ())


def test_where_the_groups_of_the_cloud_decide_its_word_is_passed_on(rig):
    rig.cloud.enrolled["dora"] = found(("a", "dora", 90.0), ("b", "dora", 79.0))
    (answer,) = ask(rig.engine(groups=["a", "b"], people="cloud"), "dora")
    assert (answer.matches[0].name, answer.matches[0].groups) == ("DORA", ("a",))


def test_for_a_person_of_the_library_the_word_of_the_cloud_is_not_passed_on(rig):
    (answer,) = ask(rig.engine(people="cloud"), "ann")
    assert (answer.matches[0].name, answer.matches[0].groups) == (None, ())


def test_a_picture_the_cloud_cannot_use_asks_for_another_shot(rig):
    with pytest.raises(TryAnotherShot) as refused:
        ask(rig.engine(), "masked")
    assert refused.value.code == "cloud_223113"


def test_a_face_taken_for_a_picture_of_one_is_suspected(rig):
    with pytest.raises(SpoofSuspected) as refused:
        ask(rig.engine(), "replay")
    assert refused.value.code == "cloud_223120"


@pytest.mark.parametrize("code", [2, 17, 18, 19, 6, 223100, 222901])
def test_whatever_else_goes_wrong_means_that_the_cloud_cannot_be_asked(rig, code):
    rig.cloud.trouble = lambda asked: refusal(code)
    with pytest.raises(EngineUnavailable) as refused:
        ask(rig.engine(), "ann")
    assert refused.value.code == f"cloud_{code}"


def test_nothing_is_sent_for_a_shot_that_is_too_old_to_open_the_door(rig):
    with pytest.raises(EngineUnavailable):
        ask(rig.engine(max_age_s=0.0), "ann")
    assert rig.cloud.calls == []


# several


def test_several_shots_are_one_multi_search_and_every_answer_goes_to_its_shot(rig):
    answers = ask(rig.engine(), "cleo", "ann", "stranger", "bert")
    assert [top(answer) for answer in answers] == [("p_cleo", 95.0), ("p_ann", 95.0), None, ("p_bert", 95.0)]
    assert rig.cloud.searches() == ["multi-search"]
    assert rig.saved == [3]
    assert answers[0].model_id == "multi_search"


def test_a_face_missing_from_the_answer_asks_for_another_shot_and_is_no_stranger(rig):
    answers = ask(rig.engine(), "ann", "masked", "replay")
    assert top(answers[0]) == ("p_ann", 95.0)
    assert [type(answer) for answer in answers[1:]] == [FaceNotAnswered, FaceNotAnswered]
    assert answers[1].code == "cloud_face_filtered"


def test_ten_faces_of_any_size_fit_one_call(rig):
    people = ["ann", "bert", "cleo", "dora", "emil", "fred", "gina", "hugo", "stranger", "nobody"]
    answers = ask(rig.engine(people="cloud"), *people, face_px=300)
    assert [top(answer)[0] if top(answer) else None for answer in answers] == [
        *("p_ann", "p_bert", "p_cleo"),
        *(f"cloud:{name}" for name in people[3:8]),
        *(None, None),
    ]


def test_nobody_found_for_the_whole_picture_is_an_answer_for_everybody(rig):
    rig.cloud.trouble = lambda asked: refusal(222207)
    assert [top(answer) for answer in ask(rig.engine(), "stranger", "nobody")] == [None, None]


def test_without_multi_every_face_is_a_call_of_its_own(rig):
    assert rig.engine(multi=False).max_batch == 1
    assert rig.engine().max_batch == 10
