"""The one bounded queue with a thread: order, containment, overflow, an orderly end."""

import threading

import pytest

from edged.work_queue import Overflow, WorkQueue

DEADLINE_S = 30.0


class Handler:
    """Keeps what it is given; `hold` keeps it inside, `bad` items raise."""

    def __init__(self, bad=()):
        self.items, self.bad = [], bad
        self.entered, self.release = threading.Event(), threading.Event()
        self.release.set()

    def __call__(self, item):
        self.entered.set()
        assert self.release.wait(DEADLINE_S)
        if item in self.bad:
            raise ValueError(item)
        self.items.append(item)


@pytest.fixture
def handler():
    return Handler()


@pytest.fixture
def make(handler):
    queues = []

    def _make(capacity=100, **options):
        options.setdefault("on_failure", lambda item, error: None)
        queues.append(WorkQueue(handler, name="test", capacity=capacity, **options))
        return queues[-1]

    yield _make
    handler.release.set()
    assert all(queue.close(DEADLINE_S) for queue in queues)


def held(queue, handler):
    """Start `queue` and let its handler sit in the first item."""
    handler.release.clear()
    queue.start()
    queue.offer(0)
    assert handler.entered.wait(DEADLINE_S)


def test_what_is_offered_before_the_start_waits_for_it_and_keeps_its_order(make, handler):
    queue = make()
    for number in range(50):
        assert queue.offer(number)
    assert queue.counters().waiting == 50
    queue.start()
    assert queue.wait_idle(DEADLINE_S)
    assert handler.items == list(range(50))


def test_a_queue_that_was_never_started_closes(make):
    queue = make()
    queue.offer(1)
    assert queue.close(DEADLINE_S)


def test_closing_handles_what_is_queued_and_takes_nothing_more(make, handler):
    queue = make()
    held(queue, handler)
    queue.offer(1)
    assert not queue.close(0)
    assert queue.offer(2)
    handler.release.set()
    assert queue.close(DEADLINE_S)
    assert handler.items == [0, 1]


def test_an_exception_ends_its_item_only_and_comes_with_it(make, handler):
    failures = []
    handler.bad = (1,)
    queue = make(on_failure=lambda item, error: failures.append((item, type(error))))
    queue.start()
    for number in range(3):
        queue.offer(number)
    assert queue.wait_idle(DEADLINE_S)
    assert (handler.items, failures) == ([0, 2], [(1, ValueError)])
    counters = queue.counters()
    assert (counters.delivered, counters.failed) == (2, 1)


@pytest.mark.parametrize(
    ("overflow", "kept"), [(Overflow.DROP_OLDEST, [0, 4, 5]), (Overflow.DROP_NEWEST, [0, 1, 2])]
)
def test_a_full_queue_drops_what_its_policy_says_and_reports_how_many(make, handler, overflow, kept):
    losses = []
    queue = make(capacity=2, overflow=overflow, on_loss=losses.append)
    held(queue, handler)
    assert all(queue.offer(number) for number in range(1, 6))
    handler.release.set()
    assert queue.wait_idle(DEADLINE_S)
    assert (handler.items, losses, queue.counters().lost) == (kept, [3], 3)


def test_a_queue_that_waits_refuses_when_nothing_moves_and_is_asked_in_vain_only_once(make, handler):
    queue = make(capacity=1, overflow=Overflow.WAIT, wait_s=0.02)
    held(queue, handler)
    assert queue.offer(1)
    assert not queue.offer(2)
    assert not any(queue.offer_waiting(number) for number in range(2, 300))
    assert queue.counters().lost == 298


def test_a_producer_that_waits_gets_in_as_soon_as_there_is_room(make, handler):
    queue = make(capacity=1, overflow=Overflow.WAIT, wait_s=DEADLINE_S)
    held(queue, handler)
    queue.offer(1)
    taken = []
    producer = threading.Thread(target=lambda: taken.append(queue.offer_waiting(2)))
    producer.start()
    handler.release.set()
    producer.join(DEADLINE_S)
    assert taken == [True]
    assert queue.wait_idle(DEADLINE_S)
    assert handler.items == [0, 1, 2]
