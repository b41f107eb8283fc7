"""The frame around the answers of the face cloud: what counts as success and what never does."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.errors import EdgedError, NeedsOperator, RetryLater
from edged.faceapi.calls import Call
from edged.faceapi.envelope import open_envelope
from edged.faceapi.faults import CloudDeny, CloudRate, CloudReauth
from edged.faceapi.reading import search
from edged.secret_files import Secret

FULL = (
    '{"error_code":222207,"error_msg":"match user is not found","log_id":304569250154810121,'
    '"timestamp":1545015481,"cached":0,"result":null}'
)
GATEWAY = '{"error_code":18,"error_msg":"Open api qps request limit reached"}'
MANAGEMENT = '{"error_code":223106,"log_id":1382953199,"error_msg":"face is not exist"}'
SUCCESS = (
    '{"error_code":0,"error_msg":"SUCCESS","log_id":240483475,"timestamp":1535533440,"cached":0,"result":{}}'
)


def filled(body, value):
    return body.replace("?", value)


def opened(content, status=200, call=Call.SEARCH, *hidden):
    data = content.encode() if isinstance(content, str) else content
    return open_envelope(status, data, call, *hidden)


def failure(content, status=200, *hidden):
    with pytest.raises(EdgedError) as caught:
        opened(content, status, Call.SEARCH, *hidden)
    return caught.value


def test_the_documented_success_is_opened():
    answer = opened(SUCCESS)
    assert (answer.result, answer.log_id) == ({}, "240483475")


def test_the_full_form_of_an_error_keeps_its_long_log_id():
    error = failure(FULL)
    assert isinstance(error, CloudDeny)
    assert (error.code, error.log_id) == ("cloud_222207", "304569250154810121")


def test_the_short_form_of_the_gateway_is_understood():
    assert isinstance(failure(GATEWAY), CloudRate)


def test_the_form_of_management_calls_is_understood():
    with pytest.raises(EdgedError) as caught:
        opened(MANAGEMENT, call=Call.FACE_DELETE)
    assert (caught.value.code, caught.value.log_id) == ("cloud_223106", "1382953199")


@pytest.mark.parametrize("log_id", ["18446744073709551615", '"9999201750012"', "1e3", "null", "[]"])
def test_a_log_id_never_spoils_an_answer(log_id):
    assert opened(filled('{"error_code":0,"log_id":?,"result":{}}', log_id)).result == {}


def test_a_log_id_above_2_to_the_53_is_not_rounded():
    assert opened('{"error_code":0,"log_id":18446744073709551615}').log_id == "18446744073709551615"


@pytest.mark.parametrize("code", ["110", '"110"'])
def test_a_code_may_be_sent_as_text(code):
    assert isinstance(failure(filled('{"error_code":?,"error_msg":"x"}', code)), CloudReauth)


@pytest.mark.parametrize(
    "body", ['{"err_no":222207,"err_msg":"no"}', '{"err_no":"222207","error_message":"no"}']
)
def test_the_other_spelling_of_the_code_counts_as_well(body):
    assert failure(body).code == "cloud_222207"


def test_of_two_spellings_the_one_that_fails_counts():
    assert failure('{"error_code":0,"err_no":222207,"result":{}}').code == "cloud_222207"


def test_success_may_be_sent_as_text():
    assert opened('{"error_code":"0","result":null}').result is None


@pytest.mark.parametrize(
    "body", ["<html>sign in</html>", "", "{", '{"error_code":0,"result":{"a":1}', "[]", "null", "0"]
)
def test_what_is_not_a_json_object_is_a_bad_answer(body):
    error = failure(body)
    assert (type(error), error.code) == (RetryLater, "cloud_bad_answer")


@pytest.mark.parametrize("code", ["null", "false", "true", "0.0", '""', "[]", "{}"])
def test_only_a_number_or_text_is_an_error_code(code):
    assert failure(filled('{"error_code":?,"result":{}}', code)).code == "cloud_bad_answer"


def test_without_an_error_code_nothing_is_believed():
    assert (
        failure('{"result":{"user_list":[{"group_id":"g","user_id":"u","score":99}]}}').code
        == "cloud_bad_answer"
    )


@pytest.mark.parametrize("body", ['{"error_code":0,"result":{"score":NaN}}', '{"error_code":0,"x":Infinity}'])
def test_what_is_no_json_number_spoils_the_answer(body):
    assert failure(body).code == "cloud_bad_answer"


def test_a_number_of_endless_digits_is_a_bad_answer():
    assert failure('{"error_code":0,"log_id":' + "9" * 5000 + "}").code == "cloud_bad_answer"


def test_endless_nesting_is_a_bad_answer():
    assert failure('{"error_code":0,"result":' + "[" * 200_000).code == "cloud_bad_answer"


def test_bytes_that_are_no_text_are_a_bad_answer():
    assert failure(b'{"error_code":0,"error_msg":"\xff"}').code == "cloud_bad_answer"


def test_a_byte_order_mark_is_skipped():
    assert opened(b"\xef\xbb\xbf" + SUCCESS.encode()).result == {}


@pytest.mark.parametrize(
    ("status", "kind"),
    [(500, RetryLater), (502, RetryLater), (504, RetryLater), (429, RetryLater), (302, RetryLater),
     (403, NeedsOperator), (404, NeedsOperator), (413, NeedsOperator)],
)  # fmt: skip
def test_a_status_without_json_says_by_itself_what_to_do(status, kind):
    error = failure("<html>Bad Gateway</html>", status)
    assert (type(error), error.code) == (kind, f"cloud_http_{status}")


def test_success_with_another_status_than_200_is_no_success():
    assert failure(SUCCESS, 502).code == "cloud_http_502"


def test_an_error_code_counts_whatever_the_status_is():
    assert failure(FULL, 500).code == "cloud_222207"


def test_a_secret_that_the_server_repeats_is_masked():
    error = failure('{"error_code":110,"error_msg":"token 24.abc is bad"}', 200, Secret("24.abc"))
    assert "24.abc" not in str(error)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
KNOWN = (
    "face_token",
    "user_list",
    "face_list",
    "score",
    "group_id",
    "user_id",
    "location",
    "result",
    "error_code",
)
shaped = st.recursive(
    json_values,
    lambda inner: st.dictionaries(st.sampled_from(KNOWN), inner) | st.lists(inner, max_size=3),
    max_leaves=20,
)


@given(st.integers(100, 599), st.binary(max_size=200))
def test_any_bytes_give_an_answer_or_a_stated_error(status, data):
    with contextlib.suppress(EdgedError):  # anything else fails the test
        opened(data, status)


@given(shaped)
def test_any_json_gives_scores_in_range_or_a_stated_error(result):
    body = json.dumps({"error_code": 0, "result": result})
    with contextlib.suppress(EdgedError):
        assert all(0 <= user.score <= 100 for user in search(opened(body)).users)


@given(st.integers(1, 150), st.sampled_from([FULL, GATEWAY, MANAGEMENT, SUCCESS]))
def test_a_broken_off_answer_is_never_success(length, body):
    if length < len(body):
        assert failure(body[:length]).code == "cloud_bad_answer"
