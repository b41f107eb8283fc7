"""The documented control tables, one measure at a time, and the parameters of requests."""

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.events import Measures
from edged.server.bodies import parse_body
from edged.server.controls import liveness_failure, quality_failure
from edged.server.parameters import Parameters
from edged.server.replies import ApiError, failure, success

PARTS = ("left_eye", "right_eye", "nose", "mouth", "left_cheek", "right_cheek", "chin_contour")
PERFECT = Measures(
    face_px=200,
    detection=0.9,
    blur=0.0,
    illumination=150,
    completeness=1.0,
    occlusion=dict.fromkeys(PARTS, 0.0),
)
CODES = {
    "left_eye": 223121,
    "right_eye": 223122,
    "left_cheek": 223123,
    "right_cheek": 223124,
    "chin_contour": 223125,
    "nose": 223126,
    "mouth": 223127,
}
LIMITS = {"LOW": (0.8, 20, 0.8), "NORMAL": (0.6, 40, 0.6), "HIGH": (0.2, 100, 0.2)}


def covered(part, share):
    return replace(PERFECT, occlusion=PERFECT.occlusion | {part: share})


@pytest.mark.parametrize("level", LIMITS)
@pytest.mark.parametrize("part", PARTS)
def test_a_part_covered_by_more_than_the_level_allows_is_named(level, part):
    limit = LIMITS[level][0]
    assert quality_failure(covered(part, limit), level) is None
    assert quality_failure(covered(part, limit + 0.001), level) == CODES[part]


@pytest.mark.parametrize("level", LIMITS)
def test_light_and_blur_have_the_documented_limits(level):
    _, light, blur = LIMITS[level]
    assert quality_failure(replace(PERFECT, illumination=light), level) is None
    assert quality_failure(replace(PERFECT, illumination=light - 0.1), level) == 223115
    assert quality_failure(replace(PERFECT, blur=blur), level) is None
    assert quality_failure(replace(PERFECT, blur=blur + 0.001), level) == 223114


def test_only_high_asks_for_a_complete_face():
    cut = replace(PERFECT, completeness=0.9)
    assert [quality_failure(cut, level) for level in ("LOW", "NORMAL", "HIGH")] == [None, None, 223116]


def test_without_a_mesh_every_level_refuses_and_none_lets_pass():
    turned = replace(PERFECT, occlusion=None)
    assert [quality_failure(turned, level) for level in ("NONE", *LIMITS)] == [None, 223129, 223129, 223129]


@given(st.floats(0, 1), st.floats(0, 255), st.floats(0, 1), st.floats(0, 1))
def test_what_passes_a_level_passes_every_lower_one(blur, light, share, complete):
    measures = replace(covered("nose", share), blur=blur, illumination=light, completeness=complete)
    passed = [quality_failure(measures, level) is None for level in ("NONE", "LOW", "NORMAL", "HIGH")]
    assert passed == sorted(passed, reverse=True)


@pytest.mark.parametrize(("level", "threshold"), [("LOW", 0.05), ("NORMAL", 0.3), ("HIGH", 0.9)])
def test_liveness_must_exceed_the_threshold(level, threshold):
    assert liveness_failure(threshold, level) == 223120
    assert liveness_failure(threshold + 1e-6, level) is None
    assert liveness_failure(0.0, "NONE") is None


# -- parameters


def code(read, *arguments):
    with pytest.raises(ApiError) as caught:
        read(*arguments)
    return caught.value.code


@pytest.mark.parametrize("value", [5, "5", " 5 ", 5.0])
def test_a_number_may_come_as_text(value):
    assert Parameters({"max_user_num": value}).number("max_user_num", 1, 1, 50) == 5


@pytest.mark.parametrize("value", [0, 51, "0", "51", -1, 1.5, True, "", "five", [], {}, 1e99, "١"])
def test_anything_else_is_no_number_of_that_range(value):
    result = code(Parameters({"max_user_num": value}).number, "max_user_num", 1, 1, 50)
    assert result == 222021


def test_null_means_not_given():
    parameters = Parameters({"max_user_num": None, "group_id": None})
    assert parameters.number("max_user_num", 7, 1, 50) == 7
    assert code(parameters.identifier, "group_id") == 222001


@pytest.mark.parametrize("value", ["a", "A_9", "x" * 128])
def test_ids_are_letters_digits_and_underscores(value):
    assert Parameters({"user_id": value}).identifier("user_id") == value


@pytest.mark.parametrize("value", ["a-b", "a b", "ä", "x" * 129, "@ALL", "a\n", 5, [], "a,b"])
def test_any_other_id_is_refused(value):
    assert code(Parameters({"user_id": value}).identifier, "user_id") == 222018
    assert code(Parameters({"group_id": value}).identifier, "group_id") == 222006


def test_all_groups_can_be_named_only_where_that_is_documented():
    assert Parameters({"group_id": "@ALL"}).identifier("group_id", all_groups=True) == "@ALL"


def test_up_to_ten_groups_are_searched():
    ten = ",".join(f"g{n}" for n in range(10))
    assert Parameters({"group_id_list": ten}).group_ids() == ten.split(",")
    assert Parameters({"group_id_list": "a, b,a"}).group_ids() == ["a", "b"]
    assert code(Parameters({"group_id_list": ten + ",g10"}).group_ids) == 223104
    for wrong in ("a,", ",", "a;b", "@ALL", "a,,b"):
        assert code(Parameters({"group_id_list": wrong}).group_ids) == 222005
    for missing in ("", None):
        assert code(Parameters({"group_id_list": missing}).group_ids) == 222001
    assert code(Parameters({"group_id_list": ["a"]}).group_ids) == 222005


def test_user_info_is_256_bytes_of_any_text():
    assert Parameters({"user_info": "好" * 85}).user_info() == "好" * 85
    assert Parameters({"user_info": ""}).user_info() == ""
    assert Parameters({}).user_info() is None
    for wrong in ("好" * 86, "x" * 257, 5, {}):
        assert code(Parameters({"user_info": wrong}).user_info) == 222010


@pytest.mark.parametrize(
    ("name", "expected"),
    [("quality_control", 223118), ("liveness_control", 223119), ("spoofing_control", 223130)],
)
def test_levels_are_four_words(name, expected):
    assert Parameters({}).level(name) == "NONE"
    for wrong in ("low", "MEDIUM", 1, []):
        assert code(Parameters({name: wrong}).level, name) == expected


def test_a_control_that_cannot_be_done_is_not_accepted():
    assert Parameters({"liveness_control": "HIGH"}).level("liveness_control") == "HIGH"
    assert code(Parameters({"spoofing_control": "HIGH"}).level, "spoofing_control") == 223130


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, 222001),
        ({"image": ""}, 222001),
        ({"image": "AAAA"}, 222001),
        ({"image": 5, "image_type": "BASE64"}, 222013),
        ({"image": "AAAA", "image_type": "PNG"}, 222015),
        ({"image": "AAA", "image_type": "BASE64"}, 222013),
        ({"image": "data:image/png;base64,AAAA", "image_type": "BASE64"}, 222013),
        ({"image": "ab cd!", "image_type": "FACE_TOKEN"}, 222025),
        ({"image": "http://x", "image_type": "URL"}, 222204),
    ],
    ids=str,
)
def test_an_image_that_is_none_is_refused_by_its_parameter(body, expected):
    assert code(Parameters(body).image) == expected


def test_base64_may_have_line_breaks():
    assert Parameters({"image": "AA\r\nAA\n", "image_type": "BASE64"}).image().data == b"\0\0\0"


def test_fields_of_a_face_are_known_words():
    assert Parameters({"face_field": "age, quality,"}).face_fields() == {"age", "quality"}
    for wrong in ("shoe_size", 5, ["age"]):
        assert code(Parameters({"face_field": wrong}).face_fields) == 222017


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3),
)
READERS = {
    "start": lambda parameters: parameters.number("start", 0, 0, 100),
    "group_id": lambda parameters: parameters.identifier("group_id"),
    "group_id_list": lambda parameters: parameters.group_ids(),
    "user_info": lambda parameters: parameters.user_info(),
    "face_field": lambda parameters: parameters.face_fields(),
    "face_token": lambda parameters: parameters.face_token(),
    "quality_control": lambda parameters: parameters.level("quality_control"),
    "image": lambda parameters: parameters.image(),
}


@given(st.sampled_from(sorted(READERS)), ANYTHING, ANYTHING)
def test_any_value_is_read_or_answered_with_a_documented_code(name, value, image_type):
    with suppress(ApiError):
        READERS[name](Parameters({name: value, "image_type": image_type}))


# -- bodies and envelopes


@given(st.binary(max_size=200))
def test_any_bytes_are_an_object_or_refused(body):
    with suppress(ApiError):
        assert isinstance(parse_body(body, array=False), dict)


def test_a_list_of_objects_is_wanted_where_the_call_takes_one():
    assert parse_body(b'[{"a": 1}, {}]', array=True) == [{"a": 1}, {}]
    for wrong in (b"{}", b"[1]", b'["a"]', b"5"):
        assert code(lambda body: parse_body(body, array=True), wrong) == 222200


def test_the_gateway_answers_two_fields_and_everything_else_the_whole_envelope():
    assert failure(ApiError(18), 0) == {
        "error_code": 18,
        "error_msg": "Open api qps request limit reached",
    }
    refused = failure(ApiError(222207), 1545015481.9)
    assert refused | {"log_id": 0} == {
        "error_code": 222207,
        "error_msg": "match user is not found",
        "log_id": 0,
        "timestamp": 1545015481,
        "cached": 0,
        "result": None,
    }
    fine = success({"a": 1}, 5.0)
    assert (fine["error_code"], fine["error_msg"], fine["result"]) == (0, "SUCCESS", {"a": 1})
    assert 2**53 < fine["log_id"] < 2**63
