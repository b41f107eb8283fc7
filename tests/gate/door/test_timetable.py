"""Who may pass when: hours, orders in their place, and clocks that are set."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from edged.gate.door.model import DoorMode
from edged.gate.door.timetable import CLOCK_UNSET_BEFORE, ModeOrder, Timetable
from edged.schedule import parse

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2026, 11, 16, tzinfo=UTC)


def at(hours: float) -> datetime:
    """Monday in UTC."""
    return MONDAY + timedelta(hours=hours)


def table(free: list[str] = (), locked: list[str] = (), zone=UTC) -> Timetable:
    return Timetable(parse(free), parse(locked), zone)


def test_without_hours_or_orders_the_mode_is_normal_for_ever():
    t = table()
    assert t.mode(at(9), 0.0) is DoorMode.NORMAL
    assert t.next_change(at(9)) is None


def test_hours_are_those_on_the_wall_of_the_site():
    t = table(free=["Mon-Fri 08:00-17:00"], zone=BERLIN)
    assert t.mode(at(6.99), 0.0) is DoorMode.NORMAL
    assert t.mode(at(7), 0.0) is DoorMode.FREE
    assert t.due(at(7), 100.0) == 100.0 + 9 * 3600
    assert t.mode(at(16), 0.0) is DoorMode.NORMAL


def test_locked_wins_over_free():
    t = table(free=["Mon 08:00-17:00"], locked=["Mon 12:00-13:00"])
    assert [t.mode(at(h), 0.0) for h in (11, 12, 13)] == [DoorMode.FREE, DoorMode.LOCKED, DoorMode.FREE]
    assert t.next_change(at(11)) == at(12)


def test_a_change_of_one_schedule_that_changes_nothing_is_no_change():
    t = table(free=["Mon 09:00-10:00"], locked=["Mon 08:00-12:00"])
    assert t.next_change(at(8)) == at(12)


def test_a_clock_that_is_set_is_followed_at_once():
    t = table(free=["Mon 08:00-17:00"])
    assert t.mode(at(16.9), 0.0) is DoorMode.FREE
    assert t.mode(at(17.5), 1.0) is DoorMode.NORMAL, "set forward past the end"
    assert t.mode(at(16), 2.0) is DoorMode.FREE, "and back"
    assert t.mode(at(7), 3.0) is DoorMode.NORMAL


def test_a_machine_that_lost_its_clock_opens_to_nobody_and_locks_as_ever():
    lost = CLOCK_UNSET_BEFORE - timedelta(days=20_000)
    t = table(free=["Mon-Sun 00:00-24:00"])
    assert t.mode(lost, 0.0) is DoorMode.NORMAL
    assert t.mode(at(9), 1.0) is DoorMode.FREE
    assert table(locked=["Mon-Sun 00:00-24:00"]).mode(lost, 0.0) is DoorMode.LOCKED


def test_an_order_stands_until_the_hours_change_next():
    t = table(free=["Mon 08:00-17:00"])
    t.give(ModeOrder(DoorMode.LOCKED, at(9), hours_change=t.next_change(at(9))), at(9), 50.0)
    assert t.mode(at(9), 50.0) is DoorMode.LOCKED
    assert t.due(at(9), 50.0) == 50.0 + 8 * 3600
    assert t.mode(at(17), 90.0) is DoorMode.NORMAL
    assert t.mode(at(16), 91.0) is DoorMode.FREE, "it is over, whatever the clock says afterwards"


def test_an_order_for_a_time_ends_on_the_monotonic_clock():
    t = table()
    t.give(ModeOrder(DoorMode.FREE, at(9), at(9.5)), at(9), 100.0)
    assert t.due(at(9), 100.0) == 1900.0
    assert t.mode(at(8), 1899.0) is DoorMode.FREE, "the clock was set back by an hour"
    assert t.mode(at(8), 1900.0) is DoorMode.NORMAL


def test_an_order_survives_a_restart_for_what_is_left_of_its_time():
    order = ModeOrder(DoorMode.LOCKED, at(9), at(10))
    t = table()
    t.give(order, at(9.5), 7.0)
    assert t.due(at(9.5), 7.0) == 7.0 + 1800
    t = table()
    t.give(order, at(11), 7.0)
    assert t.mode(at(11), 7.0) is DoorMode.NORMAL
    t = table()
    t.give(order, at(3), 7.0)
    assert t.due(at(3), 7.0) == 7.0 + 3600, "a clock that was set back does not prolong it"


def test_an_order_of_before_the_last_change_of_hours_is_over_after_a_restart():
    t = table(free=["Mon 08:00-17:00"])
    t.give(ModeOrder(DoorMode.LOCKED, at(9), hours_change=at(17)), at(18), 0.0)
    assert t.mode(at(18), 0.0) is DoorMode.NORMAL
    assert t.order is None


def test_an_order_that_was_over_does_not_stand_again_because_the_hours_were_changed():
    for hours in ([], ["Sat 08:00-12:00"]):
        t = table(free=hours)
        t.give(ModeOrder(DoorMode.FREE, at(9), hours_change=at(17)), at(18), 0.0)
        assert t.mode(at(18), 0.0) is DoorMode.NORMAL


def test_an_order_of_an_earlier_run_frees_nothing_without_an_end_or_on_a_clock_from_before_it():
    t = table()
    t.give(ModeOrder(DoorMode.FREE, at(9)), at(10), 0.0)
    assert t.mode(at(10), 0.0) is DoorMode.NORMAL
    t.give(ModeOrder(DoorMode.FREE, at(9), at(11)), at(-2000), 0.0)
    assert t.mode(at(-2000), 0.0) is DoorMode.NORMAL


def test_without_hours_a_lock_down_has_no_end_and_normal_ends_it():
    t = table()
    t.give(ModeOrder(DoorMode.LOCKED, at(9)), at(9), 0.0)
    assert t.mode(at(900), 1e6) is DoorMode.LOCKED
    assert t.due(at(900), 1e6) == math.inf
    t.give(ModeOrder(DoorMode.NORMAL, at(901)), at(901), 1e6)
    assert t.mode(at(901), 1e6) is DoorMode.NORMAL
    assert t.order is None


HOURS = st.sampled_from(["Mon 08:00-17:00", "Mon,Tue 12:00-13:00", "Sun 22:00-06:00", "2026-11-17 closed"])


@given(
    free=st.lists(HOURS, max_size=3),
    locked=st.lists(HOURS, max_size=3),
    moments=st.lists(st.integers(0, 7 * 24 * 60), min_size=1, max_size=20),
)
def test_what_is_kept_from_one_question_to_the_next_never_differs_from_the_hours(free, locked, moments):
    asked = table(free, locked, BERLIN)
    for minute in moments:  # in any order: the clock is set now and then
        now = at(minute / 60)
        assert asked.mode(now, 0.0) is table(free, locked, BERLIN).scheduled(now)
        due = asked.due(now, 0.0)
        if math.isfinite(due) and due > 61:
            before = now + timedelta(seconds=due - 60)
            assert asked.scheduled(before) is asked.scheduled(now), "it would have been missed"
