"""The wall clock: what it is worth, and that it was set, are written down."""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime, timedelta

import pytest

from edged.clock import ManualClock
from edged.events import AccessDecided, Outcome
from edged.journal import Journal
from edged.journal.clockwatch import ClockWatch, quality_now, timesyncd_says_synchronised

AT = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(AT)


def decided(number: int, at: datetime) -> AccessDecided:
    return AccessDecided(
        at=at, decision_id=f"d_{number}", outcome=Outcome.DENIED, person_id=None, person_name=None,
        score=None, reasons=("not_recognised",),
    )  # fmt: skip


@pytest.mark.parametrize("by_s", [3600.0, -3600.0, 1.5, -1.5])
def test_a_clock_that_was_set_is_reported_once_with_how_far(clock, by_s):
    steps = []
    watch = ClockWatch(clock, steps.append, lambda now: True)

    clock.advance(10)
    clock.step_wall(by_s)
    watch.check()
    clock.advance(10)
    watch.check()

    assert [(step.by_s, step.clock) for step in steps] == [(by_s, "synchronised")]
    assert steps[0].at == AT + timedelta(seconds=10 + by_s)


def test_a_watch_that_was_started_looks_by_itself_and_ends(clock):
    steps = []
    heard = threading.Event()
    watch = ClockWatch(clock, lambda step: (steps.append(step), heard.set()), lambda now: True)
    watch.start()

    assert clock.someone_waits()
    clock.step_wall(-3600)
    clock.advance(10)

    assert heard.wait(30)
    assert [step.by_s for step in steps] == [-3600.0]
    assert watch.stop()


def test_a_clock_that_is_slewed_is_not_reported(clock):
    steps = []
    watch = ClockWatch(clock, steps.append, lambda now: True)

    for _ in range(100):
        clock.advance(10)
        clock.step_wall(0.005)  # the most the kernel slews in 10 s
        watch.check()

    assert steps == []


def test_quality_follows_the_time_service(clock):
    state = [None]
    watch = ClockWatch(clock, print, lambda now: state[0])
    seen = [watch.quality]
    for state[0] in (True, None, False, True):
        watch.check()
        seen.append(watch.quality)

    assert seen == ["unknown", "synchronised", "holdover", "holdover", "synchronised"]


def test_a_clock_that_was_synchronised_before_this_process_is_in_holdover(clock):
    assert ClockWatch(clock, print, lambda now: False).quality == "holdover"


@pytest.mark.parametrize(
    ("age_s", "expected"), [(60, True), (7000, True), (8000, False), (-8000, False), (None, None)]
)
def test_the_mark_of_timesyncd_counts_while_it_is_fresh(tmp_path, age_s, expected):
    mark = tmp_path / "synchronized"
    if age_s is not None:
        mark.touch()
        os.utime(mark, (AT.timestamp() - age_s,) * 2)

    assert timesyncd_says_synchronised(AT, mark) is expected


def test_the_kernel_of_this_machine_can_be_asked():
    assert quality_now(datetime.now(UTC)) in ("synchronised", "holdover", "unknown")


def test_each_record_says_when_it_arrived_and_what_the_clock_was_worth(tmp_path, clock):
    quality = ["unknown"]
    journal = Journal.open(tmp_path / "j.sqlite3", clock, clock_quality=lambda: quality[0])
    journal.commit_decision(decided(1, AT - timedelta(seconds=3)))
    quality[0] = "synchronised"
    clock.advance(5)
    journal.commit_decision(decided(2, clock.now()))

    records = journal.list(newest_first=False)

    assert [(r.received_at, r.clock) for r in records] == [
        (AT, "unknown"),
        (AT + timedelta(seconds=5), "synchronised"),
    ]
    assert records[0].at == AT - timedelta(seconds=3)
    journal.close()


def test_numbers_go_on_rising_when_the_clock_goes_back(tmp_path, clock):
    journal = Journal.open(tmp_path / "j.sqlite3", clock)
    for number in range(5):
        journal.commit_decision(decided(number, clock.now()))
        clock.step_wall(-3600)

    assert [r.decision_id for r in journal.list(newest_first=False)] == [f"d_{n}" for n in range(5)]
    assert journal.verify() == ()
    journal.close()


def test_a_clock_that_went_back_while_the_daemon_was_off_is_found_at_the_start(tmp_path, clock):
    journal = Journal.open(tmp_path / "j.sqlite3", clock)
    journal.commit_decision(decided(1, AT))
    journal.close()
    clock.step_wall(-86_400)

    journal = Journal.open(tmp_path / "j.sqlite3", clock)

    (step,) = journal.list(event="clock_stepped")
    assert step.payload["by_s"] == -86_400.0
    journal.close()
