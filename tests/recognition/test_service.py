"""The service between the bus and an engine, with a small engine that answers when the test lets it."""

from __future__ import annotations

import threading

import pytest
from recognition_rig import DEADLINE_S, Rig

from edged.events import FaceIdentified, RecognitionFailed
from edged.recognition.shot_queue import MAX_PASSAGES


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


def test_the_confirming_answer_is_final(make_rig):
    rig = make_rig()
    rig.shot("p1")
    rig.wait_seen(1)
    rig.shot("p1", number=2)
    events = rig.wait_seen(2)
    assert (events[1].agreeing_shots, events[1].final) == (2, True)


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
    assert sum(rig.unsent) == 2


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
    rig.shot("p1", number=3)
    rig.delivered()
    assert rig.unsent == [1]


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
    rig.shot("p1")  # of a passage that is remembered, this would be ignored
    rig.wait_seen(2)


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
    assert (rig.exhausted[0].score, rig.exhausted[0].engine) == (50.0, "scripted")


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
    rig.shot(f"p{MAX_PASSAGES + 19}")  # remembered, so its further shot is ignored
    rig.delivered()
    assert sum(rig.unsent) == 1
    rig.shot("p0")  # forgotten, so its shot is as good as the first
    rig.wait_seen(MAX_PASSAGES + 21)


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


# several passages at once


def test_the_shots_of_people_who_come_together_go_in_one_request(make_rig):
    rig = make_rig(max_batch=10)
    rig.begin("p1", "p2")
    rig.shot("p1")
    rig.shot("p2", "bert:95")
    events = rig.wait_seen(2)
    assert rig.engine.batches == [["p1", "p2"]]
    assert [(e.passage_id, e.person_id) for e in events] == [("p1", "anna"), ("p2", "bert")]


def test_a_shot_is_sent_without_the_others_when_they_take_too_long(make_rig):
    rig = make_rig(max_batch=10)
    rig.begin("p1", "p2")
    rig.shot("p1")
    rig.delivered()
    assert rig.engine.batches == []
    rig.clock.advance(1.0)
    rig.wait_seen(1)
    assert rig.engine.batches == [["p1"]]


def test_one_failure_among_several_answers_concerns_its_passage_only(make_rig):
    rig = make_rig(max_batch=10, agreeing=1)
    rig.begin("p1", "p2")
    rig.shot("p1", "blurred")
    rig.shot("p2", "bert:95")
    failed, identified = rig.wait_seen(2)
    assert (failed.passage_id, failed.code) == ("p1", "cloud_223114")
    assert (identified.person_id, identified.final) == ("bert", True)


def test_an_engine_that_gives_too_few_answers_has_answered_nobody(make_rig):
    rig = make_rig(max_batch=10)
    rig.engine.identify_batch = lambda questions: []
    rig.shot("p1")
    (event,) = rig.wait_seen(1)
    assert (event.passage_id, event.code) == ("p1", "engine_error")


def test_a_face_left_out_of_an_answer_is_asked_about_alone(make_rig):
    rig = make_rig(max_batch=10)
    rig.begin("p1", "p2")
    rig.shot("p1", "filtered")
    rig.shot("p2")
    rig.wait_seen(2)
    rig.engine.gate.clear()
    rig.shot("p3")
    rig.wait_asked()
    rig.wait_asked()
    rig.wait_asked()
    rig.shot("p1", number=2)
    rig.shot("p2", number=2)
    rig.delivered()
    rig.engine.gate.set()
    rig.wait_seen(5)
    assert rig.engine.batches == [["p1", "p2"], ["p3"], ["p1"], ["p2"]]


# denials that rest on failures


def test_a_face_taken_for_a_picture_ends_the_passage_at_once(make_rig):
    rig = make_rig()
    rig.shot("p1", "screen")
    rig.wait_seen(1)
    assert rig.reasons() == [("spoof_suspected", "cloud_223120")]
    rig.shot("p1", number=2)
    rig.delivered()
    assert rig.unsent == [1]


@pytest.mark.parametrize(
    ("script", "reasons"),
    [
        ("down", ("cloud_unavailable", "cloud_circuit_open")),
        ("blurred", ("no_usable_shot", "cloud_223114")),
        ("raise", ("recognition_failed", "engine_error")),
    ],
)
def test_a_passage_without_an_answer_says_what_stood_in_the_way(make_rig, script, reasons):
    rig = make_rig(max_shots=2)
    for number in (1, 2):
        rig.shot("p1", script, number=number)
        rig.wait_seen(number)
    rig.shot("p2", script)
    rig.wait_seen(3)
    rig.end("p2")
    assert rig.reasons() == [reasons, reasons]
