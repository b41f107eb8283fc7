"""No key, no token and no picture of the face cloud client stands in an error, a log line or a repr."""

import base64
import json
import logging
import traceback

import pytest
from cloud_bench import API_KEY, SECRET_KEY, cloud_at, picture
from cloud_stub import TOKEN_PATH, CloudStub, answer, ok, refusal, token

from edged.errors import EdgedError

TOKEN = "24.3b1f-visible-never.2592000"
JPEG = picture()
FOUND = ok({"user_list": []})
PICTURE_TEXT = base64.b64encode(JPEG).decode()[200:260]
HIDDEN = (API_KEY, SECRET_KEY, TOKEN, PICTURE_TEXT)

FAULTS = {
    "silence": lambda sock: None,
    "half": lambda sock: sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"),
    "garbage": lambda sock: sock.sendall(b"nonsense\r\n"),
    "html": answer(200, "<html>"),
    "502": answer(502, "<html>"),
    "redirection": answer(302, "", "Location: /elsewhere"),
    "strange header": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nno colon\r\n\r\n{}",
    "token refused": refusal(110),
    "token repeated": refusal(110, f"bad token {TOKEN}"),
    "token repeated for a picture": refusal(222202, f"no face, token {TOKEN}"),
    "rate": refusal(18),
}


@pytest.fixture
def stub():
    with CloudStub() as stub:
        stub.replies(token(TOKEN), path=TOKEN_PATH)
        stub.replies(FOUND)
        yield stub


def everything_said_by(error):
    """The text of an error with its whole history, hidden parts of it included."""
    said, waiting, seen = [], [error], set()
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        said += ["".join(traceback.format_exception_only(one)), repr(one), str(one.__dict__), str(one.args)]
        waiting += [one.__cause__, one.__context__]
    return "\n".join(said)


def assert_silent(text):
    for hidden in HIDDEN:
        assert hidden not in text


@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_of_a_call_says_a_secret(stub, caplog, fault):
    caplog.set_level(logging.DEBUG)
    cloud = cloud_at(stub)
    cloud.search(JPEG, ["g"])
    stub.replies(FAULTS[fault])
    with pytest.raises(EdgedError) as caught:
        cloud.search(JPEG, ["g"])
    cloud.close()
    assert_silent(everything_said_by(caught.value))
    assert_silent(caplog.text)


@pytest.mark.parametrize("target", ["http://127.0.0.1:1", "http://no-such-host.invalid"])
def test_no_fault_of_the_network_says_a_secret(stub, caplog, target):
    caplog.set_level(logging.DEBUG)
    cloud = cloud_at(
        stub, url=target, auth="token", environ={"EDGED_CLOUD_TOKEN": TOKEN}, connect_timeout_s=1
    )
    with pytest.raises(EdgedError) as caught:
        cloud.search(JPEG, ["g"])
    assert_silent(everything_said_by(caught.value))
    assert_silent(caplog.text)


@pytest.mark.parametrize(
    "reply",
    [
        answer(
            401, json.dumps({"error": "invalid_client", "error_description": f"unknown client {API_KEY}"})
        ),
        answer(401, json.dumps({"error": f"{SECRET_KEY} is wrong"})),
        answer(200, f"<html>{SECRET_KEY}"),
        answer(200, json.dumps({"access_token": f"{TOKEN} {TOKEN}"})),
        lambda sock: None,
    ],
)
def test_no_fault_of_the_token_address_says_a_secret(stub, caplog, reply):
    caplog.set_level(logging.DEBUG)
    stub.replies(reply, path=TOKEN_PATH)
    with pytest.raises(EdgedError) as caught:
        cloud_at(stub).search(JPEG, ["g"])
    assert_silent(everything_said_by(caught.value))
    assert_silent(caplog.text)


def test_the_library_below_still_logs_but_without_address_and_query(stub, caplog):
    caplog.set_level(logging.DEBUG)
    cloud_at(stub).search(JPEG, ["g"])
    lines = [record.getMessage() for record in caplog.records if record.name == "urllib3.connectionpool"]
    assert any("***" in line and '" 200 ' in line for line in lines)
    assert_silent(caplog.text)


def test_a_renewal_that_fails_in_the_background_logs_no_secret(stub, caplog):
    caplog.set_level(logging.DEBUG)
    stub.replies(token(TOKEN, 60), lambda sock: None, path=TOKEN_PATH)
    cloud = cloud_at(stub)
    cloud.warm_up()
    cloud.close()
    assert_silent(caplog.text)


def test_the_query_of_a_token_address_is_not_said(stub, caplog):
    caplog.set_level(logging.DEBUG)
    stub.replies(lambda sock: None, path="/give")
    cloud = cloud_at(stub, auth="token_url", token_url=f"{stub.url}/give?password={TOKEN}", environ={})
    with pytest.raises(EdgedError) as caught:
        cloud.search(JPEG, ["g"])
    assert_silent(everything_said_by(caught.value))
    assert_silent(caplog.text)


def test_the_parts_of_the_client_do_not_show_secrets(stub):
    cloud = cloud_at(stub)
    cloud.search(JPEG, ["g"])
    shown, waiting = [], [cloud]
    while waiting:
        one = waiting.pop()
        if type(one).__module__.startswith("edged.faceapi") and hasattr(one, "__dict__"):
            shown.append(repr(vars(one)))
            waiting += vars(one).values()
    cloud.close()
    assert len(shown) >= 4
    assert_silent("\n".join(shown))
