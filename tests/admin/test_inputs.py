"""Days, months and times as people write them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.admin.inputs import (
    bounds,
    check_event_name,
    day_of,
    month_of,
    recent,
    validity,
    wall_time,
)
from edged.errors import Misconfigured

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)


def test_a_last_day_counts_to_its_end_and_a_time_does_not():
    assert validity("2026-01-31", is_end=True) == validity("2026-02-01")
    assert validity("2026-01-31T08:00", is_end=True) == validity("2026-01-31T08:00")
    assert validity("") is None
    assert validity(None) is None


@pytest.mark.parametrize(("text", "hours"), [("90m", 1.5), ("12h", 12), ("7d", 168)])
def test_a_span_counts_back_from_now(text, hours):
    assert NOW - recent(text, NOW) == timedelta(hours=hours)


def test_today_is_that_of_the_site():
    assert day_of("today", NOW, BERLIN) == date(2026, 11, 22)
    assert day_of("today", NOW, ZoneInfo("UTC")) == date(2026, 11, 21)


@given(st.dates(date(2000, 1, 1), date(2199, 12, 31)))
def test_a_month_holds_its_days_and_no_other(day):
    first, last = month_of(f"{day:%Y-%m}")
    assert first <= day <= last
    assert first.day == 1
    assert (last + timedelta(days=1)).day == 1
    assert (first.month, first.year) == (last.month, last.year)


@given(st.dates(date(2000, 1, 1), date(2199, 12, 30)))
def test_days_follow_each_other_without_a_gap_when_the_clocks_change(day):
    assert bounds(day, BERLIN)[1] == bounds(day + timedelta(days=1), BERLIN)[0]


def test_a_time_that_the_clocks_leave_out_is_refused_with_the_next_one():
    with pytest.raises(Misconfigured, match="clocks were put forward") as refused:
        wall_time("2026-03-29T02:30", "Europe/Berlin")
    assert "2026-03-29T03:30" in refused.value.hint


def test_a_time_with_an_offset_keeps_it():
    assert wall_time("2026-11-21T08:00+05:00", "Europe/Berlin").utcoffset() == timedelta(hours=5)
    assert wall_time("2026-11-21T08:00", "Europe/Berlin").utcoffset() == timedelta(hours=1)


@pytest.mark.parametrize(
    ("read", "code"),
    [
        (lambda text: validity(text), "bad_date"),
        (lambda text: recent(text, NOW), "time_malformed"),
        (lambda text: day_of(text, NOW, BERLIN), "date_malformed"),
        (lambda text: month_of(text), "month_malformed"),
        (lambda text: wall_time(text, "UTC"), "time_malformed"),
    ],
)
@pytest.mark.parametrize("text", ["tomorrow", "2026-13-40", "99999999d", "-3h"])
def test_what_is_no_time_is_refused_with_its_code(read, code, text):
    with pytest.raises(Misconfigured) as refused:
        read(text)
    assert refused.value.code == code


def test_an_event_is_known_by_its_name_and_a_slip_is_pointed_out():
    assert check_event_name("gate_lost") == "gate_lost"
    with pytest.raises(Misconfigured, match="did you mean gate_lost"):
        check_event_name("gate_los")
