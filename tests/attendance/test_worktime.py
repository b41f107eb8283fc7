"""From punches to working time, over nights and changes of the clocks."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.attendance.direction import by_alternation, by_schedule
from edged.attendance.punch import Action, Direction, Punch, effective
from edged.attendance.worktime import day_of, pair_up, work_days
from edged.schedule import parse_shift

BERLIN = ZoneInfo("Europe/Berlin")
IN, OUT = Direction.IN, Direction.OUT
LONGEST = timedelta(hours=16)


def punch(when, direction, punch_id=0, person="ann", **more):
    at = when if isinstance(when, datetime) else datetime.fromisoformat(when).replace(tzinfo=BERLIN)
    return Punch(
        person_id=person,
        person_name=person.title(),
        at=at.astimezone(UTC),
        zone="Europe/Berlin",
        direction=direction,
        direction_by="device",
        punch_id=punch_id,
        **more,
    )


def days(punches, policy="pairs"):
    return work_days(punches, BERLIN, longest=LONGEST, day_change=time(3), policy=policy)


def test_a_day_shift_is_the_time_between_in_and_out():
    (day,) = days([punch("2026-11-20T08:00", IN), punch("2026-11-20T16:30", OUT)])
    assert (day.day, day.worked, day.missing) == (date(2026, 11, 20), timedelta(hours=8.5), ())


def test_a_night_shift_counts_for_the_day_on_which_it_begins():
    (day,) = days([punch("2026-11-20T22:00", IN), punch("2026-11-21T06:00", OUT)])
    assert (day.day, day.worked) == (date(2026, 11, 20), timedelta(hours=8))


def test_somebody_who_begins_just_after_midnight_works_for_the_day_before():
    (day,) = days([punch("2026-11-21T00:10", IN), punch("2026-11-21T08:00", OUT)])
    assert day.day == date(2026, 11, 20)
    assert day_of(datetime(2026, 11, 21, 3, 0, tzinfo=BERLIN), BERLIN, time(3)) == date(2026, 11, 21)


@pytest.mark.parametrize(("evening", "elapsed"), [("2026-03-28", 7), ("2026-10-24", 9)])
def test_a_night_in_which_the_clocks_are_changed_has_its_real_length(evening, elapsed):
    begin = datetime.fromisoformat(f"{evening}T22:00")
    (day,) = days([punch(begin.isoformat(), IN), punch((begin + timedelta(hours=8)).isoformat(), OUT)])
    assert day.worked == timedelta(hours=elapsed)


def test_pairs_leave_the_break_out_and_first_to_last_does_not():
    punches = [
        punch("2026-11-20T08:00", IN),
        punch("2026-11-20T12:00", OUT),
        punch("2026-11-20T13:00", IN),
        punch("2026-11-20T17:00", OUT),
    ]
    assert days(punches)[0].worked == timedelta(hours=8)
    assert days(punches, "first_last")[0].worked == timedelta(hours=9)


def test_what_is_missing_is_said_and_not_invented():
    punches = [punch("2026-11-20T08:00", IN), punch("2026-11-20T13:00", IN), punch("2026-11-20T17:00", OUT)]
    (day,) = days(punches)
    assert (day.worked, day.missing) == (timedelta(hours=4), (OUT,))
    (alone,) = days([punch("2026-11-20T17:00", OUT)])
    assert (alone.worked, alone.missing, alone.first_in) == (timedelta(), (IN,), None)


def test_an_out_days_later_does_not_belong_to_the_in():
    came, left = pair_up([punch("2026-11-20T08:00", IN), punch("2026-11-22T08:00", OUT)], LONGEST)
    assert (came.left, left.came) == (None, None)


def test_a_clock_set_back_between_in_and_out_gives_no_negative_time():
    (day,) = days([punch("2026-11-20T08:00", IN, 1), punch("2026-11-20T07:30", OUT, 2)])
    assert (day.worked, day.missing) == (timedelta(), (IN, OUT))


def test_corrections_hold_and_the_newest_wins():
    rows = [
        punch("2026-11-20T08:00", IN, 1),
        punch("2026-11-20T17:00", OUT, 2),
        punch("2026-11-20T16:00", OUT, 3, action=Action.CHANGE, corrects=2),
        punch("2026-11-20T16:30", OUT, 4, action=Action.CHANGE, corrects=2),
        punch("2026-11-20T12:00", OUT, 5),
        punch("2026-11-20T12:00", OUT, 6, action=Action.VOID, corrects=5),
        punch("2026-11-20T12:00", OUT, 7, action=Action.VOID, corrects=99),
    ]
    assert days(effective(rows))[0].worked == timedelta(hours=8.5)
    assert days(effective(reversed(rows)))[0].worked == timedelta(hours=8.5)


def test_a_repeat_counts_only_after_somebody_said_so():
    repeat = punch("2026-11-20T08:00", IN, 1, repeated=True)
    assert effective([repeat]) == []
    counted = effective([repeat, punch("2026-11-20T08:00", IN, 2, action=Action.CHANGE, corrects=1)])
    assert [p.punch_id for p in counted] == [1]


def test_alternation_begins_anew_after_a_long_time():
    came = punch("2026-11-20T08:00", IN)
    assert by_alternation(None, came.at, LONGEST) is IN
    assert by_alternation(came, came.at + timedelta(hours=8), LONGEST) is OUT
    assert by_alternation(came, came.at + timedelta(hours=17), LONGEST) is IN
    assert by_alternation(came, came.at - timedelta(hours=1), LONGEST) is IN


SHIFTS = [parse_shift("day Mon-Fri 08:00-17:00"), parse_shift("night Mon-Fri 22:00-06:00")]


@pytest.mark.parametrize(
    ("when", "direction"),
    [
        ("2026-11-20T07:40", IN),
        ("2026-11-20T08:20", IN),
        ("2026-11-20T17:10", OUT),
        ("2026-11-20T21:50", IN),
        ("2026-11-21T06:05", OUT),
        ("2026-11-22T12:00", None),
    ],
)
def test_the_nearest_begin_or_end_of_a_shift_gives_the_direction(when, direction):
    assert by_schedule(SHIFTS, datetime.fromisoformat(when).replace(tzinfo=BERLIN), BERLIN) is direction


@pytest.mark.parametrize("text", ["", "day", "day ", "day Mon-Fri", "08:00-17:00"])
def test_a_shift_that_cannot_be_read_is_named(text):
    with pytest.raises(ValueError, match="'"):
        parse_shift(text)


PUNCHES = st.lists(
    st.tuples(st.integers(0, 6 * 24 * 60), st.sampled_from([IN, OUT]), st.sampled_from(["ann", "bo"])),
    max_size=25,
    unique_by=lambda item: (item[0], item[2]),
).map(
    lambda items: [
        punch(datetime(2026, 3, 26, tzinfo=UTC) + timedelta(minutes=m), d, n, person=p)
        for n, (m, d, p) in enumerate(items, 1)
    ]
)


@given(PUNCHES, st.randoms())
def test_the_order_of_arrival_does_not_matter(punches, random):
    shuffled = list(punches)
    random.shuffle(shuffled)
    assert days(shuffled) == days(punches)


@given(PUNCHES)
def test_every_punch_is_in_one_pair_and_time_is_never_invented(punches):
    found = days(punches)
    used = [p.punch_id for day in found for pair in day.pairs for p in (pair.came, pair.left) if p]
    assert sorted(used) == [p.punch_id for p in punches]
    for day in found:
        assert timedelta() <= day.worked
        if day.first_in and day.last_out and day.last_out >= day.first_in:
            assert day.worked <= day.last_out - day.first_in
    firsts = days(punches, "first_last")
    assert all(first.worked >= day.worked for first, day in zip(firsts, found, strict=True))


@given(PUNCHES)
def test_voiding_everything_leaves_nothing(punches):
    voids = [
        punch(
            p.at, p.direction, 1000 + p.punch_id, person=p.person_id, action=Action.VOID, corrects=p.punch_id
        )
        for p in punches
    ]
    assert days(effective([*punches, *voids])) == []
