"""Every documented code of the face API has one row, one reaction, and words."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from places import PROJECT

from edged.errors import EdgedError, Misconfigured, NeedsOperator, NotFound, RetryLater, TryAnotherShot
from edged.faceapi.calls import Call
from edged.faceapi.codes import ROWS, Reaction, lookup
from edged.faceapi.faults import (
    CloudAbsent,
    CloudExists,
    CloudFault,
    CloudUnknown,
    clean,
    error_for,
    row_for,
    unknown_again,
)
from edged.reasons import describe, known_codes

# Every documented number, grouped by its reaction (docs/reference/face-api.md 7).
# H5 codes (283xxx, 3000xx, 8000xx, 999999) are not for this API.
REFERENCE = {
    Reaction.RETRY: [
        *(1, 2, 13, 222201, 222205, 222206, 222300, 222301, 222303, 222302, 222361),
        *range(222901, 222917),
        *(282000, 216430, 216431, 216432, 216433, 216505, 216506, 216612),
        *(216300, 216400, 216401, 216500, 216613, 216615, 216617),
    ],
    Reaction.REAUTH: [100, 110, 111],
    Reaction.RATE: [4, 18, 222358, 222291],
    Reaction.QUOTA: [17, 19],
    Reaction.FRAME: [
        *(
            222202,
            222203,
            222211,
            222212,
            222214,
            222215,
            222514,
            222213,
            222307,
            222308,
            222309,
            222356,
            222357,
        ),
        *(223050, 223051, 223052, 223113, 223114, 223115, 223116),
        *range(223121, 223128),
        *(216200, 216202, 216402, *range(216602, 216607), 216609, 216610),
        *(223129, 216201, 216500, 216501, 216502, 216507, 216508, 216509, 216510, 216511, 216908, 216909),
    ],
    Reaction.SPOOF: [223120, 223131, 223133, 223135, 216434, 216608],
    Reaction.DENY: [222207, *range(222350, 222356), 222360, 216600, 216601, 216607, 216618],
    Reaction.CONFIG: [
        *(3, 6, 14, 15, 222204, 222210, 223100, 223104, 223107, 223111, 223202, 222290, 222292, 222293),
        *(222005, 222006, 222018, 223118, 223119, 223130, 223201, 216015, 216102, 216110),
    ],
    Reaction.BUG: [
        *(222001, 222002, 222003, 222004, *range(222007, 222018)),
        *(*range(222019, 222031), 222038, 222039, 222041, 222042, 222043, 222046, 222101, 222102, 222152),
        *(223112, 222200, 222208, 222304, 222305, 223110, 223117, 216100, 282003, 282105, 216512, 216513),
        *(216101, 216103, 216111, 216614, 216631),
    ],
    Reaction.IDEM: [222209, 223101, 223102, 223103, 223105, 223106, 223140, 216611, 216616, 216619],
    Reaction.WAIT: [223128, 223136],
}

CLASSES = {
    Reaction.RETRY: RetryLater,
    Reaction.REAUTH: NeedsOperator,
    Reaction.RATE: RetryLater,
    Reaction.QUOTA: NeedsOperator,
    Reaction.FRAME: TryAnotherShot,
    Reaction.SPOOF: TryAnotherShot,
    Reaction.DENY: NotFound,
    Reaction.CONFIG: Misconfigured,
    Reaction.BUG: NeedsOperator,
    Reaction.IDEM: (NotFound, NeedsOperator),
    Reaction.WAIT: RetryLater,
}


def _call_of(row):
    """A call whose answers the row is about."""
    return next((c for c in Call if row.scope in (c.title, c.value.family)), Call.SEARCH)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.code}{row.scope and '-' + row.scope}")
def test_a_row_becomes_the_error_of_its_reaction(row):
    assert lookup(row.code, row.scope) is row
    call = _call_of(row)
    if row_for(row.code, call) is not row:
        assert row.scope == "video", "only the calls that edged does not make may be out of reach"
        return

    error = error_for(row.code, row.message, call=call, log_id="304569250154810121")

    assert isinstance(error, CLASSES[row.reaction])
    assert isinstance(error, CloudFault)
    assert error.code == f"cloud_{row.code}".lower()
    assert (error.api_code, error.reaction, error.hint) == (row.code, row.reaction, row.hint)
    assert row.meaning in error.message
    assert "304569250154810121" in error.message


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.code}{row.scope and '-' + row.scope}")
def test_a_row_says_what_happened_and_what_to_do(row):
    assert re.match(r"[a-z]", row.meaning)
    assert not row.meaning.endswith(".")
    assert re.match(r"[A-Z].*\.$", row.hint)


@pytest.mark.parametrize(
    ("number", "reaction"), [(number, reaction) for reaction, found in REFERENCE.items() for number in found]
)
def test_every_number_of_the_reference_has_its_reaction(number, reaction):
    assert reaction in {row.reaction for row in ROWS if row.code == number}


@pytest.mark.parametrize("text", ["SDK100", "SDK101", "SDK102", "SDK108", "SDK109"])
def test_the_codes_of_client_kits_are_known_too(text):
    assert row_for(text, Call.SEARCH).reaction is (Reaction.RETRY if text == "SDK108" else Reaction.FRAME)


def test_no_number_stands_twice_for_the_same_calls():
    keys = [(row.scope, row.code) for row in ROWS]
    assert len(keys) == len(set(keys))


def test_a_missing_group_is_success_only_when_it_was_to_be_deleted():
    assert isinstance(error_for(223100, "", call=Call.GROUP_DELETE), CloudAbsent)
    assert isinstance(error_for(223100, "", call=Call.SEARCH), Misconfigured)


def test_an_unusable_image_is_the_photograph_in_the_library_and_a_fault_of_edged_at_the_door():
    assert isinstance(error_for(222013, "", call=Call.USER_ADD), TryAnotherShot)
    assert isinstance(error_for(222013, "", call=Call.SEARCH), NeedsOperator)


def test_what_is_there_already_is_told_from_what_is_not_there():
    assert isinstance(error_for(223101, "", call=Call.GROUP_ADD), CloudExists)
    assert isinstance(error_for(223103, "", call=Call.USER_DELETE), CloudAbsent)


def test_a_number_in_text_is_the_number():
    error = error_for("18", "Open api qps request limit reached", call=Call.SEARCH)
    assert (error.api_code, error.code, error.reaction) == (18, "cloud_18", Reaction.RATE)


def test_an_unknown_code_may_be_repeated_once_and_is_then_for_the_operator():
    first = error_for(424242, "something new", call=Call.SEARCH)
    assert isinstance(first, CloudUnknown)
    assert isinstance(first, RetryLater)
    again = unknown_again(first)
    assert isinstance(again, NeedsOperator)
    assert not isinstance(again, RetryLater)
    assert again.code == first.code == "cloud_424242"


def test_text_of_the_service_cannot_break_a_log_line():
    error = error_for(
        1, "bad\x1b[31m\r\nforged line\u202e" + "x" * 5000, call=Call.SEARCH, log_id="1\n2" * 100
    )
    assert error.message.isprintable()
    assert len(error.message) < 320


@given(st.text(), st.text(), st.one_of(st.integers(), st.text()), st.sampled_from(list(Call)))
def test_whatever_the_service_says_becomes_a_plain_error(message, log_id, code, call):
    error = error_for(code, message, call=call, log_id=log_id)
    assert isinstance(error, EdgedError)
    assert str(error).isprintable()
    assert re.fullmatch(r"cloud_[a-z0-9]{1,40}", error.code)
    assert len(clean(message)) <= 120


@pytest.mark.parametrize("row", [row for row in ROWS if not row.scope], ids=lambda row: str(row.code))
def test_people_are_told_what_a_code_means_in_the_same_words(row):
    reason = describe(f"cloud_{row.code}".lower())
    assert (reason.meaning, reason.advice) == (row.meaning, row.hint)


def test_the_documentation_says_what_happens_for_every_reaction():
    chapter = (PROJECT / "docs" / "cloud.md").read_text(encoding="utf-8")
    assert [reaction.name for reaction in Reaction if f"| {reaction.name} |" not in chapter] == []


def test_an_http_status_has_words_and_is_named():
    reason = describe("cloud_http_502")
    assert "HTTP 502" in reason.meaning
    assert reason.advice


def test_a_number_without_a_row_stands_for_itself_and_is_no_known_code():
    assert describe("cloud_424242").meaning == "cloud 424242"
    assert "cloud_222207" not in known_codes()
