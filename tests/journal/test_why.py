"""The answer to "why?": every fact of a passage is in the explanation and in its text."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from edged.events import (
    AccessDecided,
    DoorLocked,
    DoorOrdered,
    DoorUnlocked,
    Event,
    FaceIdentified,
    GrantNotExecuted,
    Measures,
    Outcome,
    PassageExhausted,
    RecognitionFailed,
    RuleCheck,
    ShotRefused,
    TrackEnded,
    TrackStarted,
)
from edged.journal import explain, render, sentence
from edged.reasons import describe
from edged.record import COLUMNS, Record, record_of, row_of

AT = datetime(2026, 11, 21, 8, 30, 0, 125_000, tzinfo=UTC)
IDS = {"passage_id": "p_1", "door_id": "door1", "camera_id": "cam1"}
GOOD = Measures(face_px=180, detection=0.93)


def records(*happened: Event) -> list[Record]:
    return [
        record_of({"seq": n, **dict(zip(COLUMNS, row_of(e, AT, "synchronised"), strict=True))})
        for n, e in enumerate(happened, 1)
    ]


def too_small(face_px: float, *more: str, **limits: float) -> ShotRefused:
    return ShotRefused(
        at=AT, **IDS, track_id=1, reasons=("face_too_small", *more),
        measures=Measures(face_px=face_px, detection=0.9, yaw_deg=-face_px / 2),
        limits={"face_too_small": 100.0, **limits},
    )  # fmt: skip


def identified(number: int, score: float, **changes) -> FaceIdentified:
    fields = {
        "at": AT, **IDS, "track_id": 1, "shot_number": number, "captured_s": 1.0, "engine": "local",
        "model_id": "sface-2021", "person_id": "mara", "score": score, "margin": 31.4, "runner_up_id": "ida",
        "agreeing_shots": number, "gallery_people": 512, "final": number == 2, "measures": GOOD,
        "timings_ms": {"detect": 21.0},
    }  # fmt: skip
    return FaceIdentified(**(fields | changes))


GRANTED = AccessDecided(
    at=AT, **IDS, decision_id="d_1", outcome=Outcome.GRANTED, person_id="mara", person_name="Mara Lind",
    score=94.2, threshold=90.0, margin=31.4, reasons=("granted",), recognitions=2,
    rules=(
        RuleCheck(code="not_recognised", passed=True, detail="best score 94.2, needed 90"),
        RuleCheck(code="cool_down", passed=True, detail="last let in never, pause 5 s"),
    ),
    timings_ms={"detect": 21.0, "measure": 3.5, "embed": 11.25, "search": 0.5},
)  # fmt: skip
DENIED = replace(
    GRANTED,
    outcome=Outcome.DENIED,
    reasons=("cool_down", "gate_offline"),
    rules=(
        RuleCheck(code="cool_down", passed=False, detail="last let in 2.1 s ago, pause 5 s"),
        RuleCheck(code="gate_offline", passed=False, detail="relay board ready: False"),
    ),
)
UNLOCKED = DoorUnlocked(
    at=AT, **IDS, decision_id="d_1", person_id="mara", mode="pulse", frame_to_relay_ms=58.25,
    decision_to_relay_ms=1.5, acknowledged=True, acknowledged_ms=6.5,
)  # fmt: skip
LOCKED = DoorLocked(at=AT, door_id="door1", reason="pulse over", on_ms=501.2, acknowledged=True)


def test_a_granted_passage_is_explained_with_every_fact():
    text = render(
        explain(
            records(
                TrackStarted(at=AT, **IDS, track_id=1),
                too_small(61), too_small(97),
                identified(1, 93.1), identified(2, 94.2),
                GRANTED, UNLOCKED, LOCKED,
                TrackEnded(at=AT, **IDS, track_id=1, frames=40, duration_s=1.6, nearest_px=181, shots=2),
            )
        ),
        UTC,
    )  # fmt: skip

    for fact in (
        "Granted to Mara Lind (mara)",
        "2026-11-21 08:30:00.125 +0000",
        "door door1, camera cam1",
        "passage p_1, decision d_1",
        "for 1.6 s, at most 181 px",
        "face_too_small x2: best 97 px, worst 61 px, required 100 px",
        "shot 1, local (sface-2021): mara, score 93.1, 31.4 ahead of ida, 1 in a row, 512 people compared",
        "shot 2, local (sface-2021): mara, score 94.2",
        "pass  not_recognised: best score 94.2, needed 90",
        "pass  cool_down: last let in never, pause 5 s",
        "mode pulse, 1.5 ms after the decision and 58.2 ms after the frame",
        "the board confirmed that it is on in 6.5 ms",
        "after 501 ms",
        "the board confirmed that it is off",
        "11.2 ms  template",
        "0.5 ms  search",
    ):
        assert fact in text


def test_a_denied_passage_names_the_deciding_reason_what_to_do_and_the_other_reasons():
    explained = explain(records(identified(2, 94.2), DENIED))
    text = render(explained)

    assert text.startswith(
        "Denied to Mara Lind (mara): the same person was let in only a moment ago. Wait for the cool-down"
    )
    assert "Also: the relay board did not answer." in text
    assert "FAIL  cool_down: last let in 2.1 s ago, pause 5 s" in text
    assert explained.relay is None


def test_a_person_who_was_not_recognised_is_not_named():
    stranger = replace(DENIED, person_id=None, person_name=None, reasons=("not_recognised",))

    assert sentence(explain(records(stranger))).startswith(
        "Denied to a person who was not recognised: nobody"
    )


def test_refusals_are_grouped_by_code_most_frequent_first_with_best_and_worst():
    explained = explain(
        records(
            too_small(60, "yaw_too_large", yaw_too_large=20.0), too_small(50), too_small(44, "pose_unknown")
        )
    )

    groups = {g.code: (g.count, g.best, g.worst, g.required, g.unit) for g in explained.refusals}

    assert next(iter(groups)) == "face_too_small"
    assert groups == {
        "face_too_small": (3, 60, 44, 100, " px"),
        "yaw_too_large": (1, -30, -30, 20, "°"),
        "pose_unknown": (1, None, None, None, ""),
    }
    assert explained.refused_shots == 3


@pytest.mark.parametrize(
    ("code", "measure", "values", "best"),
    [
        ("yaw_too_large", "yaw_deg", (-40.0, 30.0), 30.0),
        ("too_dark", "illumination", (12.0, 30.0), 30.0),
        ("too_bright", "illumination", (230.0, 250.0), 230.0),
        ("too_blurred", "blur", (0.9, 0.8), 0.8),
        ("face_incomplete", "completeness", (0.5, 0.9), 0.9),
    ],
)
def test_best_means_nearest_to_being_accepted(code, measure, values, best):
    shots = [
        ShotRefused(at=AT, track_id=1, reasons=(code,), measures=replace(GOOD, **{measure: value}))
        for value in values
    ]

    (group,) = explain(records(*shots)).refusals

    assert group.best == best
    assert group.worst == next(v for v in values if v != best)


def test_a_limit_that_was_just_missed_does_not_look_kept():
    text = render(explain(records(too_small(99.96), too_small(20.04))))
    nearly = ShotRefused(
        at=AT, track_id=1, reasons=("face_incomplete",), limits={"face_incomplete": 0.98},
        measures=Measures(face_px=120, detection=0.9, completeness=0.9791),
    )  # fmt: skip

    assert "best 99.96 px, worst 20.04 px" in text
    assert "face_incomplete x1: 0.9791, required 0.98" in render(explain(records(nearly)))


def test_a_passage_without_decision_says_what_kept_it_from_one():
    exhausted = PassageExhausted(at=AT, **IDS, track_id=1, reasons=("no_usable_shot",))

    explained = explain(records(too_small(60), exhausted))

    assert explained.outcome == "undecided"
    assert sentence(explained).startswith("No decision was made: no picture of this passage was good enough")


def test_a_passage_that_only_began_has_no_reason():
    assert sentence(explain(records(TrackStarted(at=AT, **IDS, track_id=1)))) == (
        "No decision was made about this passage."
    )


def test_an_engine_without_an_answer_is_shown():
    failed = RecognitionFailed(
        at=AT,
        **IDS,
        track_id=1,
        shot_number=3,
        engine="cloud",
        code="cloud_timeout",
        reason="no answer in 2 s",
    )

    assert "shot 3, cloud: no answer, cloud_timeout: no answer in 2 s" in render(explain(records(failed)))


def test_a_search_without_anybody_to_compare_with_is_shown():
    alone = identified(1, 0.0, person_id=None, runner_up_id=None, gallery_people=0)

    assert "nobody to compare with" in render(explain(records(alone)))


def test_a_grant_that_did_not_move_the_relay_says_why_and_what_to_do():
    refused = GrantNotExecuted(
        at=AT, **IDS, decision_id="d_1", code="grant_expired", reason="The grant came too late."
    )

    text = render(explain(records(GRANTED, refused)))

    assert "did not move: grant_expired, The grant came too late." in text
    assert describe("grant_expired").advice in text


def test_an_interrupted_grant_is_neither_moved_nor_not_moved():
    cut_off = GrantNotExecuted(at=AT, **IDS, decision_id="d_1", code="interrupted", reason="stopped")

    explained = explain(records(GRANTED, cut_off))

    assert explained.relay.moved is None
    assert "unknown: interrupted, stopped" in render(explained)


def test_a_grant_without_outcome_says_that_none_is_recorded():
    assert "no outcome is recorded" in render(explain(records(GRANTED)))


@pytest.mark.parametrize(
    ("unlocked", "locked", "text"),
    [
        (replace(UNLOCKED, acknowledged=None), None, "the board cannot confirm that it is on"),
        (replace(UNLOCKED, acknowledged=False), None, "the board did NOT confirm that it is on"),
        (replace(UNLOCKED, extended=True), None, "on-time extended at"),
        (UNLOCKED, None, "the moment it was switched off is not recorded"),
        (UNLOCKED, replace(LOCKED, acknowledged=False), "did NOT confirm that it is off"),
        (UNLOCKED, replace(LOCKED, on_ms=None), "switched off at"),
    ],
)
def test_the_outcome_of_the_relay_is_shown_as_far_as_it_is_known(unlocked, locked, text):
    happened = (GRANTED, unlocked, locked) if locked else (GRANTED, unlocked)

    assert text in render(explain(records(*happened)))


def test_the_explanation_is_json_ready_and_complete():
    explained = explain(records(too_small(61), identified(2, 94.2), GRANTED, UNLOCKED, LOCKED))

    again = json.loads(json.dumps(explained.to_dict()))

    assert again["at"] == "2026-11-21T08:30:00.125Z"
    assert again["relay"]["on_ms"] == 501.2
    assert again["refusals"][0]["code"] == "face_too_small"
    assert again["recognitions"][0]["runner_up_id"] == "ida"


def test_a_manual_override_is_shown_with_its_operator_and_its_outcome():
    order = DoorOrdered(
        at=AT, door_id="front", decision_id="o_1", action="open", user="guard", uid=1000, by="Mia"
    )
    told = explain(records(order))
    assert sentence(told) == "An order: open, by Mia (user guard, uid 1000)."
    assert (told.outcome, told.relay.moved) == ("ordered", None)
    refused = replace(order, action="free", code="order_needs_end", reason="It would have no end.")
    assert "Refused: a door may not be free without an end." in sentence(explain(records(refused)))
    assert explain(records(refused)).relay is None


def test_there_is_no_explanation_of_nothing():
    with pytest.raises(ValueError, match="without records"):
        explain([])


def test_the_engine_that_answered_and_its_reason_are_shown():
    cloud = {"engine": "cloud", "model_id": "search", "gallery_people": 0}
    text = render(
        explain(
            records(
                identified(1, 84.0, engine_reason="local_sure"),
                identified(2, 93.0, **cloud, engine_reason="local_unsure"),
                identified(3, 0.0, **cloud, person_id=None, engine_reason="cloud_first"),
            )
        )
    )
    first, second, third = (line for line in text.splitlines() if line.startswith("  shot "))
    assert f"local (sface-2021): {describe('local_sure').meaning}; mara" in first
    assert f"cloud (search): {describe('local_unsure').meaning}; mara" in second
    assert "people compared" not in second
    assert third.endswith("nobody came near")
