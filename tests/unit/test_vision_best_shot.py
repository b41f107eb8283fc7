"""Which shot of a track is sent, and when."""

from edged.vision.best_shot import GOOD_ENOUGH, WAIT_S, BestShot


def test_a_good_shot_is_sent_at_once():
    best = BestShot(interval_s=0.1)
    assert best.offer("good", GOOD_ENOUGH, 0.0) == "good"


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
