"""Whose shot goes next, and together with whose."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shots import drawn_shot

from edged.clock import ManualClock
from edged.events import Measures, ShotRefused, TrackEnded, TrackStarted
from edged.recognition.consensus import Consensus
from edged.recognition.shot_queue import Passage, ShotQueue

CLOCK = ManualClock()
GATHER_S = 0.15


def started(passage: str, camera: str = "cam1") -> TrackStarted:
    return TrackStarted(at=CLOCK.now(), passage_id=passage, camera_id=camera, track_id=1)


def refused(passage: str, *reasons: str) -> ShotRefused:
    measures = Measures(face_px=60, detection=0.9)
    return ShotRefused(at=CLOCK.now(), passage_id=passage, track_id=1, reasons=reasons, measures=measures)


def ended(passage: str) -> TrackEnded:
    return TrackEnded(
        at=CLOCK.now(), passage_id=passage, track_id=1, frames=1, duration_s=1, nearest_px=1, shots=1
    )


def shot(passage: str, **changes):
    return replace(drawn_shot(CLOCK, passage, "ann"), **changes)


@pytest.fixture
def queue() -> ShotQueue:
    return ShotQueue(max_batch=3, gather_s=GATHER_S)


def taken(queue: ShotQueue, now_s: float) -> list[str]:
    return [job.key for job in queue.take(now_s)]


def in_work(queue: ShotQueue, passage: str) -> Passage:
    """A shot of `passage` is with an engine, however many others are near."""
    queue.offer(shot(passage), 1.0)
    [job] = queue.take(1.0 + 2 * GATHER_S)
    return job.passage


def test_somebody_alone_never_waits(queue):
    queue.began(started("p1"))
    queue.offer(shot("p1"), 10.0)
    assert taken(queue, 10.0) == ["p1"]


def test_with_somebody_else_near_a_shot_waits_for_theirs_and_goes_with_it(queue):
    queue.began(started("p1"))
    queue.began(started("p2"))
    queue.offer(shot("p1"), 10.0)
    assert taken(queue, 10.0) == []
    assert queue.wait_s(10.0) == pytest.approx(GATHER_S)
    queue.offer(shot("p2"), 10.1)
    assert taken(queue, 10.1) == ["p1", "p2"]


def test_nobody_waits_longer_than_the_gathering_time(queue):
    queue.began(started("p1"))
    queue.began(started("p2"))
    queue.offer(shot("p1"), 10.0)
    queue.offer(shot("p1", quality=0.9), 10.1)  # a better shot does not begin the wait again
    assert taken(queue, 10.0 + GATHER_S) == ["p1"]


@pytest.mark.parametrize("reason", ["face_too_small", "not_served", "outside_region"])
def test_somebody_too_far_away_is_not_waited_for(queue, reason):
    queue.began(started("p1"))
    queue.began(started("p2"))
    queue.refused(refused("p2", reason))
    queue.offer(shot("p1"), 10.0)
    assert taken(queue, 10.0) == ["p1"]


def test_somebody_at_another_camera_is_not_waited_for_but_may_go_along(queue):
    queue.began(started("p1"))
    queue.began(started("p2", "cam2"))
    queue.offer(shot("p1"), 10.0)
    assert taken(queue, 10.0) == ["p1"]
    queue.began(started("p3"))
    queue.offer(shot("p2", camera_id="cam2"), 10.1)
    queue.offer(shot("p3"), 10.1)
    assert taken(queue, 10.1) == ["p2", "p3"]


def test_somebody_near_whose_picture_is_bad_is_waited_for(queue):
    queue.began(started("p1"))
    queue.began(started("p2"))
    queue.refused(refused("p2", "face_too_small"))
    queue.refused(refused("p2", "too_blurred"))
    queue.offer(shot("p1"), 10.0)
    assert taken(queue, 10.0) == []


def test_somebody_gone_or_answered_already_is_not_waited_for(queue):
    answered = in_work(queue, "p3")
    answered.consensus, answered.busy = Consensus(attempts=1), False
    for passage in ("p1", "p2"):
        queue.began(started(passage))
    queue.ended(ended("p2"))
    queue.offer(shot("p1"), 10.0)
    assert taken(queue, 10.0) == ["p1"]


def test_a_full_call_does_not_wait(queue):
    for passage in ("p1", "p2", "p3", "p4"):
        queue.began(started(passage))
    for passage in ("p3", "p1", "p2"):
        queue.offer(shot(passage), 10.0)
    assert taken(queue, 10.0) == ["p1", "p2", "p3"]


def test_a_passage_that_is_to_go_alone_goes_alone(queue):
    queue.began(started("p1"))
    alone = in_work(queue, "p2")
    alone.alone, alone.busy = True, False
    queue.began(started("p3"))
    for passage in ("p1", "p2", "p3"):
        queue.offer(shot(passage), 10.0)
    assert taken(queue, 10.0) == ["p1", "p3"]
    assert taken(queue, 10.0) == ["p2"]


def test_an_engine_for_single_shots_never_waits():
    queue = ShotQueue(max_batch=1, gather_s=GATHER_S)
    queue.began(started("p1"))
    queue.began(started("p2"))
    queue.offer(shot("p1"), 10.0)
    assert taken(queue, 10.0) == ["p1"]


def test_doors_that_must_not_wait_for_each_other_go_by_themselves():
    queue = ShotQueue(max_batch=3, gather_s=GATHER_S, per_door=True)
    for passage, door_id in (("p1", "in"), ("p2", "out"), ("p3", "in")):
        queue.offer(shot(passage, door_id=door_id), 10.0)
    assert taken(queue, 10.0) == ["p1", "p3"]
    assert taken(queue, 10.0) == ["p2"]


def test_a_door_that_gathers_keeps_no_other_door_waiting():
    queue = ShotQueue(max_batch=3, gather_s=GATHER_S, per_door=True)
    queue.began(started("p1", "hall"))
    queue.began(started("p2", "hall"))
    queue.offer(shot("p1", door_id="in"), 10.0)
    queue.offer(shot("p3", door_id="out", camera_id="yard"), 10.0)
    assert taken(queue, 10.0) == ["p3"]
    assert taken(queue, 10.0 + GATHER_S) == ["p1"]


STEPS = st.tuples(st.sampled_from("abcd"), st.sampled_from(["began", "shot", "take", "done", "end"]))


@given(st.lists(STEPS))
def test_whatever_happens_a_passage_is_in_work_once_and_none_is_lost(steps):
    queue, now_s, working = ShotQueue(max_batch=2, gather_s=GATHER_S), 0.0, {}
    for passage, step in steps:
        now_s += 0.05
        if step == "began":
            queue.began(started(passage))
        elif step == "shot":
            queue.offer(shot(passage), now_s)
        elif step == "end":
            queue.ended(ended(passage))
        elif step == "done" and passage in working:
            working.pop(passage).passage.busy = False
            queue.forget_if_over(passage)
        elif step == "take":
            for job in queue.take(now_s):
                assert job.key not in working
                working[job.key] = job
    now_s += 2 * GATHER_S
    for key, job in working.items():
        job.passage.busy = False
        queue.forget_if_over(key)
    while jobs := queue.take(now_s):
        for job in jobs:
            job.passage.busy = False
    assert queue.idle
