"""The governor: turns in order, refusals at once, events once, nothing left behind."""

import contextlib
import threading

import pytest
from governor_bench import NOON, Bench

from edged.clock import ManualClock
from edged.config.recognition_section import CloudConfig
from edged.errors import EdgedError, NeedsOperator, RetryLater
from edged.faceapi.calls import Call
from edged.faceapi.faults import CloudUnknownAgain, error_for
from edged.faceapi.governor.allowance import AllowanceStore
from edged.faceapi.governor.rate_governor import Governor, GovernorLimits, open_governor
from edged.faceapi.governor.refusals import NotAsked
from edged.reasons import known_codes


class Waiter:
    """A thread that asks for a turn and notes when it got it, or what it was told."""

    def __init__(self, bench, number, order, deadline_s=None):
        self.error = None
        self.thread = threading.Thread(target=self._run, args=(bench, number, order, deadline_s))
        self.thread.start()

    def _run(self, bench, number, order, deadline_s):
        try:
            bench.governor.admit(Call.SEARCH, deadline_s)
            order.append(number)
        except EdgedError as error:
            self.error = error

    def ended(self):
        self.thread.join(timeout=30)
        return not self.thread.is_alive()


# --- turns ---


def test_the_first_call_goes_at_once_and_the_next_after_an_interval(bench):
    bench.admit()
    assert bench.refusal().code == "cloud_rate_limited"
    bench.clock.advance(0.5)
    bench.admit()


def test_a_turn_that_cannot_come_in_time_is_refused_at_once_and_costs_nothing(bench):
    bench.admit()
    with pytest.raises(RetryLater) as refused:
        bench.admit(within_s=0.4)
    assert refused.value.code == "cloud_rate_limited"
    assert "0.5 s" in refused.value.message
    assert bench.governor.health()["calls"]["search"]["today"] == 1


def test_each_call_has_a_rate_of_its_own(bench):
    bench.admit(Call.SEARCH)
    bench.admit(Call.DETECT)
    bench.admit(Call.GROUP_ADD)


def test_threads_get_their_turns_in_the_order_they_came(bench):
    bench.admit()
    order, waiters = [], []
    for number in range(5):
        waiters.append(Waiter(bench, number, order))
        assert bench.clock.someone_waits(number + 1)
    for number, waiter in enumerate(waiters):
        bench.clock.advance(0.5)
        assert waiter.ended()
        assert order == list(range(number + 1))


def test_who_waits_in_line_counts_for_who_comes_later(bench):
    bench.admit()
    waiter = Waiter(bench, 0, [])
    assert bench.clock.someone_waits()
    with pytest.raises(RetryLater, match=r"next turn is in 1\.0 s"):
        bench.admit(within_s=0.9)
    bench.clock.advance(0.5)
    assert waiter.ended()


def test_who_waits_learns_of_a_pause_at_once(bench):
    bench.admit()
    waiter = Waiter(bench, 0, [])
    assert bench.clock.someone_waits()
    bench.governor.failed(Call.SEARCH, error_for(18, "", call=Call.SEARCH))
    assert waiter.ended()
    assert waiter.error.code == "cloud_backing_off"


def test_closing_sends_the_waiting_threads_away_and_leaves_none(tmp_path):
    bench = Bench(tmp_path)
    before = set(threading.enumerate())
    bench.admit()
    waiters = [Waiter(bench, number, []) for number in range(4)]
    assert bench.clock.someone_waits(4)
    bench.governor.close()
    assert all(waiter.ended() for waiter in waiters)
    assert {waiter.error.code for waiter in waiters} == {"cloud_closed"}
    assert set(threading.enumerate()) <= before


# --- pauses ---


def test_an_exceeded_rate_pauses_this_call_and_no_other(bench):
    bench.answer(18)
    refused = bench.refusal()
    assert (refused.code, type(refused), refused.cause) == ("cloud_backing_off", NotAsked, "cloud_18")
    bench.admit(Call.DETECT)
    bench.answer()


def test_single_exceeded_seconds_are_no_event(bench):
    for code in (18, 0, 18, 0, 0):
        bench.clock.advance(10)
        bench.answer(code)
    assert bench.said() == []


def test_a_rate_exceeded_for_minutes_is_told_twice_and_its_end_once(bench):
    for _ in range(7):
        bench.answer(18)
        bench.clock.advance(30)
    assert bench.said() == [("search", "cloud_throttled", False), ("search", "cloud_throttled", True)]
    assert isinstance(bench.refusal(), NeedsOperator)
    bench.clock.advance(1800)
    bench.answer()
    bench.answer()
    assert bench.said()[2:] == [("search", "recovered")]


def test_a_used_up_day_stops_the_call_until_the_next_one_and_is_told_once(bench):
    bench.answer(17)
    for _ in range(3):
        assert bench.refusal().code == "cloud_daily_quota"
    bench.clock.advance(11 * 3600)
    assert isinstance(bench.refusal(), NeedsOperator)
    bench.clock.advance(3600)
    bench.answer()
    assert bench.said() == [("search", "cloud_daily_quota", True), ("search", "recovered")]


def test_a_used_up_total_is_tried_slowly_and_told_once(bench):
    trials = 0
    for _ in range(4 * 60):
        with contextlib.suppress(NeedsOperator):
            bench.answer(19)
            trials += 1
        bench.clock.advance(60)
    assert 8 <= trials <= 15  # four hours at one in 10 to 30 minutes
    assert bench.said() == [("search", "cloud_total_quota", True)]


def test_a_stranger_at_the_door_is_a_proper_answer(bench):
    for code in (18, 222207, 18):
        bench.clock.advance(10)
        bench.answer(code)
    assert bench.governor.health()["calls"]["search"]["held_back"]["for_s"] == 1.0


def test_the_second_unknown_answer_is_for_the_operator(bench):
    assert isinstance(bench.answer(424242), RetryLater)
    assert isinstance(bench.answer(424242), CloudUnknownAgain)
    bench.answer()
    assert isinstance(bench.answer(424242), RetryLater)


# --- the allowance ---


def test_our_own_day_is_refused_without_asking_the_cloud_and_told_once(new_bench):
    bench = new_bench(daily_calls=3)
    for _ in range(3):
        bench.answer()
    bench.clock.advance(1)
    for _ in range(3):
        refused = bench.refusal()
        assert (refused.code, type(refused)) == ("cloud_daily_quota", NeedsOperator)
    bench.governor.succeeded(Call.SEARCH)  # the last of the three, answered late
    bench.admit(Call.GROUP_ADD)
    bench.clock.advance(12 * 3600)
    bench.answer()
    assert bench.said() == [("search", "cloud_daily_quota", True), ("search", "recovered")]


def test_our_own_total_is_refused_for_good(new_bench):
    bench = new_bench(total_calls=1)
    bench.answer()
    bench.clock.advance(30 * 86400)
    assert bench.refusal().code == "cloud_total_quota"


# --- what it tells ---


def test_health_counts_calls_refusals_and_what_was_saved(new_bench):
    bench = new_bench(daily_calls=2)
    for _ in range(2):
        bench.answer()
    bench.clock.advance(1)
    bench.refusal()
    bench.governor.saved(4)
    bench.governor.saved()
    assert bench.governor.health() == {
        "circuit": {"state": "closed", "retry_s": 0.0, "last_failure": ""},
        "saved_calls": 5,
        "allowance": "ok",
        "calls": {
            "search": {
                "today": 2,
                "total": 2,
                "waiting": 0,
                "refused": {"cloud_daily_quota": 1},
                "held_back": None,
            }
        },
    }


def test_health_can_be_asked_though_the_counters_cannot_be_read(tmp_path):
    bench = Bench(tmp_path)
    bench.answer()
    bench.governor.health()
    bench.governor.close()
    health = bench.governor.health()
    assert health["allowance"] == "database_closed"
    assert health["calls"]["search"]["total"] == 1


def test_a_used_up_day_holds_the_call_though_the_counters_cannot_be_read(tmp_path):
    bench = Bench(tmp_path)
    bench.admit()
    bench.store.close()
    bench.governor.failed(Call.SEARCH, error_for(17, "", call=Call.SEARCH))
    assert bench.said() == [("search", "cloud_daily_quota", True)]


def test_nothing_is_sent_that_cannot_be_counted(tmp_path):
    bench = Bench(tmp_path)
    bench.store.close()
    assert bench.refusal().code == "database_closed"


def test_a_subscriber_that_hangs_holds_up_nobody(tmp_path):
    hangs, go_on = threading.Event(), threading.Event()

    def publish(event):
        hangs.set()
        assert go_on.wait(30)

    clock = ManualClock(now=NOON)
    store = AllowanceStore.open(tmp_path, clock, service="test", boot="boot")
    governor = Governor(GovernorLimits(qps=2, management_qps=2), store, clock, publish=publish)
    error = error_for(19, "", call=Call.SEARCH)
    thread = threading.Thread(target=governor.failed, args=(Call.SEARCH, error))
    thread.start()
    assert hangs.wait(30)
    governor.admit(Call.DETECT, clock.monotonic())
    governor.succeeded(Call.DETECT)
    go_on.set()
    thread.join(timeout=30)
    governor.close()


def test_two_governors_of_one_box_share_the_rate(tmp_path):
    clock = ManualClock(now=NOON)
    one, two = (open_governor(CloudConfig(qps=2), tmp_path, clock) for _ in range(2))
    one.admit(Call.SEARCH, clock.monotonic())
    with pytest.raises(RetryLater) as refused:
        two.admit(Call.SEARCH, clock.monotonic())
    assert refused.value.code == "cloud_rate_limited"
    one.close()
    two.close()


@pytest.mark.parametrize(
    "code",
    [
        "cloud_rate_limited",
        "cloud_overdue",
        "cloud_backing_off",
        "cloud_circuit_open",
        "cloud_closed",
        "cloud_daily_quota",
        "cloud_total_quota",
        "cloud_throttled",
    ],
)
def test_every_refusal_has_words(code):
    assert code in known_codes()
