"""Which shot of a track is sent, and when."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from edged.vision.best_shot import (
    CLEARLY_BETTER,
    GOOD_ENOUGH,
    KEPT,
    KEPT_S,
    LONGEST_PAUSE_S,
    WAIT_S,
    BestShot,
)


def send_all(best, quality, until_s, step_s=0.04, start_s=0.0, promising=None):
    """Offer the same quality with every frame; the times at which something was sent."""
    times, now_s = [], start_s
    while now_s < until_s:
        if best.wants(now_s) and best.offer("shot", quality, now_s, promising=promising):
            times.append(now_s)
        now_s += step_s
    return times


def test_a_good_shot_is_sent_at_once():
    assert BestShot(interval_s=0.1).offer("good", GOOD_ENOUGH, 0.0) == "good"


def test_a_poor_shot_waits_for_a_better_one():
    best = BestShot(interval_s=0.1)
    assert best.offer("poor", 0.2, 0.0) is None
    assert best.offer("better", 0.4, 0.1) is None
    assert best.offer("worse", 0.3, WAIT_S) == "better"


def test_the_best_so_far_is_sent_when_the_wait_is_over_and_nothing_else_came():
    best = BestShot(interval_s=0.1)
    best.offer("only", 0.2, 0.0)
    assert best.due(WAIT_S / 2) is None
    assert best.due(WAIT_S) == "only"
    assert best.due(WAIT_S * 2) is None


def test_shots_keep_their_distance():
    best = BestShot(interval_s=0.1)
    best.offer("first", 1.0, 0.0)
    assert not best.wants(0.05)
    assert best.wants(0.1)


def test_a_promising_answer_asks_for_another_shot_at_once():
    best = BestShot(interval_s=0.1)
    best.offer("first", 0.6, 0.0)
    assert best.offer("second", 0.3, 0.1, promising=True) == "second"


def test_shots_in_vain_come_further_and_further_apart():
    times = send_all(BestShot(interval_s=0.1), 0.8, until_s=12.0, promising=False)
    pauses = [b - a for a, b in itertools.pairwise(times)]
    assert all(later >= earlier - 0.05 for earlier, later in itertools.pairwise(pauses))
    assert max(pauses) <= LONGEST_PAUSE_S + 0.05
    assert len(times) <= 11


def test_a_clearly_better_shot_does_not_wait_for_the_pause():
    best = BestShot(interval_s=0.1)
    best.offer("first", 0.6, 0.0)
    assert best.offer("the same", 0.6, 0.12, promising=False) is None
    assert best.offer("better", 0.6 + CLEARLY_BETTER, 0.16, promising=False) == "better"


def test_without_an_answer_no_shot_as_good_as_the_last_is_sent():
    best = BestShot(interval_s=0.1)
    best.offer("first", 0.8, 0.0)
    assert best.offer("second", 0.8, 0.15) is None


def test_a_promising_answer_sends_the_next_best_kept_shot_of_a_face_that_has_turned_away():
    best = BestShot(interval_s=0.1)
    for at_s, quality in ((0.0, 0.3), (0.12, 0.5), (0.2, 0.4)):
        assert best.offer(at_s, quality, at_s) is None
    assert best.due(WAIT_S) == 0.12
    assert best.due(WAIT_S + 0.11) is None
    assert best.due(WAIT_S + 0.11, promising=True) == 0.0


def test_only_the_best_few_are_kept():
    best, sent = BestShot(interval_s=0.01), []
    for number in range(10):
        best.offer(number, number / 20, number * 0.02)
    for step in range(10):
        sent.append(best.due(0.3 + step * 0.02, promising=True))
    assert [shot for shot in sent if shot is not None] == [9, 8, 7][:KEPT]


def test_a_kept_shot_that_has_grown_old_is_not_sent():
    best = BestShot(interval_s=0.1)
    best.offer("first", 0.3, 0.0)
    best.offer("second", 0.2, 0.15)
    assert best.due(WAIT_S) == "first"
    assert best.due(0.15 + KEPT_S + 0.01, promising=True) is None


@given(
    st.lists(
        st.tuples(st.floats(0.01, 0.5), st.floats(0, 1), st.sampled_from([True, False, None])), max_size=60
    )
)
def test_never_two_shots_within_the_interval_and_none_twice(offers):
    best, now_s, sent = BestShot(interval_s=0.1), 0.0, []
    for number, (pause_s, quality, promising) in enumerate(offers):
        now_s += pause_s
        if not best.wants(now_s):
            continue
        shot = best.offer(number, quality, now_s, promising=promising)
        if shot is not None:
            sent.append((now_s, shot))
    assert len({shot for _, shot in sent}) == len(sent) == best.sent
    assert all(b - a >= 0.1 - 1e-9 for (a, _), (b, _) in itertools.pairwise(sent))
