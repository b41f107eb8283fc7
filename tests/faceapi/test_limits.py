"""What may be sent to the face cloud, and what is refused before it costs a call."""

import base64

import pytest
from cloud_bench import picture
from hypothesis import given
from hypothesis import strategies as st

from edged.errors import Misconfigured, TryAnotherShot
from edged.faceapi import bodies, limits


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp"])
def test_the_three_formats_of_the_cloud_pass_as_plain_base64(suffix):
    data = picture(64, 64, suffix)
    assert base64.b64decode(limits.picture(data), validate=True) == data


@pytest.mark.parametrize("data", [b"", b"GIF89a" + bytes(50), picture(64, 64, ".webp"), b"<html>"])
def test_other_formats_are_not_sent(data):
    with pytest.raises(TryAnotherShot) as caught:
        limits.picture(data)
    assert caught.value.code == "cloud_request_picture"


@pytest.mark.parametrize("size", [(1920, 1080), (1080, 1920)])
def test_the_largest_size_passes_upright_or_not(size):
    limits.picture(picture(*size))


@pytest.mark.parametrize("size", [(1921, 100), (100, 1921), (1500, 1081)])
def test_a_picture_with_too_many_pixels_is_not_sent(size):
    with pytest.raises(TryAnotherShot) as caught:
        limits.picture(picture(*size))
    assert caught.value.code == "cloud_request_picture_size"


def test_capture_search_states_no_limit_of_pixels():
    limits.picture(picture(2000, 1200), any_size=True)


def test_two_megabytes_of_base64_are_the_most():
    most = 2 * 1024 * 1024 // 4 * 3
    start = picture(64, 64)
    limits.picture(start + bytes(most - len(start)))
    with pytest.raises(TryAnotherShot) as caught:
        limits.picture(start + bytes(most - len(start) + 1))
    assert caught.value.code == "cloud_request_picture_size"


def test_a_damaged_picture_is_not_sent():
    with pytest.raises(TryAnotherShot) as caught:
        limits.picture(picture()[:8])
    assert caught.value.code == "cloud_request_picture"


@given(st.text(max_size=60))
def test_an_id_passes_exactly_when_the_documents_allow_it(text):
    allowed = 1 <= len(text) <= 48 and all(c.isascii() and (c.isalnum() or c == "_") for c in text)
    reserved = text.lower() in {"all", "self", "me", "this", "next"}
    if allowed and not reserved:
        assert limits.identifier("user_id", text) == text
    else:
        with pytest.raises(Misconfigured) as caught:
            limits.identifier("user_id", text)
        assert caught.value.code == "cloud_request_user_id"


@pytest.mark.parametrize("word", ["all", "SELF", "Me", "this", "next"])
def test_reserved_words_are_no_ids(word):
    with pytest.raises(Misconfigured):
        limits.identifier("group_id", word)


def test_all_groups_are_named_only_where_that_is_documented():
    assert bodies.user("@ALL", "u", all_groups=True)["group_id"] == "@ALL"
    with pytest.raises(Misconfigured):
        bodies.user("@ALL", "u")


def test_ten_groups_are_joined_with_commas():
    assert limits.group_list([f"g{n}" for n in range(10)]) == "g0,g1,g2,g3,g4,g5,g6,g7,g8,g9"


@pytest.mark.parametrize("groups", [[], [f"g{n}" for n in range(11)], ["a", "a"], ["a,b"], "abc"])
def test_other_lists_of_groups_are_refused(groups):
    with pytest.raises(Misconfigured):
        limits.group_list(groups)


def test_a_note_is_measured_in_bytes_not_characters():
    assert limits.user_info("张" * 85, limits.MAX_ADD_INFO_BYTES)
    with pytest.raises(Misconfigured) as caught:
        limits.user_info("张" * 86, limits.MAX_ADD_INFO_BYTES)
    assert caught.value.code == "cloud_request_user_info"
    with pytest.raises(Misconfigured):
        limits.user_info("x" * 49, limits.MAX_UPDATE_INFO_BYTES)


def test_half_a_character_is_no_note():
    with pytest.raises(Misconfigured):
        limits.user_info("\ud800", 256)


@pytest.mark.parametrize("token", ["", "x" * 65, "a b", "zwölf"])
def test_a_face_token_is_at_most_64_printable_bytes(token):
    with pytest.raises(Misconfigured) as caught:
        limits.face_token(token)
    assert caught.value.code == "cloud_request_face_token"


@pytest.mark.parametrize("value", [0, 51, -1, True, 1.0, "1"])
def test_a_count_is_a_whole_number_within_its_range(value):
    with pytest.raises(Misconfigured) as caught:
        limits.number("max_user_num", value, 1, 50)
    assert caught.value.code == "cloud_request_max_user_num"


def test_levels_are_the_four_words_of_the_documents():
    with pytest.raises(Misconfigured):
        bodies.controls("STRICT", "NONE")
    with pytest.raises(Misconfigured):
        bodies.controls("NONE", "normal")


def test_what_private_servers_do_not_know_is_left_out_at_its_default():
    assert "spoofing_control" not in bodies.controls("LOW", "LOW")
    assert bodies.sort(0) == {}
    assert bodies.controls("LOW", "LOW", "NORMAL")["spoofing_control"] == "NORMAL"


def test_face_field_is_a_list_of_names():
    assert limits.fields(["quality", "mask"]) == "quality,mask"
    for wrong in ("quality", ["quality,mask"], [""]):
        with pytest.raises(Misconfigured):
            limits.fields(wrong)


def test_a_page_has_at_most_1000_ids():
    assert bodies.page(0, 1000) == {"start": 0, "length": 1000}
    for start, length in ((-1, 1), (0, 0), (0, 1001)):
        with pytest.raises(Misconfigured):
            bodies.page(start, length)
