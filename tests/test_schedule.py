"""Weekly hours: on or off, and when they change, through nights and changes of the clocks."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.schedule import parse

BERLIN = ZoneInfo("Europe/Berlin")


def at(text, zone=BERLIN):
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def test_working_hours_are_on_from_the_first_minute_to_the_last():
    office = parse(["Mon-Fri 08:00-17:30"])
    assert not office.on(at("2026-11-20T07:59:59"), BERLIN)
    assert office.on(at("2026-11-20T08:00"), BERLIN)
    assert office.on(at("2026-11-20T17:29:59"), BERLIN)
    assert not office.on(at("2026-11-20T17:30"), BERLIN)
    assert not office.on(at("2026-11-21T12:00"), BERLIN)


def test_a_night_goes_on_into_the_next_day():
    night = parse(["Fri 22:00-06:00"])
    assert night.on(at("2026-11-20T23:00"), BERLIN)
    assert night.on(at("2026-11-21T05:59"), BERLIN)
    assert not night.on(at("2026-11-21T06:00"), BERLIN)
    assert not night.on(at("2026-11-20T05:00"), BERLIN)


def test_a_range_of_days_may_go_over_the_weekend():
    assert parse(["Sat-Mon 10:00-11:00"]).on(at("2026-11-22T10:30"), BERLIN)
    assert not parse(["Sat-Mon 10:00-11:00"]).on(at("2026-11-24T10:30"), BERLIN)


def test_a_date_replaces_the_weekly_hours():
    hours = parse(["Mon-Sun 08:00-18:00", "2026-12-24 08:00-12:00", "2026-12-25 closed"])
    assert hours.on(at("2026-12-24T11:00"), BERLIN)
    assert not hours.on(at("2026-12-24T13:00"), BERLIN)
    assert not hours.on(at("2026-12-25T13:00"), BERLIN)
    assert hours.on(at("2026-12-26T13:00"), BERLIN)


def test_the_next_change_is_the_next_edge():
    office = parse(["Mon-Fri 08:00-17:30"])
    assert office.next_change(at("2026-11-20T12:00"), BERLIN) == at("2026-11-20T17:30")
    assert office.next_change(at("2026-11-20T17:30"), BERLIN) == at("2026-11-23T08:00")


def test_what_never_changes_has_no_next_change():
    assert parse([]).next_change(at("2026-11-20T12:00"), BERLIN) is None
    always = parse(["Mon-Sun 00:00-24:00"])
    assert always.on(at("2026-11-20T00:00"), BERLIN)
    assert always.next_change(at("2026-11-20T12:00"), BERLIN) is None


def test_hours_that_begin_in_the_lost_hour_begin_at_its_end():
    sunday = parse(["Sun 02:30-04:00"])  # 2026-03-29: 02:00 becomes 03:00
    change = sunday.next_change(at("2026-03-29T01:00"), BERLIN)
    assert change == at("2026-03-29T03:00")
    assert sunday.on(change, BERLIN)


def test_hours_in_the_repeated_hour_are_on_both_times():
    sunday = parse(["Sun 02:15-02:45"])  # 2026-10-25: 03:00 becomes 02:00
    first = at("2026-10-25T02:30").astimezone(UTC)
    assert sunday.on(first, BERLIN)
    assert not sunday.on(first + timedelta(minutes=30), BERLIN)
    assert sunday.on(first + timedelta(hours=1), BERLIN)


def test_spans_say_when_hours_begin_and_end():
    night = parse(["Sat 22:00-06:00"])
    assert night.spans(datetime(2026, 10, 19).date(), 7, BERLIN) == [
        (at("2026-10-24T22:00").astimezone(UTC), at("2026-10-25T06:00").astimezone(UTC))
    ]
    start, end = night.spans(datetime(2026, 10, 24).date(), 1, BERLIN)[0]
    assert end - start == timedelta(hours=9)  # an hour was repeated


@pytest.mark.parametrize(
    "entry",
    [
        "",
        "Mon",
        "08:00-17:00",
        "Mon 8:00-17:00",
        "Mon 08:00-24:30",
        "Mon 08:60-09:00",
        "Mon 08:00-08:00",
        "Mon 24:00-08:00",
        "Mo 08:00-09:00",
        "Mon-Tue-Wed 08:00-09:00",
        "2026-02-30 closed",
        "2026-12-25 shut",
    ],
)
def test_what_cannot_be_understood_is_named(entry):
    with pytest.raises(ValueError, match="'"):
        parse([entry])


HOURS = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.integers(0, 59))
ENTRIES = st.lists(
    st.builds(
        "{} {}-{}".format, st.sampled_from(["Mon", "Tue-Thu", "Fri,Sun", "Sat-Tue", "Sun"]), HOURS, HOURS
    ).filter(lambda text: text.split()[1][:5] != text.split()[1][6:]),
    max_size=4,
)


@given(
    ENTRIES, st.integers(0, 365 * 24 * 60), st.sampled_from(["Europe/Berlin", "UTC", "Australia/Lord_Howe"])
)
def test_between_now_and_the_next_change_nothing_changes(entries, minutes, zone_name):
    zone, schedule = ZoneInfo(zone_name), parse(entries)
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    change = schedule.next_change(now, zone)
    on = schedule.on(now, zone)
    end = change or now + timedelta(days=7)
    steps = int((end - now) / timedelta(minutes=7))
    assert all(schedule.on(now + timedelta(minutes=7 * k), zone) is on for k in range(steps))
    if change is not None:
        assert schedule.on(change - timedelta(seconds=1), zone) is on
        assert schedule.on(change, zone) is not on
