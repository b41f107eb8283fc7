"""The envelope around every answer: recognises its form and checks it. `reading.py` reads the payload.

Three forms are documented (docs/reference/face-api.md 1): the full one, the short one of the gateway, and
the one of management calls without `result`. Anything else is `cloud_bad_answer` or, by its HTTP
status, `cloud_http_…`. Only a number 0 in the place of the error code counts as success.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn

from edged.errors import EdgedError, NeedsOperator, RetryLater
from edged.faceapi.calls import Call
from edged.faceapi.faults import error_for
from edged.faceapi.reading import Answer, bad_answer
from edged.secret_files import Secret

_CODE_NAMES = ("error_code", "err_no")
_MESSAGE_NAMES = ("error_msg", "err_msg", "error_message")
_ID_NAMES = ("log_id", "logid", "serverlogid")
_TEMPORARY = frozenset({408, 425, 429})


def open_envelope(status: int, content: bytes, call: Call, *hidden: Secret) -> Answer:
    """The payload of a successful answer.

    Args:
        status: HTTP status.
        content: the body as received.
        call: the call answered; the same code means different things for different calls.
        hidden: secrets to mask in error texts, in case the server repeats them.

    Raises:
        CloudFault: the answer names an error code.
        RetryLater: `cloud_bad_answer`, `cloud_http_STATUS`.
        NeedsOperator: `cloud_http_4xx`.
    """
    try:
        whole = read_object(content)
        code = _code(whole)
    except RetryLater:
        if status != 200:
            raise http_error(status) from None
        raise
    log_id = _first_text(whole, _ID_NAMES)
    if code != 0:
        said = _first_text(whole, _MESSAGE_NAMES)
        for secret in hidden:
            said = secret.hide_in(said)
        raise error_for(code, said, call=call, log_id=log_id)
    if status != 200:
        raise http_error(status)
    return Answer(_result(whole), whole, log_id)


def read_object(content: bytes) -> Mapping[str, Any]:
    """The JSON object in `content`.

    Raises:
        RetryLater: `cloud_bad_answer`.
    """
    if content.lstrip()[:1] == b"<":
        raise bad_answer("a web page (HTML) instead of JSON")
    try:
        value = json.loads(content.decode("utf-8-sig"), parse_constant=_no_constant)
    except (ValueError, RecursionError):  # not UTF-8, not JSON, an endless number, too deep
        raise bad_answer("it is no complete JSON" if content else "it is empty") from None
    if not isinstance(value, Mapping):
        raise bad_answer("its JSON is no object")
    return value


def http_error(status: int) -> EdgedError:
    """The error for an HTTP status other than success; its class says whether to try again."""
    code = f"cloud_http_{status}"
    if 300 <= status < 400:
        return RetryLater(
            f"The face cloud's address redirects (HTTP {status}), which edged never follows.",
            code=code,
            hint="Sign-in pages of networks do that; or recognition.cloud.url is not the final address.",
        )
    if 400 <= status < 500 and status not in _TEMPORARY:
        return NeedsOperator(
            f"The face cloud refuses the request (HTTP {status}).",
            code=code,
            hint="Check recognition.cloud.url and dialect, and any proxy or firewall between.",
        )
    return RetryLater(
        f"The face cloud failed (HTTP {status}).",
        code=code,
        hint="It is tried again; if it goes on, ask whoever runs the service.",
    )


def _code(whole: Mapping[str, Any]) -> int | str:
    """The error code; with two spellings present, the one that is not 0."""
    codes = [_one_code(whole[name]) for name in _CODE_NAMES if name in whole]
    if not codes:
        raise bad_answer("it has no error_code")
    return next((code for code in codes if code != 0), 0)


def _one_code(value: object) -> int | str:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip():
        text = value.strip()
        return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else text
    raise bad_answer("its error_code is neither number nor text")


def _result(whole: Mapping[str, Any]) -> Mapping[str, Any] | None:
    result = whole.get("result")
    if result is None or isinstance(result, Mapping):
        return result
    if result in ([], ""):  # some servers write these for "nothing"
        return None
    raise bad_answer("its result is no object")


def _first_text(whole: Mapping[str, Any], names: tuple[str, ...]) -> str:
    for name in names:
        value = whole.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool):
            return str(value)
    return ""


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
