"""The governor: turns in order, refusals at once, events once, nothing left behind."""

import contextlib
import threading
from datetime import UTC, datetime

import pytest

from edged.clock import ManualClock
from edged.config.recognition import CloudConfig
from edged.errors import EdgedError, NeedsOperator, RetryLater
from edged.events import CloudDegraded, CloudRecovered
from edged.reasons import known_codes
from edged.recognition.cloud.allowance import AllowanceStore
from edged.recognition.cloud.calls import Call
from edged.recognition.cloud.codes import CloudUnknownAgain, error_for
from edged.recognition.cloud.governor import Governor, GovernorLimits, open_governor
from edged.recognition.cloud.inconclusive import ConnectionLost, Hurried
from edged.recognition.cloud.refusals import NotAsked

NOON = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)  # 12:00 in UTC+8
UNREACHABLE = RetryLater("The cloud cannot be reached.", code="cloud_unreachable")
TIMEOUT = RetryLater("The cloud did not answer in time.", code="cloud_timeout")
HURRIED = Hurried("The face cloud was too slow.", code="cloud_timeout")
LOST = ConnectionLost("The connection was closed.", code="cloud_unreachable")
CERTIFICATE = NeedsOperator("The certificate is not the cloud's.", code="cloud_certificate")


class Bench:
    """A governor with its clock and the events it published. Intervals are half a second."""

    def __init__(self, tmp_path, **limits):
        self.clock = ManualClock(now=NOON)
        self.events = []
        self.store = AllowanceStore.open(tmp_path, self.clock, service="test", boot="boot")
        limits = GovernorLimits(**{"qps": 2, "management_qps": 2, "slack_s": 0.0} | limits)
        self.governor = Governor(
            limits, self.store, self.clock, publish=self.events.append, random=lambda: 0.0
        )

    def admit(self, call=Call.SEARCH, within_s=0.0):
        """Ask for a turn that comes within that time."""
        self.governor.admit(call, self.clock.monotonic() + within_s)

    def refusal(self, call=Call.SEARCH):
        """Ask for a turn that must be refused; the error."""
        with pytest.raises(EdgedError) as refused:
            self.admit(call)
        return refused.value

    def answer(self, code=0, call=Call.SEARCH):
        """Let a second pass, send a call, and have the service answer it with `code`."""
        self.clock.advance(1.0)
        self.admit(call)
        if code == 0:
            self.governor.succeeded(call)
            return None
        return self.governor.failed(call, error_for(code, "", call=call))

    def fail(self, error=UNREACHABLE):
        """The same, and no answer comes."""
        self.clock.advance(1.0)
        self.admit()
        self.governor.failed(Call.SEARCH, error)

    def said(self):
        """The events so far, short."""
        return [
            (event.call, event.code, event.needs_operator)
            if isinstance(event, CloudDegraded)
            else (event.call, "recovered")
            for event in self.events
        ]


@pytest.fixture
def new_bench(tmp_path):
    with contextlib.ExitStack() as stack:

        def make(**limits):
            bench = Bench(tmp_path, **limits)
            stack.callback(bench.governor.close)
            return bench

        yield make


@pytest.fixture
def bench(new_bench):
    return new_bench()


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
        self.thread.join(timeout=20)
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


# --- the circuit ---


def test_three_failures_in_a_row_open_the_circuit_for_every_call(bench):
    for _ in range(3):
        bench.fail()
    for call in (Call.SEARCH, Call.GROUP_GETLIST):
        refused = bench.refusal(call)
        assert (refused.code, type(refused)) == ("cloud_circuit_open", NotAsked)
        assert refused.cause == "cloud_unreachable"
        assert UNREACHABLE.message in refused.message


@pytest.mark.parametrize("code", [0, 222207, 222202, 18])
def test_any_answer_between_keeps_the_circuit_closed(bench, code):
    for _ in range(4):
        bench.fail()
        bench.fail()
        bench.clock.advance(30)
        bench.answer(code)
        bench.clock.advance(30)
    assert bench.governor.health()["circuit"]["state"] == "closed"


@pytest.mark.parametrize("error", [HURRIED, LOST])
def test_a_request_that_says_nothing_about_the_service_does_not_open_the_circuit(bench, error):
    for _ in range(10):
        bench.fail(error)
    bench.answer()


def test_a_request_that_says_nothing_about_the_service_does_not_make_good_its_failures(bench):
    for error in (UNREACHABLE, HURRIED, UNREACHABLE, HURRIED, UNREACHABLE):
        bench.fail(error)
    assert bench.refusal().code == "cloud_circuit_open"


def test_a_trial_that_says_nothing_about_the_service_gives_way_to_another_at_once(bench):
    for _ in range(3):
        bench.fail()
    bench.fail(HURRIED)
    bench.answer()
    assert bench.said()[-1] == ("*", "recovered")


def test_after_its_deadline_a_call_costs_no_turn(bench):
    with pytest.raises(RetryLater) as refused:
        bench.admit(within_s=-0.1)
    assert refused.value.code == "cloud_overdue"
    bench.admit()


def test_a_busy_service_counts_as_one_that_does_not_answer(bench):
    for _ in range(3):
        bench.answer(222901)
    assert bench.refusal().code == "cloud_circuit_open"


def test_one_trial_passes_when_the_pause_is_over(bench):
    for _ in range(3):
        bench.fail()
    bench.clock.advance(1.0)
    bench.admit()
    assert bench.refusal(Call.DETECT).code == "cloud_circuit_open"
    bench.governor.succeeded(Call.SEARCH)
    bench.admit(Call.DETECT)


def test_an_outage_is_told_once_and_its_end_once_however_its_face_changes(bench):
    for _ in range(3):
        bench.fail()
    for error in (TIMEOUT, UNREACHABLE, TIMEOUT):
        bench.clock.advance(60)
        bench.fail(error)
    bench.clock.advance(60)
    bench.answer()
    bench.answer()
    assert bench.said() == [("*", "cloud_unreachable", False), ("*", "recovered")]
    assert isinstance(bench.events[1], CloudRecovered)
    assert bench.events[1].after_s == pytest.approx(60 * 4 + 4)


def test_what_the_operator_must_put_right_opens_the_circuit_at_once_for_a_minute(bench):
    bench.fail(CERTIFICATE)
    assert bench.said() == [("*", "cloud_certificate", True)]
    bench.clock.advance(59)
    assert bench.refusal().code == "cloud_circuit_open"
    bench.fail(CERTIFICATE)
    assert len(bench.events) == 1


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
        assert go_on.wait(20)

    clock = ManualClock(now=NOON)
    store = AllowanceStore.open(tmp_path, clock, service="test", boot="boot")
    governor = Governor(GovernorLimits(qps=2, management_qps=2), store, clock, publish=publish)
    error = error_for(19, "", call=Call.SEARCH)
    thread = threading.Thread(target=governor.failed, args=(Call.SEARCH, error))
    thread.start()
    assert hangs.wait(20)
    governor.admit(Call.DETECT, clock.monotonic())
    governor.succeeded(Call.DETECT)
    go_on.set()
    thread.join(timeout=20)
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
