"""The bus keeps order, loses nothing it promised to keep, and keeps subscribers out of each other's way."""

import threading
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edged.bus import EventBus, Overflow
from edged.clock import ManualClock, SystemClock
from edged.events import Event, SubscriberFailed, SubscriberOverflowed

DEADLINE_S = 30.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Counted(Event):
    number: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Other(Event):
    pass


@pytest.fixture
def bus():
    bus = EventBus(SystemClock())
    yield bus
    bus.close(0.5)


def counted(number, passage_id=None):
    return Counted(at=ManualClock().now(), number=number, passage_id=passage_id)


class Collector:
    """Keeps the events it is given and lets a test wait for the n-th."""

    def __init__(self):
        self.events = []
        self._changed = threading.Condition()

    def __call__(self, event):
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def wait_for(self, count):
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.events) >= count, DEADLINE_S), self.events

    @property
    def numbers(self):
        return [e.number for e in self.events]


class Gate:
    """A handler that stays inside until it is let go."""

    def __init__(self):
        self.entered, self.release = threading.Event(), threading.Event()

    def __call__(self, event):
        self.entered.set()
        assert self.release.wait(DEADLINE_S)


@settings(max_examples=30, deadline=None)
@given(
    publishers=st.lists(st.integers(1, 40), min_size=1, max_size=4),
    capacity=st.integers(1, 8),
)
def test_wait_policy_loses_nothing_and_keeps_each_publishers_order(publishers, capacity):
    bus = EventBus(SystemClock())
    seen = Collector()
    bus.subscribe(Counted, seen, name="journal", capacity=capacity, overflow=Overflow.WAIT, wait_s=DEADLINE_S)

    def publish(index, count):
        for number in range(count):
            assert bus.publish(counted(number, passage_id=str(index))) == ()

    threads = [threading.Thread(target=publish, args=item) for item in enumerate(publishers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)
    assert bus.close(DEADLINE_S)
    for index, count in enumerate(publishers):
        assert [e.number for e in seen.events if e.passage_id == str(index)] == list(range(count))


@settings(max_examples=20, deadline=None)
@given(
    count=st.integers(1, 60), behaviour=st.sampled_from(["raises", "stuck"]), policy=st.sampled_from(Overflow)
)
def test_a_bad_subscriber_never_keeps_events_from_the_gate(count, behaviour, policy):
    bus = EventBus(SystemClock())
    stuck = Gate()

    def bad(event):
        if behaviour == "raises":
            raise RuntimeError("no")
        stuck(event)

    gate = Collector()
    bus.subscribe(Counted, bad, name="bad", capacity=1, overflow=policy, wait_s=0.01)
    bus.subscribe(Counted, gate, name="gate", capacity=100)
    for number in range(count):
        bus.publish(counted(number))
        gate.wait_for(number + 1)
    assert gate.numbers == list(range(count))
    stuck.release.set()
    bus.close(DEADLINE_S)


def test_a_stuck_waiting_subscriber_is_waited_for_only_once():
    clock = SystemClock()
    bus = EventBus(clock)
    stuck = Gate()
    subscription = bus.subscribe(
        Counted, stuck, name="stuck", capacity=1, overflow=Overflow.WAIT, wait_s=0.05
    )
    bus.publish(counted(0))
    assert stuck.entered.wait(DEADLINE_S)
    bus.publish(counted(1))
    refused = [bus.publish(counted(number)) for number in range(2, 200)]
    assert refused == [("stuck",)] * 198
    assert subscription.counters().lost == 198
    stuck.release.set()
    bus.close(DEADLINE_S)


def test_an_exception_is_published_with_the_passage_it_belongs_to(bus):
    failures = Collector()
    bus.subscribe(SubscriberFailed, failures, name="log")

    def broken(event):
        raise ValueError("bad luck")

    bus.subscribe(Counted, broken, name="broken")
    bus.publish(counted(1, passage_id="p_1"))
    failures.wait_for(1)
    failure = failures.events[0]
    assert (failure.subscriber, failure.failed_event, failure.passage_id) == ("broken", "counted", "p_1")
    assert failure.error == "ValueError: bad luck"


def test_a_subscriber_that_fails_on_failures_does_not_feed_itself(bus):
    calls = Collector()

    def broken(event):
        calls(event)
        raise ValueError("again")

    bus.subscribe((Counted, SubscriberFailed), broken, name="broken")
    bus.publish(counted(1))
    calls.wait_for(2)
    assert bus.drain(DEADLINE_S)
    assert len(calls.events) == 2


def test_drop_oldest_keeps_the_newest_and_reports_the_loss(bus):
    gate, seen, lost = Gate(), Collector(), Collector()

    def slow(event):
        if event.number == 0:
            gate(event)
        seen(event)

    bus.subscribe(SubscriberOverflowed, lost, name="log")
    bus.subscribe(Counted, slow, name="preview", capacity=2, overflow=Overflow.DROP_OLDEST)
    bus.publish(counted(0))
    assert gate.entered.wait(DEADLINE_S)
    for number in range(1, 6):
        bus.publish(counted(number))
    gate.release.set()
    lost.wait_for(1)
    assert bus.drain(DEADLINE_S)
    assert seen.numbers == [0, 4, 5]
    assert (lost.events[0].subscriber, lost.events[0].lost) == ("preview", 3)


def test_drop_newest_keeps_what_was_there_first(bus):
    gate, seen = Gate(), Collector()

    def slow(event):
        if event.number == 0:
            gate(event)
        seen(event)

    bus.subscribe(Counted, slow, name="inbox", capacity=2, overflow=Overflow.DROP_NEWEST)
    bus.publish(counted(0))
    assert gate.entered.wait(DEADLINE_S)
    for number in range(1, 6):
        bus.publish(counted(number))
    gate.release.set()
    assert bus.drain(DEADLINE_S)
    assert seen.numbers == [0, 1, 2]


def test_subscribers_get_only_the_kinds_they_asked_for(bus):
    seen, everything = Collector(), Collector()
    bus.subscribe(Counted, seen, name="counted")
    bus.subscribe(Event, everything, name="all")
    bus.publish(counted(1))
    bus.publish(Other(at=ManualClock().now()))
    assert bus.drain(DEADLINE_S)
    assert len(seen.events) == 1
    assert len(everything.events) == 2


def test_drain_waits_for_events_that_handlers_publish(bus):
    seen = Collector()
    bus.subscribe(Other, seen, name="second")
    bus.subscribe(Counted, lambda e: bus.publish(Other(at=e.at)), name="first")
    for number in range(50):
        bus.publish(counted(number))
    assert bus.drain(DEADLINE_S)
    assert len(seen.events) == 50


def test_a_closed_subscription_gets_nothing_more(bus):
    seen = Collector()
    subscription = bus.subscribe(Counted, seen, name="once")
    bus.publish(counted(1))
    assert subscription.close(DEADLINE_S)
    bus.publish(counted(2))
    assert seen.numbers == [1]


def test_close_says_when_a_subscriber_did_not_finish():
    bus = EventBus(SystemClock())
    stuck = Gate()
    bus.subscribe(Counted, stuck, name="stuck")
    bus.publish(counted(1))
    assert not bus.close(0.05)
    stuck.release.set()


def test_counters_tell_delivered_failed_and_lost(bus):
    def odd_ones_fail(event):
        if event.number % 2:
            raise ValueError

    bus.subscribe(Counted, odd_ones_fail, name="half")
    for number in range(10):
        bus.publish(counted(number))
    assert bus.drain(DEADLINE_S)
    counters = bus.counters()["half"]
    assert (counters.delivered, counters.failed, counters.lost, counters.waiting) == (5, 5, 0, 0)


def test_capacity_must_be_positive(bus):
    with pytest.raises(ValueError, match="capacity"):
        bus.subscribe(Counted, print, name="none", capacity=0)


def test_an_outgoing_queue_publishes_in_order_and_never_waits_for_a_subscriber(bus):
    stuck, seen = Gate(), Collector()
    bus.subscribe(Counted, stuck, name="journal", capacity=1, overflow=Overflow.WAIT, wait_s=DEADLINE_S)
    bus.subscribe(Counted, seen, name="log")
    outgoing = bus.outgoing("gate:events", capacity=100)
    outgoing.start()
    assert all(outgoing.offer(counted(number)) for number in range(5))
    assert not outgoing.wait_idle(0)
    stuck.release.set()
    assert outgoing.close(DEADLINE_S)
    assert bus.drain(DEADLINE_S)
    assert seen.numbers == [0, 1, 2, 3, 4]
