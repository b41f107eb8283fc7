"""Addresses of the calls in both dialects."""

import pytest

from edged.config.recognition_section import CloudConfig
from edged.errors import Misconfigured
from edged.faceapi.calls import Call
from edged.faceapi.endpoint import checked_url, endpoint_from
from edged.secret_files import Secret

ONLINE = endpoint_from(CloudConfig())
PRIVATE = endpoint_from(CloudConfig(url="http://192.168.0.1:8300", dialect="private", appid="site1"))


@pytest.mark.parametrize(
    ("call", "path"),
    [
        (Call.DETECT, "v3/detect"),
        (Call.MULTI_SEARCH, "v3/multi-search"),
        (Call.CAPTURE_SEARCH, "capture/search"),
        (Call.SCENE_USER_ADD, "scene/faceset/user/add"),
        (Call.FACE_GETLIST, "v3/faceset/face/getlist"),
        (Call.FACEVERIFY_V4, "v4/faceverify"),
        (Call.FEATURE, "v1/feature"),
    ],
)
def test_online_addresses(call, path):
    assert ONLINE.url(call) == f"https://aip.baidubce.com/rest/2.0/face/{path}"


# The path map of docs/reference/face-api.md 9.
@pytest.mark.parametrize(
    ("call", "path"),
    [
        (Call.DETECT, "face/detect"),
        (Call.MATCH, "face/match"),
        (Call.SEARCH, "face/identify"),
        (Call.MULTI_SEARCH, "face/midentify"),
        (Call.FACEVERIFY, "face/liveness"),
        (Call.USER_ADD, "face/add"),
        (Call.USER_UPDATE, "face/update"),
        (Call.FACE_GETLIST, "face/list"),
        (Call.FACE_DELETE, "face/delete"),
        (Call.USER_COPY, "user/copy"),
        (Call.USER_GET, "user/get"),
        (Call.GROUP_GETUSERS, "user/list"),
        (Call.USER_DELETE, "user/delete"),
        (Call.GROUP_ADD, "group/add"),
        (Call.GROUP_GETLIST, "group/list"),
        (Call.GROUP_DELETE, "group/delete"),
    ],
)
def test_private_addresses(call, path):
    assert PRIVATE.url(call) == f"http://192.168.0.1:8300/face-api/v3/{path}"


@pytest.mark.parametrize(
    "call", [Call.CAPTURE_SEARCH, Call.SCENE_GROUP_ADD, Call.FEATURE, Call.FACEVERIFY_V4]
)
def test_what_a_private_server_lacks_is_refused_before_sending(call):
    with pytest.raises(Misconfigured) as caught:
        PRIVATE.url(call)
    assert caught.value.code == "cloud_request_call"


def test_the_query_holds_the_token_or_the_appid_never_both():
    assert ONLINE.query(Secret("t")) == {"access_token": "t"}
    assert PRIVATE.query(None) == {"appid": "site1"}


def test_a_slash_at_the_end_does_no_harm():
    assert endpoint_from(CloudConfig(url="https://h/base/")).token_url == "https://h/base/oauth/2.0/token"


@pytest.mark.parametrize(
    "url",
    ["aip.baidubce.com", "ftp://h", "https://", "https://u:p@h", "https://h?a=secret", "https://h/#x", "http://h:x",
     "http://h:99999", "https://h /x", "http://[::1"],
)  # fmt: skip
def test_what_is_no_address_of_a_service_is_refused_without_repeating_it(url):
    with pytest.raises(Misconfigured) as caught:
        checked_url(url, "url")
    assert caught.value.code == "cloud_url"
    assert "secret" not in str(caught.value)
