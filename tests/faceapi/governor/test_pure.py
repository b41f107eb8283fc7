"""Rate, circuit breaker and the cloud's day, for every order of events."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from edged.faceapi.calls import CLOUD_TIME
from edged.faceapi.governor.breaker import Breaker, Circuit
from edged.faceapi.governor.quota_day import DAY_S, current
from edged.faceapi.governor.token_bucket import Bucket

RATES = st.one_of(st.integers(1, 200), st.floats(0.1, 200))
NOON = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)  # 12:00 in UTC+8

# --- the rate ---


@given(RATES, st.lists(st.floats(0, 3), min_size=1, max_size=40), st.floats(0.1, 5))
def test_no_window_holds_more_calls_than_its_length_allows_and_one(rate, pauses, window_s):
    bucket, now, next_at, sent = Bucket(rate, slack_s=0.0), 0.0, 0.0, []
    for pause_s in pauses:
        now += pause_s
        now += bucket.wait_s(next_at, now)
        sent.append(now)
        next_at = bucket.after(now)

    for first in range(len(sent)):
        inside = [at for at in sent[first:] if at - sent[first] < window_s - 1e-6]
        assert len(inside) <= rate * window_s + 1


@given(
    st.integers(1, 20), st.lists(st.tuples(st.floats(0, 0.5), st.floats(0, 0.099)), min_size=1, max_size=60)
)
def test_no_second_holds_more_than_the_rate_though_every_call_is_displaced_on_its_way(rate, calls):
    bucket, now, next_at, arrived = Bucket(rate, slack_s=0.1), 0.0, 0.0, []
    for pause_s, on_the_way_s in calls:
        now += pause_s
        now += bucket.wait_s(next_at, now)
        arrived.append(now + on_the_way_s)
        next_at = bucket.after(now)

    arrived.sort()
    assert all(later - earlier > 1.0 for earlier, later in zip(arrived, arrived[rate:], strict=False))


def test_a_quiet_hour_saves_up_nothing():
    bucket = Bucket(2, slack_s=0.0)
    assert bucket.wait_s(bucket.after(0.0), 3600.0) == 0.0
    assert bucket.wait_s(bucket.after(3600.0), 3600.0) == 0.5


def test_a_time_from_before_the_last_boot_makes_nobody_wait_longer_than_one_interval():
    assert Bucket(2, slack_s=0.0).wait_s(next_at=900_000.0, now=10.0) == 0.5


# --- the breaker ---


class BreakerRules(RuleBasedStateMachine):
    """Calls start, succeed, fail and get lost in any order."""

    def __init__(self):
        super().__init__()
        self.breaker = Breaker(failures_to_open=3, first_pause_s=1, longest_pause_s=60, trial_s=60)
        self.now = 0.0
        self.failed_in_a_row = 0
        self.trials: list[float] = []

    @rule(seconds=st.floats(0, 70))
    def time_passes(self, seconds):
        self.now += seconds

    @precondition(lambda self: self.breaker.refused_for_s(self.now) == 0)
    @rule()
    def a_call_is_sent(self):
        if self.breaker.state(self.now) is Circuit.HALF_OPEN:
            self.trials = [at for at in self.trials if self.now - at < 60]
            assert self.trials == [], "two trials at once"
            self.trials.append(self.now)
        self.breaker.sent(self.now)

    @rule()
    def an_answer_comes(self):
        self.breaker.success()
        self.failed_in_a_row, self.trials = 0, []
        assert self.breaker.state(self.now) is Circuit.CLOSED

    @rule()
    def no_answer_comes(self):
        before = self.breaker.state(self.now)
        self.breaker.failure(self.now)
        self.failed_in_a_row += 1
        if before is not Circuit.OPEN:
            self.trials = []

    @invariant()
    def it_is_closed_before_three_failures_and_never_after(self):
        closed = self.breaker.state(self.now) is Circuit.CLOSED
        assert closed == (self.failed_in_a_row < 3)

    @invariant()
    def nobody_is_sent_away_for_longer_than_the_longest_pause(self):
        assert 0 <= self.breaker.refused_for_s(self.now) <= 60.001


TestBreakerRules = BreakerRules.TestCase


def test_each_failed_trial_doubles_the_pause_up_to_the_longest():
    breaker, now, pauses = Breaker(failures_to_open=1), 0.0, []
    for _ in range(8):
        breaker.failure(now)
        pauses.append(breaker.refused_for_s(now))
        now += pauses[-1]
        breaker.sent(now)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]


def test_a_call_that_was_under_way_when_it_opened_does_not_lengthen_the_pause():
    breaker = Breaker(failures_to_open=1)
    breaker.failure(0.0)
    breaker.failure(0.5)
    assert breaker.refused_for_s(0.5) == 0.5


def test_a_trial_that_never_reports_gives_way_to_another():
    breaker = Breaker(failures_to_open=1, trial_s=60)
    breaker.failure(0.0)
    breaker.sent(2.0)
    assert breaker.refused_for_s(61.9) > 0
    assert breaker.refused_for_s(62.0) == 0


# --- the day ---


def test_the_day_ends_at_midnight_of_the_cloud():
    window, is_new = current(None, NOON, 100.0, "boot")
    assert is_new
    assert window.ends_at.astimezone(CLOUD_TIME).hour == 0
    assert window.ends_s == 100.0 + 12 * 3600
    assert current(window, NOON + timedelta(hours=11.99), 100.0 + 11.99 * 3600, "boot") == (window, False)
    assert current(window, NOON + timedelta(hours=12), 100.0 + 12 * 3600, "boot")[1]


@given(st.lists(st.tuples(st.floats(0, 20_000), st.floats(-40 * DAY_S, 40 * DAY_S)), max_size=30))
def test_setting_the_clock_neither_frees_the_day_before_a_midnight_nor_keeps_it_beyond_24_hours(events):
    wall, now = NOON, 0.0
    window, _ = current(None, wall, now, "boot")
    for passed_s, stepped_s in events:
        now, wall = now + passed_s, wall + timedelta(seconds=passed_s)
        before = window
        window, is_new = current(window, wall, now, "boot")
        if is_new:
            assert now >= before.ends_s, "freed by a midnight that did not come"
        else:
            assert now - window.started_s < DAY_S, "kept for more than a day"
            assert window.ends_s >= before.ends_s, "a step of the clock brought the end nearer"
        wall += timedelta(seconds=stepped_s)


@given(st.floats(60, 40 * DAY_S) | st.floats(-40 * DAY_S, -60))
def test_a_step_of_the_clock_alone_never_begins_a_new_day(stepped_s):
    window, _ = current(None, NOON, 0.0, "boot")
    window, is_new = current(window, NOON + timedelta(seconds=stepped_s), 0.0, "boot")
    assert not is_new
    assert window.ends_s <= DAY_S


@pytest.mark.parametrize(("hours", "is_new"), [(11, False), (12, True), (100, True), (-9000, False)])
def test_after_a_boot_the_wall_clock_decides(hours, is_new):
    window, _ = current(None, NOON, 50_000.0, "boot 1")
    assert current(window, NOON + timedelta(hours=hours), 5.0, "boot 2")[1] is is_new


def test_a_clock_that_went_back_a_year_over_a_boot_keeps_the_day_for_less_than_24_hours():
    window, _ = current(None, NOON, 50_000.0, "boot 1")
    window, is_new = current(window, NOON - timedelta(days=365), 5.0, "boot 2")
    assert not is_new
    assert window.ends_s <= 5.0 + DAY_S
