"""Tokens of `edged serve`: who gets one, how long it is good, and what ends it; rates and daily allowance."""

import math
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.clock import ManualClock
from edged.config.serve import AppConfig
from edged.errors import Misconfigured
from edged.faceapi.calls import Call
from edged.server.authentication import Authentication, Keys, TokenRefused, fresh_keys, read_keys
from edged.server.limits import Limits, cloud_day
from edged.server.replies import ApiError
from edged.server.setup import secrets_text

KEYS = {"a": fresh_keys(), "b": fresh_keys()}


def access(clock=None, keys=KEYS, valid_s=3600):
    return Authentication(keys, clock or ManualClock(), valid_s)


def token_of(one, appid="a"):
    return one.grant("client_credentials", KEYS[appid].api_key, KEYS[appid].secret_key)["access_token"]


def refused(one, token):
    with pytest.raises(ApiError) as caught:
        one.appid_of(token)
    return caught.value.code


def test_a_token_names_its_application_and_the_scope_the_vendors_client_asks_for():
    granted = access().grant("client_credentials", KEYS["b"].api_key, KEYS["b"].secret_key)
    assert access().appid_of(granted["access_token"]) == "b"
    assert "brain_all_scope" in granted["scope"].split()
    assert granted["expires_in"] == 3600


def test_a_token_is_good_after_a_restart_and_beside_a_newer_one():
    first, second = token_of(access()), token_of(access())
    assert first != second
    assert access().appid_of(first) == access().appid_of(second) == "a"


def test_a_token_ends():
    clock = ManualClock()
    token = token_of(access(clock))
    clock.advance(3599)
    assert access(clock).appid_of(token) == "a"
    clock.advance(1)
    assert refused(access(clock), token) == 111


def test_a_new_secret_key_ends_all_tokens_of_the_old_one():
    token = token_of(access())
    assert refused(access(keys=KEYS | {"a": fresh_keys()}), token) == 110


def test_an_application_that_is_gone_has_no_tokens():
    assert refused(access(keys={"b": KEYS["b"]}), token_of(access())) == 110


@pytest.mark.parametrize(("token", "code"), [(None, 110), ("", 110), ("x", 110), ("a b", 100), ("ä", 100)])
def test_what_is_no_token_of_ours_is_refused(token, code):
    assert refused(access(), token) == code


def test_no_part_of_a_token_can_be_changed():
    one = access()
    token = token_of(one)
    parts = token.split(".")
    later = ".".join([*parts[:3], str(int(parts[3]) + 1), parts[4]])
    other = token.replace("-a", "-b")
    for forged in (later, other, token[:-2], "." + token, token.upper()):
        assert refused(one, forged) == 110


@given(st.text(max_size=80))
def test_no_text_is_a_token_by_chance(text):
    assert refused(access(), text) in (100, 110)


@pytest.mark.parametrize(
    ("grant", "api_key", "secret_key", "error", "status"),
    [
        ("", "", "", "unsupported_grant_type", 400),
        ("password", KEYS["a"].api_key, KEYS["a"].secret_key, "unsupported_grant_type", 404),
        ("client_credentials", "", KEYS["a"].secret_key, "invalid_request", 400),
        ("client_credentials", KEYS["a"].api_key, "", "invalid_request", 400),
        ("client_credentials", "0" * 32, KEYS["a"].secret_key, "invalid_client", 401),
        ("client_credentials", KEYS["a"].api_key, KEYS["b"].secret_key, "invalid_client", 401),
        ("client_credentials", "\ud800", "ü", "invalid_client", 401),
    ],
    ids=["no grant", "wrong grant", "no key", "no secret", "unknown key", "secret of another", "odd text"],
)
def test_a_wrong_token_request_is_refused_as_documented(grant, api_key, secret_key, error, status):
    with pytest.raises(TokenRefused) as caught:
        access().grant(grant, api_key, secret_key)
    assert (caught.value.error, caught.value.status) == (error, status)


def test_keys_do_not_show_themselves():
    assert KEYS["a"].secret_key not in repr(KEYS["a"])
    assert KEYS["a"].api_key not in str(KEYS)


def test_keys_are_read_from_a_file_that_only_its_owner_can_read(tmp_path):
    file = tmp_path / "secrets.yaml"
    file.write_text(secrets_text(KEYS))
    file.chmod(0o600)
    assert read_keys(file, ["a", "b"]) == KEYS
    assert read_keys(file, ["a", "c"]) == {"a": KEYS["a"]}
    file.chmod(0o640)
    with pytest.raises(Misconfigured, match="may be used by others"):
        read_keys(file, ["a"])
    assert read_keys(file, ["a"], handed_over=True) == {"a": KEYS["a"]}  # a systemd credential


def test_a_pipe_for_a_file_of_keys_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "secrets.yaml", 0o600)
    with pytest.raises(Misconfigured, match="no regular file"):
        read_keys(tmp_path / "secrets.yaml", ["a"])


def test_two_applications_cannot_share_an_api_key(tmp_path):
    file = tmp_path / "secrets.yaml"
    file.write_text(secrets_text({"a": KEYS["a"], "b": Keys(KEYS["a"].api_key, KEYS["b"].secret_key)}))
    file.chmod(0o600)
    with pytest.raises(Misconfigured, match="same api_key"):
        read_keys(file, ["a", "b"])


def admitted(limits, call=Call.SEARCH, times=1):
    return [_code(limits, call) for _ in range(times)]


def _code(limits, call):
    try:
        limits.admit(call)
    except ApiError as error:
        return error.code
    return 0


def test_a_second_lets_its_rate_through_and_refuses_the_rest():
    clock = ManualClock()
    limits = Limits(AppConfig(id="a", qps=3), clock, {})
    assert admitted(limits, times=5) == [0, 0, 0, 18, 18]
    clock.advance(0.9)
    assert admitted(limits) == [18]
    clock.advance(0.1)
    assert admitted(limits, times=4) == [0, 0, 0, 18]
    clock.advance(60)
    assert admitted(limits, times=5) == [0, 0, 0, 18, 18]


def test_each_call_has_a_rate_of_its_own_and_management_another():
    limits = Limits(AppConfig(id="a", qps=1, management_qps=2), ManualClock(), {})
    assert admitted(limits, Call.SEARCH, 2) == [0, 18]
    assert admitted(limits, Call.DETECT, 2) == [0, 18]
    assert admitted(limits, Call.GROUP_ADD, 3) == [0, 0, 18]


def test_without_a_rate_nothing_is_refused():
    assert set(admitted(Limits(AppConfig(id="a"), ManualClock(), {}), times=500)) == {0}


@given(st.lists(st.floats(0, 2), max_size=60), st.floats(0.5, 20))
def test_no_second_holds_more_than_the_rate_whenever_it_begins(pauses, rate):
    clock = ManualClock()
    limits = Limits(AppConfig(id="a", qps=rate), clock, {})
    passed_s = []
    for pause in pauses:
        clock.advance(pause)
        passed_s += [clock.monotonic()] * (admitted(limits) == [0])
    for at_s in passed_s:
        assert sum(at_s - 1 < other <= at_s for other in passed_s) <= math.ceil(rate)
    assert len(passed_s) <= math.ceil(rate) + sum(pauses) * rate + 1e-6


def test_the_day_is_used_up_by_paid_calls_and_begins_anew_at_midnight_in_the_cloud():
    clock = ManualClock()  # 08:00 UTC, 16:00 at the cloud
    limits = Limits(AppConfig(id="a", daily_calls=2), clock, {})
    assert admitted(limits, times=3) == [0, 0, 17]
    assert admitted(limits, Call.GROUP_ADD, 3) == [0, 0, 0]
    clock.advance(8 * 3600 - 1)
    assert admitted(limits) == [17]
    clock.advance(1)
    assert admitted(limits, times=3) == [0, 0, 17]


def test_the_count_of_the_day_survives_a_restart():
    clock = ManualClock()
    first = Limits(AppConfig(id="a", daily_calls=2), clock, {})
    used = first.admit(Call.SEARCH)
    second = Limits(AppConfig(id="a", daily_calls=2), clock, {Call.SEARCH.title: used})
    assert admitted(second, times=2) == [0, 17]
    assert cloud_day(clock) == "2026-01-01"
