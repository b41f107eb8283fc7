"""How long a call is held back after which answer."""

import pytest

from edged.faceapi.calls import Call
from edged.faceapi.faults import error_for, unknown_again
from edged.faceapi.governor.call_backoff import CallHold, Pauses


def _hold(call=Call.SEARCH, random=lambda: 0.0):
    return CallHold(call, Pauses(), random)


def _error(code, call=Call.SEARCH):
    return error_for(code, "", call=call)


def _pauses(hold, code, how_many, day_left_s=3600.0):
    """The pauses after `how_many` answers of `code`, each sent when the pause before was over."""
    now, found = 0.0, []
    for _ in range(how_many):
        held = hold.answered_badly(_error(code), now, day_left_s)
        found.append(held.until_s - now)
        now = held.until_s
    return found


def test_an_exceeded_rate_doubles_the_pause_up_to_its_longest():
    assert _pauses(_hold(), 18, 6) == [1, 2, 4, 8, 16, 20]


def test_an_overloaded_service_is_left_alone_for_longer_than_an_exceeded_rate():
    assert _pauses(_hold(), 4, 6) == [5, 10, 20, 40, 80, 80]


@pytest.mark.parametrize(("code", "longest_s"), [(18, 30), (4, 120), (19, 1800), (6, 600)])
def test_chance_lengthens_a_pause_but_not_beyond_the_longest(code, longest_s):
    lucky, unlucky = _pauses(_hold(), code, 12), _pauses(_hold(random=lambda: 1.0), code, 12)
    assert all(long == pytest.approx(1.5 * short) for short, long in zip(lucky[:5], unlucky[:5], strict=True))
    if code != 18:
        assert max(unlucky) == pytest.approx(longest_s)


def test_several_refusals_of_one_burst_count_once():
    hold = _hold()
    assert hold.answered_badly(_error(18), 0.0, 0) is not None
    assert hold.answered_badly(_error(18), 0.1, 0) is None
    assert hold.held(0.99).until_s == 1.0


def test_a_success_of_before_the_pause_does_not_end_it():
    hold = _hold()
    hold.answered_badly(_error(18), 0.0, 0)
    assert hold.answered_well(0.5) is False
    assert hold.held(0.5)


def test_a_success_after_the_pause_makes_the_next_one_short_again():
    hold = _hold()
    now = sum(_pauses(hold, 18, 4))
    assert hold.answered_well(now) is True
    assert hold.answered_badly(_error(18), now, 0).until_s - now == 1


def test_a_single_exceeded_second_is_not_worth_an_event_and_the_third_in_a_row_is():
    hold, now, notable = _hold(), 0.0, []
    for _ in range(3):
        held = hold.answered_badly(_error(18), now, 0)
        now = held.until_s
        notable.append(held.notable)
    assert notable == [False, False, True]


def test_an_exceeded_rate_for_minutes_means_that_there_is_no_allowance():
    hold, now, seen = _hold(), 0.0, []
    while now < 200:
        held = hold.answered_badly(_error(18), now, 0)
        seen.append((now, held))
        now = held.until_s
    assert not any(held.needs_operator for at, held in seen if at < 180)
    assert all(held.needs_operator and held.code == "cloud_throttled" for at, held in seen if at >= 180)
    assert seen[-1][1].until_s - seen[-1][0] == 600


def test_two_exceeded_seconds_with_a_quiet_hour_between_are_not_always():
    hold = _hold()
    hold.answered_badly(_error(18), 0.0, 0)
    assert not hold.answered_badly(_error(18), 3600.0, 0).needs_operator


def test_an_overloaded_service_is_never_the_operators_allowance():
    hold, now = _hold(), 0.0
    for _ in range(20):
        held = hold.answered_badly(_error(4), now, 0)
        assert not held.needs_operator
        now = held.until_s


def test_a_used_up_day_holds_until_the_next_one():
    held = _hold().answered_badly(_error(17), 100.0, day_left_s=5000.0)
    assert (held.code, held.needs_operator, held.until_s) == ("cloud_daily_quota", True, 5100.0)


def test_a_used_up_total_is_tried_again_after_10_to_30_minutes():
    pauses = _pauses(_hold(random=lambda: 0.3), 19, 8)
    assert min(pauses) >= 600
    assert max(pauses) <= 1800


@pytest.mark.parametrize("code", [3, 6, 14, 15, 100, 110, 111, 222290, 222292])
def test_keys_and_permissions_hold_the_call_at_once_and_for_the_operator(code):
    held = _hold().answered_badly(_error(code), 0.0, 0)
    assert (held.code, held.needs_operator, held.until_s) == (f"cloud_{code}", True, 60.0)


def test_a_wrong_request_holds_a_search_only_when_it_goes_on():
    hold = _hold()
    assert hold.answered_badly(_error(222200), 0.0, 0) is None
    assert hold.answered_badly(_error(222200), 1.0, 0) is None
    assert hold.answered_badly(_error(222200), 2.0, 0).until_s == 62.0


def test_one_person_with_a_problem_does_not_stop_the_library():
    hold = _hold(Call.USER_ADD)
    for _ in range(10):
        assert hold.answered_badly(_error(222210, Call.USER_ADD), 0.0, 0) is None


def test_an_unknown_code_is_for_the_operator_the_second_time_and_new_again_after_a_success():
    hold, error = _hold(), _error(424242)
    assert hold.known_error(error) is error
    assert hold.known_error(_error(424242)).exit_code == unknown_again(error).exit_code
    assert hold.known_error(other := _error(434343)) is other
    hold.answered_well(0.0)
    assert hold.known_error(error) is error
