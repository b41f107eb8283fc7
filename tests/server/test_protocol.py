"""`edged serve` on the wire: token requests, both dialects, envelopes, the code of every bad parameter."""

from base64 import b64encode

import pytest
import requests
from serving import DEADLINE_S, serving

from edged.clock import ManualClock
from edged.demo.photographs import enrolments, scene_photographs
from edged.faceapi.calls import Call
from edged.server.calls import HANDLERS

PHOTO = b64encode(enrolments()["emmanuel_macron"][1].read_bytes()).decode()
OTHER = b64encode(scene_photographs()["Rishi Sunak"].path.read_bytes()).decode()
IMAGE = {"image": PHOTO, "image_type": "BASE64"}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    apps = [{"id": "default", "private": True}, {"id": "closed"}]
    with serving(tmp_path_factory.mktemp("serve"), apps=apps) as running:
        yield running


def post(server, path, **options):
    return requests.post(f"{server.url}{path}", timeout=DEADLINE_S, **options)


def token_fields(server, appid="default"):
    keys = server.keys[appid]
    return {
        "grant_type": "client_credentials",
        "client_id": keys.api_key,
        "client_secret": keys.secret_key,
    }


# -- tokens


@pytest.mark.parametrize("how", ["get", "post query", "post form", "both"])
def test_a_token_is_given_however_it_is_asked_for(server, how):
    fields, address = token_fields(server), f"{server.url}/oauth/2.0/token"
    if how == "get":
        answer = requests.get(address, params=fields, timeout=DEADLINE_S)
    elif how == "post query":
        answer = requests.post(address, params=fields, timeout=DEADLINE_S)
    elif how == "post form":
        answer = requests.post(address, data=fields, timeout=DEADLINE_S)
    else:
        secret = {"client_secret": fields.pop("client_secret")}
        answer = requests.post(address, params=fields, data=secret, timeout=DEADLINE_S)
    assert answer.status_code == 200
    assert answer.json()["expires_in"] == 2_592_000


def test_wrong_keys_are_refused_in_the_words_of_oauth(server):
    wrong = token_fields(server) | {"client_secret": "0" * 32}
    answer = post(server, "/oauth/2.0/token", params=wrong)
    assert answer.status_code == 401
    expected = {"error": "invalid_client", "error_description": "Client authentication failed"}
    assert answer.json() == expected


@pytest.mark.parametrize(("token", "code"), [(None, 110), ("x" * 30, 110), ("a b", 100)])
def test_a_token_that_is_none_gets_two_fields(server, token, code):
    params = {} if token is None else {"access_token": token}
    answer = post(server, "/rest/2.0/face/v3/detect", params=params, json=IMAGE)
    assert answer.status_code == 200
    assert set(answer.json()) == {"error_code", "error_msg"}
    assert answer.json()["error_code"] == code


def test_a_token_that_has_ended_is_told_apart(tmp_path):
    clock = ManualClock()
    with serving(tmp_path, clock=clock, token_days=1) as server:
        server.token()
        clock.advance(86_400)
        assert server.call("v3/faceset/group/getlist", {}) == {
            "error_code": 111,
            "error_msg": "Access token expired",
        }


# -- paths and envelopes


@pytest.mark.parametrize(
    "path", ["/", "/rest/2.0/face/v3/person/verify", "/rest/2.0/face/v3/search/", "/face-api/x"]
)
def test_an_unknown_path_gets_code_3(server, path):
    assert post(server, path, json={}).json() == {"error_code": 3, "error_msg": "Unsupported openapi method"}


def test_a_business_call_is_a_post(server):
    address = f"{server.url}/rest/2.0/face/v3/search"
    params = {"access_token": server.token()}
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        answer = requests.request(method, address, params=params, timeout=DEADLINE_S)
        assert answer.json()["error_code"] == 3


def test_the_features_call_is_refused(server):
    assert server.call("v1/feature", IMAGE)["error_code"] == 6
    assert set(Call) - set(HANDLERS) == {Call.FEATURE}


def test_answers_say_they_are_json(server):
    answer = post(server, "/rest/2.0/face/v3/search", json={})
    assert answer.headers["content-type"] == "application/json;charset=utf-8"
    assert "server" not in answer.headers


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (None, 0),  # the vendor's client says nothing
        ("Application/JSON; charset=UTF-8", 0),
        ("text/plain", 222200),
        ("application/x-www-form-urlencoded", 222200),
    ],
)
def test_a_body_that_is_said_to_be_something_else_than_json_is_told_so(server, kind, code):
    answer = post(
        server,
        "/rest/2.0/face/v3/faceset/group/getlist",
        params={"access_token": server.token(), "aipSdk": "python"},
        data=b'{"unknown": 1}',
        headers={"content-type": kind},
    )
    assert answer.json()["error_code"] == code


# -- the private dialect


def test_a_library_lives_through_the_private_calls(server):
    def ok(path, body):
        answer = server.private(path, body)
        assert answer["error_code"] == 0, answer
        return answer["result"]

    person = {"group_id": "p", "user_id": "em"}
    added = ok("face/add", IMAGE | person | {"user_info": "x"})
    assert ok("face/identify", IMAGE | {"group_id_list": "p"})["user_list"][0]["user_id"] == "em"
    multi = ok("face/midentify", IMAGE | {"group_id_list": "p"})
    assert multi["face_list"][0]["user_list"][0]["score"] == 100
    assert ok("face/detect", IMAGE)["face_num"] == 1
    assert ok("face/match", [IMAGE, IMAGE])["score"] == 100
    assert 0 <= ok("face/liveness", [IMAGE])["face_liveness"] <= 1
    assert ok("user/get", person)["user_list"] == [{"user_info": "x", "group_id": "p"}]
    assert ok("user/list", {"group_id": "p"})["user_id_list"] == ["em"]
    assert ok("face/list", person)["face_list"][0]["face_token"] == added["face_token"]
    assert ok("group/add", {"group_id": "q"}) is None
    assert ok("user/copy", {"user_id": "em", "src_group_id": "p", "dst_group_id": "q"}) is None
    assert ok("group/list", {})["group_id_list"] == ["p", "q"]
    ok("face/update", {"image": OTHER, "image_type": "BASE64"} | person)
    ok("face/delete", {"user_id": "em", "group_id": "q", "face_token": added["face_token"]})
    ok("user/delete", person)
    ok("group/delete", {"group_id": "p"})
    ok("group/delete", {"group_id": "q"})


@pytest.mark.parametrize(("appid", "code"), [("closed", 15), ("nobody", 15), ("", 222001), (None, 222001)])
def test_an_application_that_is_not_private_is_not_found_without_keys(server, appid, code):
    params = {} if appid is None else {"appid": appid}
    answer = post(server, "/face-api/v3/group/list", params=params, json={})
    assert answer.json()["error_code"] == code


def test_both_dialects_see_the_same_library(server):
    assert server.private("group/add", {"group_id": "both"})["error_code"] == 0
    assert server.call("v3/faceset/group/add", {"group_id": "both"})["error_code"] == 223101


# -- parameters


SEARCH = IMAGE | {"group_id_list": "known"}
ADD = IMAGE | {"group_id": "known", "user_id": "u"}
PAGE = {"group_id": "known"}
COPY = {"user_id": "u", "src_group_id": "known", "dst_group_id": "other"}
SCENE = ADD | {"scene_type": "SEC", "group_id": "scene"}


@pytest.mark.parametrize(
    ("path", "body", "change", "code"),
    [
        ("v3/detect", IMAGE, {"face_field": 1}, 222017),
        ("v3/detect", IMAGE, {"max_face_num": 21}, 222016),
        ("v3/detect", IMAGE, {"max_face_num": 6, "display_corp_image": 1}, 222016),
        ("v3/detect", IMAGE, {"face_type": "DOG"}, 222024),
        ("v3/detect", IMAGE, {"liveness_control": "MAX"}, 223119),
        ("v3/detect", IMAGE, {"face_sort_type": 2}, 222039),
        ("v3/detect", IMAGE, {"display_corp_image": "yes"}, 222043),
        ("v3/detect", IMAGE, {"image_type": None}, 222001),
        ("v3/search", SEARCH, {"image": None}, 222001),
        ("v3/search", SEARCH, {"group_id_list": None}, 222001),
        ("v3/search", SEARCH, {"group_id_list": "a b"}, 222005),
        ("v3/search", SEARCH, {"group_id_list": ",".join("abcdefghijk")}, 223104),
        ("v3/search", SEARCH, {"group_id_list": "unknown"}, 223100),
        ("v3/search", SEARCH, {"group_id_list": "known,unknown"}, 223100),
        ("v3/search", SEARCH, {"max_user_num": 51}, 222021),
        ("v3/search", SEARCH, {"match_threshold": 101}, 222030),
        ("v3/search", SEARCH, {"quality_control": "BEST"}, 223118),
        ("v3/search", SEARCH, {"spoofing_control": "NORMAL"}, 223130),
        ("v3/search", SEARCH, {"user_id": "a b"}, 222018),
        ("v3/multi-search", SEARCH, {"max_face_num": 11}, 222016),
        ("v3/multi-search", SEARCH, {"max_user_num": 21}, 222021),
        ("capture/search", SEARCH, {"group_id_list": "known"}, 223202),
        ("v3/faceset/user/add", ADD, {"group_id": None}, 222001),
        ("v3/faceset/user/add", ADD, {"user_id": "a-b"}, 222018),
        ("v3/faceset/user/add", ADD, {"user_info": "x" * 257}, 222010),
        ("v3/faceset/user/add", ADD, {"action_type": "UPDATE"}, 216100),
        ("v3/faceset/user/update", ADD, {"action_type": "APPEND"}, 216100),
        ("v3/faceset/user/update", ADD, {"user_id": "unknown"}, 223103),
        ("v3/faceset/face/delete", ADD, {"face_token": None}, 222001),
        ("v3/faceset/face/delete", ADD, {"face_token": "x" * 65}, 222025),
        ("v3/faceset/user/get", ADD, {"group_id": "unknown"}, 223100),
        ("v3/faceset/face/getlist", ADD, {"user_id": "unknown"}, 223103),
        ("v3/faceset/group/getusers", PAGE, {"start": -1}, 222002),
        ("v3/faceset/group/getusers", PAGE, {"length": 1001}, 222003),
        ("v3/faceset/user/copy", COPY, {"dst_group_id": "a b"}, 222006),
        ("v3/faceset/user/copy", COPY, {"dst_group_id": "unknown"}, 223111),
        ("v3/faceset/user/delete", ADD, {"user_id": None}, 222001),
        ("v3/faceset/group/add", PAGE, {"group_id": "@ALL"}, 222006),
        ("v3/faceset/group/delete", PAGE, {"group_id": "unknown"}, 223100),
        ("scene/faceset/user/add", SCENE, {"scene_type": None}, 222001),
        ("scene/faceset/user/add", SCENE, {"scene_type": "DAY"}, 223201),
        ("scene/faceset/user/add", SCENE, {"image_type": "FACE_TOKEN", "image": "a"}, 222015),
        ("scene/faceset/group/add", PAGE, {"group_id": "new"}, 222001),
        ("v4/faceverify", {"image_list": [PHOTO]}, {}, 282003),
        ("v4/faceverify", {"sdk_version": "1"}, {}, 282003),
        ("v4/faceverify", {"sdk_version": "1", "image_list": [PHOTO] * 2}, {}, 216100),
        ("v4/faceverify", {"sdk_version": "1", "image_list": [PHOTO], "option": "FINANCE"}, {}, 6),
        ("v4/faceverify", {"sdk_version": "9", "image_list": [PHOTO]}, {}, 216100),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_bad_parameter_has_its_code(server, path, body, change, code):
    server.call("v3/faceset/group/add", {"group_id": "known"})
    assert server.call(path, body | change)["error_code"] == code


@pytest.mark.parametrize(
    ("change", "code"),
    [({"face_type": "HYBRID"}, 0), ({"face_type": "X"}, 222024), ({"liveness_control": "x"}, 223119),
     ({"face_type": "HYBRID", "image_type": "FACE_TOKEN", "image": "a"}, 222024)],
)  # fmt: skip
def test_each_side_of_a_comparison_is_checked(server, change, code):
    assert server.call("v3/match", [IMAGE, IMAGE | change])["error_code"] == code


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_comparison_is_of_two(server, count):
    assert server.call("v3/match", [IMAGE] * count)["error_code"] == 222208


def test_calls_that_want_a_list_refuse_an_object_and_the_other_way_round(server):
    assert server.call("v3/match", IMAGE)["error_code"] == 222200
    assert server.call("v3/detect", [IMAGE])["error_code"] == 222200


# -- tokens of faces


def test_a_face_token_is_the_same_for_the_same_picture_and_ends_after_an_hour(tmp_path):
    clock = ManualClock()
    apps = [{"id": "default", "private": True}, {"id": "else", "private": True}]
    with serving(tmp_path, clock=clock, apps=apps) as server:

        def token(appid="default"):
            return server.private("face/detect", IMAGE, appid)["result"]["face_list"][0]["face_token"]

        def match(one):
            known = {"image": one, "image_type": "FACE_TOKEN"}
            return server.private("face/match", [known, IMAGE])["error_code"]

        first = token()
        assert token() == first != token("else")
        clock.advance(3600)
        assert match(first) == 0  # comparing looked at the picture again: another hour begins
        clock.advance(3601)
        assert match(first) == 222209
        server.private("face/add", IMAGE | {"group_id": "g", "user_id": "u"})
        clock.advance(100_000)
        assert match(first) == 0  # registered: for ever


def test_a_registered_token_without_its_picture_cannot_be_controlled(tmp_path):
    clock = ManualClock()
    with serving(tmp_path, clock=clock) as server:
        added = server.private("face/add", IMAGE | {"group_id": "g", "user_id": "u"})["result"]
        search = {"image": added["face_token"], "image_type": "FACE_TOKEN", "group_id_list": "g"}
        with_quality, with_liveness = (
            search | {"quality_control": "LOW"},
            search | {"liveness_control": "LOW"},
        )
        assert server.private("face/identify", with_quality)["error_code"] == 0
        assert server.private("face/identify", with_liveness)["error_code"] == 222305
        assert server.private("face/midentify", search)["error_code"] == 0
        assert server.private("face/midentify", with_liveness)["error_code"] == 222305
        clock.advance(3601)
        assert server.private("face/identify", with_quality)["error_code"] == 222305
        assert server.private("face/midentify", search)["error_code"] == 222305
        assert server.private("face/identify", search)["error_code"] == 0


def test_tokens_of_several_faces_are_searchable_only_with_their_features(tmp_path):
    with serving(tmp_path) as server:
        server.private("group/add", {"group_id": "several"})

        def search_with(fields):
            body = {"image": OTHER, "image_type": "BASE64", "max_face_num": 5, "face_field": fields}
            seen = server.private("face/detect", body)["result"]["face_list"][0]
            known = {"image": seen["face_token"], "image_type": "FACE_TOKEN", "group_id_list": "several"}
            return server.private("face/identify", known)["error_code"]

        assert search_with("quality") == 222305
        assert search_with("feature") == 222207


def test_a_crop_is_a_picture_of_the_face(server):
    body = IMAGE | {"display_corp_image": 1}
    (face,) = server.private("face/detect", body)["result"]["face_list"]
    crop = {"image": face["corp_image_base64"], "image_type": "BASE64"}
    assert server.private("face/match", [crop, IMAGE])["result"]["score"] > 90
