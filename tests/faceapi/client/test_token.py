"""The token of the face cloud: fetched once, renewed early, replaced when refused."""

import threading

import pytest
from apscheduler.schedulers.background import BackgroundScheduler
from cloud_bench import API_KEY, SECRET_KEY, cloud_at
from cloud_calls import FOUND, JPEG, keeper_at, refused, tokens_used
from cloud_stub import LIFE_S, TOKEN_PATH, answer, refusal, token

from edged.errors import NeedsOperator, RetryLater
from edged.faceapi.client.token import FORCED_GAP_S, HOLD_BUSY_S
from edged.faceapi.faults import CloudReauth
from edged.secret_files import Secret

DAY_S = 86_400


def test_the_keys_go_in_the_body_of_a_post(stub, clock):
    cloud = cloud_at(stub, clock=clock)
    cloud.search(JPEG, ["g"])
    (asked,) = stub.token_requests
    assert (asked.method, asked.query) == ("POST", {})
    assert asked.form == {
        "grant_type": "client_credentials",
        "client_id": API_KEY,
        "client_secret": SECRET_KEY,
    }


def test_one_token_serves_all_calls_of_its_life(stub, clock):
    cloud = cloud_at(stub, clock=clock)
    for _ in range(3):
        cloud.search(JPEG, ["g"])
        clock.advance(9 * DAY_S)
    assert len(stub.token_requests) == 1


def test_a_token_whose_life_is_over_is_not_used(stub, clock):
    stub.replies(token("one"), token("two"), path=TOKEN_PATH)
    cloud = cloud_at(stub, clock=clock)
    cloud.search(JPEG, ["g"])
    clock.advance(LIFE_S)
    cloud.search(JPEG, ["g"])
    assert tokens_used(stub) == ["one", "two"]


@pytest.mark.parametrize("step_s", [DAY_S, -DAY_S, 365 * DAY_S])
def test_setting_the_clock_touches_no_token(stub, clock, step_s):
    cloud = cloud_at(stub, clock=clock)
    cloud.search(JPEG, ["g"])
    clock.step_wall(step_s)
    cloud.search(JPEG, ["g"])
    assert len(stub.token_requests) == 1


@pytest.mark.parametrize(("life_s", "left_s"), [(LIFE_S, 3 * DAY_S), (5 * DAY_S, DAY_S), (600, 300)])
def test_a_token_is_renewed_before_its_end(stub, clock, life_s, left_s):
    stub.replies(token("one", life_s), token("two", life_s), path=TOKEN_PATH)
    keeper = keeper_at(stub, clock)
    keeper.token()
    clock.advance(life_s - left_s - 1)
    keeper.renew_if_due()
    assert keeper.token() == Secret("one")
    clock.advance(2)
    keeper.renew_if_due()
    assert keeper.token() == Secret("two")


def test_a_failed_renewal_leaves_the_token_in_use(stub, clock):
    stub.replies(token("one"), answer(502, "bad gateway"), path=TOKEN_PATH)
    keeper = keeper_at(stub, clock)
    keeper.token()
    clock.advance(LIFE_S - DAY_S)
    keeper.renew_if_due()
    assert len(stub.token_requests) == 2
    assert keeper.token() == Secret("one")


def test_the_renewal_is_a_job_of_the_scheduler_it_is_given(stub, clock):
    scheduler = BackgroundScheduler(timezone="UTC")
    keeper = keeper_at(stub, clock)
    keeper.start(scheduler)
    (job,) = scheduler.get_jobs()
    assert (job.func, job.coalesce, job.misfire_grace_time) == (keeper.renew_if_due, True, None)
    keeper.close()
    assert scheduler.get_jobs() == []


def test_closing_leaves_no_thread_behind(stub, clock):
    before = set(threading.enumerate())
    cloud = cloud_at(stub, clock=clock)
    cloud.warm_up()
    assert {thread.name for thread in set(threading.enumerate()) - before} >= {"APScheduler"}
    cloud.close()
    assert not [
        t for t in set(threading.enumerate()) - before if "APScheduler" in t.name or t.name == "cloud-dns"
    ]


@pytest.mark.parametrize("code", [100, 110, 111])
def test_a_refused_token_is_replaced_and_the_call_repeated_once(stub, clock, code):
    stub.replies(token("one"), token("two"), path=TOKEN_PATH)
    stub.replies(refusal(code), FOUND)
    cloud_at(stub, clock=clock).search(JPEG, ["g"])
    assert tokens_used(stub) == ["one", "two"]
    assert stub.calls[0].body == stub.calls[1].body


def test_a_second_refusal_is_for_the_operator(stub, clock):
    stub.replies(token("one"), token("two"), path=TOKEN_PATH)
    stub.replies(refusal(110))
    error = refused(cloud_at(stub, clock=clock))
    assert isinstance(error, CloudReauth)
    assert isinstance(error, NeedsOperator)
    assert len(stub.calls) == 2


def test_tokens_are_replaced_at_most_once_in_a_while(stub, clock):
    stub.replies(*(token(f"t{n}") for n in range(9)), path=TOKEN_PATH)
    stub.replies(refusal(110))
    cloud = cloud_at(stub, clock=clock)
    for _ in range(5):
        refused(cloud)
    assert len(stub.token_requests) == 2
    clock.advance(FORCED_GAP_S)
    refused(cloud)
    assert len(stub.token_requests) == 3


def test_a_token_address_that_was_away_when_the_token_was_refused_is_asked_again_soon(stub, clock):
    stub.replies(token("one"), answer(503, ""), token("two"), path=TOKEN_PATH)
    stub.replies(FOUND, refusal(110), refusal(110), FOUND)
    cloud = cloud_at(stub, clock=clock)
    cloud.search(JPEG, ["g"])
    assert refused(cloud).code == "cloud_http_503"
    clock.advance(HOLD_BUSY_S)
    cloud.search(JPEG, ["g"])
    assert tokens_used(stub) == ["one", "one", "one", "two"]


def test_the_same_token_again_is_not_tried_again(stub, clock):
    stub.replies(refusal(110))
    refused(cloud_at(stub, clock=clock))
    assert len(stub.calls) == 1


def test_calls_whose_token_was_replaced_meanwhile_take_the_new_one(stub, clock):
    stub.replies(token("one"), token("two"), path=TOKEN_PATH)
    keeper = keeper_at(stub, clock)
    old = keeper.token()
    assert keeper.replace(old) == Secret("two")
    assert keeper.replace(old) == Secret("two")
    assert len(stub.token_requests) == 2


def test_a_token_is_fetched_once_for_all_threads_that_wait(stub, clock):
    may_answer = threading.Event()

    def slowly(sock):
        assert may_answer.wait(30)
        sock.sendall(token())

    stub.replies(slowly, path=TOKEN_PATH)
    keeper = keeper_at(stub, clock)
    found = []
    threads = [threading.Thread(target=lambda: found.append(keeper.token())) for _ in range(6)]
    for thread in threads:
        thread.start()
    stub.wait_for(1)
    may_answer.set()
    for thread in threads:
        thread.join(30)
    assert found == [Secret("24.token-1")] * 6
    assert len(stub.token_requests) == 1


def test_waiting_for_somebody_elses_token_ends_at_the_deadline(stub, clock):
    stub.replies(lambda sock: stub.released.wait(30), path=TOKEN_PATH)
    keeper = keeper_at(stub, clock)

    def fetch():
        with pytest.raises(RetryLater):
            keeper.token()

    fetching = threading.Thread(target=fetch)
    fetching.start()
    stub.wait_for(1)
    with pytest.raises(RetryLater) as caught:
        keeper.token(clock.monotonic())
    assert caught.value.code == "cloud_timeout"
    stub.drop_connections()
    fetching.join(30)


def test_a_token_that_comes_too_late_for_one_caller_serves_the_next(stub, clock):
    may_answer = threading.Event()

    def slowly(sock):
        assert may_answer.wait(30)
        sock.sendall(token("late"))

    stub.replies(slowly, path=TOKEN_PATH)
    keeper = keeper_at(stub, clock)
    with pytest.raises(RetryLater):
        keeper.token(clock.monotonic())
    may_answer.set()
    assert keeper.token() == Secret("late")
    assert len(stub.token_requests) == 1


def test_threads_whose_token_is_refused_together_share_one_replacement(stub, clock):
    may_answer = threading.Event()

    def slowly(sock):
        assert may_answer.wait(30)
        sock.sendall(token("two"))

    stub.replies(token("one"), slowly, path=TOKEN_PATH)
    keeper = keeper_at(stub, clock)
    old = keeper.token()
    found = []
    threads = [threading.Thread(target=lambda: found.append(keeper.replace(old))) for _ in range(4)]
    for thread in threads:
        thread.start()
    stub.wait_for(2)
    may_answer.set()
    for thread in threads:
        thread.join(30)
    assert found == [Secret("two")] * 4
    assert len(stub.token_requests) == 2
