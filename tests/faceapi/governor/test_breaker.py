"""The circuit breaker in the governor: what opens it, what closes it, who may try."""

import pytest
from governor_bench import UNREACHABLE

from edged.errors import NeedsOperator, RetryLater
from edged.events import CloudRecovered
from edged.faceapi.calls import Call
from edged.faceapi.governor.refusals import NotAsked
from edged.faceapi.inconclusive import ConnectionLost, Hurried

TIMEOUT = RetryLater("The cloud did not answer in time.", code="cloud_timeout")
HURRIED = Hurried("The face cloud was too slow.", code="cloud_timeout")
LOST = ConnectionLost("The connection was closed.", code="cloud_unreachable")
CERTIFICATE = NeedsOperator("The certificate is not the cloud's.", code="cloud_certificate")


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
