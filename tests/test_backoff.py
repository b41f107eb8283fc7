"""Growing pauses."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.backoff import Backoff, PauseRule

rules = st.builds(
    PauseRule,
    first_s=st.floats(0.01, 10),
    longest_s=st.floats(0.01, 1000),
    factor=st.floats(1, 4),
    spread=st.sampled_from([(1.0, 1.0), (0.8, 1.2), (0.5, 1.0), (1.0, 1.5)]),
)


def test_pauses_double_up_to_the_longest():
    backoff = Backoff(PauseRule(0.5, 3.0))
    assert [backoff.failed(0.0) for _ in range(5)] == [0.5, 1.0, 2.0, 3.0, 3.0]


@given(rules, st.integers(0, 10_000), st.floats(0, 1))
def test_a_pause_stays_within_its_spread_after_any_number_of_failures(rule, failures, chance):
    base_s = rule.base_s(failures)
    low, high = rule.spread
    assert min(rule.first_s, rule.longest_s) <= base_s <= rule.longest_s
    assert base_s * low <= rule.pause_s(failures, chance) <= base_s * high * (1 + 1e-9)


@given(rules, st.integers(0, 100))
def test_a_pause_is_never_shorter_than_the_one_before(rule, failures):
    assert rule.base_s(failures) <= rule.base_s(failures + 1)


def test_two_boxes_do_not_come_back_together():
    rule = PauseRule(1.0, 60.0, spread=(0.8, 1.2))
    one, other = (Backoff(rule, random.Random(seed).random) for seed in (1, 2))
    assert one.failed(0.0) != other.failed(0.0)


def test_an_attempt_is_due_when_the_pause_is_over():
    backoff = Backoff(PauseRule(2.0, 60.0))
    assert backoff.left_s(100.0) == 0
    backoff.failed(100.0)
    assert backoff.until_s == 102.0
    assert backoff.left_s(101.5) == 0.5
    assert backoff.left_s(103.0) == 0


def test_success_forgets_everything():
    backoff = Backoff(PauseRule(1.0, 60.0))
    backoff.failed(0.0)
    backoff.failed(0.0)
    assert (backoff.failures, backoff.pause_s) == (2, 2.0)
    backoff.reset()
    assert (backoff.failures, backoff.pause_s, backoff.until_s) == (0, 0.0, None)
    assert backoff.failed(0.0) == 1.0


@pytest.mark.parametrize(("asked_s", "pause_s"), [(0.5, 1.0), (7.0, 7.0)])
def test_a_longer_pause_that_the_other_side_asks_for_counts(asked_s, pause_s):
    backoff = Backoff(PauseRule(1.0, 60.0))
    assert backoff.failed(0.0, at_least_s=asked_s) == pause_s
    assert backoff.failed(0.0) == 2.0


def test_what_will_take_long_gets_the_longest_pause_until_it_is_over():
    backoff = Backoff(PauseRule(1.0, 60.0))
    assert backoff.failed_for_long(0.0) == 60.0
    assert backoff.failed(100.0) == 60.0
    backoff.reset()
    assert backoff.failed(200.0) == 1.0


def test_a_rule_that_does_not_grow_has_no_longest_pause_to_reach():
    assert Backoff(PauseRule(1.0, 60.0, factor=1.0)).failed_for_long(0.0) == 1.0
