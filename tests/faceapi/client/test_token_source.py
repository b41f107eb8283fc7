"""Where the token of the face cloud comes from, what a failed request for it means, where it is kept."""

import json
import os
import stat

import pytest
from cloud_bench import KEYS, cloud_at
from cloud_calls import FOUND, JPEG, refused, tokens_used
from cloud_stub import LIFE_S, TOKEN_PATH, answer, refusal, token

from edged.errors import Misconfigured, NeedsOperator, RetryLater
from edged.faceapi.client.token import HOLD_WRONG_S
from edged.faceapi.client.token_file import NAME

DAY_S = 86_400


def oauth(error, description="", status=401):
    return answer(status, json.dumps({"error": error, "error_description": description}))


# The symptoms of docs/reference/face-api.md 2.2.
@pytest.mark.parametrize(
    ("reply", "kind", "code"),
    [
        (oauth("invalid_client", "unknown client id"), Misconfigured, "cloud_api_key"),
        (oauth("invalid_client", "Client authentication failed"), Misconfigured, "cloud_secret_key"),
        (oauth("invalid_request", "client_id missing", 400), Misconfigured, "cloud_api_key"),
        (oauth("unsupported_grant_type", "", 400), NeedsOperator, "cloud_token_refused"),
        (oauth("invalid_client", "unknown client id", 200), Misconfigured, "cloud_api_key"),
        (answer(404, "not found"), NeedsOperator, "cloud_token_url"),
        (answer(200, "<html>hello</html>"), NeedsOperator, "cloud_token_url"),
        (answer(302, "", "Location: /login"), NeedsOperator, "cloud_token_url"),
        (answer(502, "<html>bad gateway</html>"), RetryLater, "cloud_http_502"),
        (answer(200, "{}"), RetryLater, "cloud_bad_answer"),
        (answer(200, '{"access_token":"'), RetryLater, "cloud_bad_answer"),
        (token("two words"), RetryLater, "cloud_bad_answer"),
        (token("t", "soon"), RetryLater, "cloud_bad_answer"),
        (token("t", 0), RetryLater, "cloud_bad_answer"),
        (token("t", 10**400), RetryLater, "cloud_bad_answer"),
    ],
)
def test_what_a_failed_token_request_means(stub, clock, reply, kind, code):
    stub.replies(reply, path=TOKEN_PATH)
    error = refused(cloud_at(stub, clock=clock))
    assert (type(error), error.code) == (kind, code)
    assert error.hint
    assert stub.calls == []


def test_a_wrong_key_is_not_tried_again_for_minutes(stub, clock):
    stub.replies(oauth("invalid_client", "unknown client id"), path=TOKEN_PATH)
    cloud = cloud_at(stub, clock=clock)
    for _ in range(4):
        assert refused(cloud).code == "cloud_api_key"
    assert len(stub.token_requests) == 1
    clock.advance(HOLD_WRONG_S)
    refused(cloud)
    assert len(stub.token_requests) == 2


def test_a_token_address_that_is_away_is_asked_less_and_less_often(stub, clock):
    stub.replies(answer(503, ""), path=TOKEN_PATH)
    cloud = cloud_at(stub, clock=clock)
    asked = []
    for _ in range(8):
        refused(cloud)
        asked.append(len(stub.token_requests))
        clock.advance(1)
    assert asked == [1, 2, 2, 3, 3, 3, 3, 4]


def test_a_life_sent_as_text_is_understood(stub, clock):
    stub.replies(token("one", "60"), token("two"), path=TOKEN_PATH)
    cloud = cloud_at(stub, clock=clock)
    cloud.search(JPEG, ["g"])
    clock.advance(60)
    cloud.search(JPEG, ["g"])
    assert tokens_used(stub) == ["one", "two"]


def test_a_token_that_is_handed_in_needs_no_keys(stub, clock):
    cloud = cloud_at(stub, clock=clock, auth="token", environ={"EDGED_CLOUD_TOKEN": "given"})
    cloud.search(JPEG, ["g"])
    assert tokens_used(stub) == ["given"]
    assert stub.token_requests == []


def test_a_token_in_a_file_may_be_exchanged_while_running(stub, clock, tmp_path):
    file = tmp_path / "secrets.yaml"
    file.write_text("token: one")
    file.chmod(0o600)
    stub.replies(FOUND, refusal(111), FOUND)
    cloud = cloud_at(stub, clock=clock, auth="token", secrets_file=file, environ={})
    cloud.search(JPEG, ["g"])
    file.write_text("token: two")
    cloud.search(JPEG, ["g"])
    assert tokens_used(stub) == ["one", "one", "two"]


def test_a_token_may_come_from_the_operators_own_server(stub, clock):
    stub.replies(token("theirs"), path="/give")
    cloud = cloud_at(stub, clock=clock, auth="token_url", token_url=stub.url + "/give?box=7", environ={})
    cloud.search(JPEG, ["g"])
    assert (stub.asked[0].method, stub.asked[0].query) == ("GET", {"box": "7"})
    assert stub.calls[-1].query == {"access_token": "theirs"}


@pytest.mark.parametrize(
    ("auth", "environ"),
    [("key", {}), ("key", {"EDGED_CLOUD_API_KEY": "x"}), ("token", KEYS)],
)
def test_missing_secrets_are_told_before_anything_is_sent(stub, auth, environ):
    with pytest.raises(Misconfigured) as caught:
        cloud_at(stub, auth=auth, environ=environ)
    assert caught.value.code == "cloud_secret"
    assert stub.asked == []


def test_the_token_outlives_a_restart_in_a_private_file(stub, clock, tmp_path):
    for _ in range(2):
        cloud = cloud_at(stub, clock=clock, data_dir=tmp_path)
        cloud.search(JPEG, ["g"])
        cloud.close()
        clock.advance(DAY_S)
    assert len(stub.token_requests) == 1
    assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o600


def test_a_kept_token_counts_only_for_its_keys_and_its_life(stub, clock, tmp_path):
    cloud_at(stub, clock=clock, data_dir=tmp_path).search(JPEG, ["g"])
    cloud_at(stub, clock=clock, data_dir=tmp_path, environ=KEYS | {"EDGED_CLOUD_API_KEY": "x"}).search(
        JPEG, ["g"]
    )
    clock.advance(LIFE_S)
    cloud_at(stub, clock=clock, data_dir=tmp_path, environ=KEYS | {"EDGED_CLOUD_API_KEY": "x"}).search(
        JPEG, ["g"]
    )
    assert len(stub.token_requests) == 3


@pytest.mark.parametrize("content", ["", "{", "[]", '{"token": 1}', "\x00" * 99])
def test_a_damaged_token_file_is_replaced(stub, clock, tmp_path, content):
    (tmp_path / NAME).write_text(content)
    (tmp_path / NAME).chmod(0o600)
    cloud_at(stub, clock=clock, data_dir=tmp_path).search(JPEG, ["g"])
    assert "24.token-1" in (tmp_path / NAME).read_text()


def test_a_token_file_that_others_could_have_written_is_not_believed(stub, clock, tmp_path):
    cloud_at(stub, clock=clock, data_dir=tmp_path).search(JPEG, ["g"])
    (tmp_path / NAME).chmod(0o666)
    cloud_at(stub, clock=clock, data_dir=tmp_path).search(JPEG, ["g"])
    assert len(stub.token_requests) == 2


def test_a_token_that_cannot_be_kept_is_used_all_the_same(stub, clock, tmp_path):
    cloud_at(stub, clock=clock, data_dir=tmp_path / "missing").search(JPEG, ["g"])
    assert os.listdir(tmp_path) == []
