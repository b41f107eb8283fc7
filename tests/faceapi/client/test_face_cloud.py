"""The calls of the face cloud on a real socket: what is sent, what comes back, what is not sent at all."""

import base64
import threading

import pytest
from cloud_bench import cloud_at, picture
from cloud_stub import CloudStub, ok, refusal

from edged.errors import EdgedError, Misconfigured, RetryLater, TryAnotherShot
from edged.faceapi.calls import Call
from edged.faceapi.client.picture_calls import MatchImage
from edged.faceapi.faults import CloudDeny, CloudSpoof

JPEG = picture()
FOUND = {"face_token": "t", "user_list": [{"group_id": "g", "user_id": "u", "user_info": "", "score": 99.1}]}
BOX = {"left": 1, "top": 2, "width": 3, "height": 4, "rotation": 0}


class Recorder:
    """An admission that admits everything and records its calls."""

    def __init__(self):
        self.told = []

    def admit(self, call, deadline_s):
        self.told.append(("admit", call, deadline_s))

    def succeeded(self, call):
        self.told.append(("succeeded", call))

    def failed(self, call, error):
        self.told.append(("failed", call, error.code))
        return error


@pytest.fixture
def stub():
    with CloudStub() as stub:
        yield stub


@pytest.fixture
def cloud(stub):
    cloud = cloud_at(stub)
    yield cloud
    cloud.close()


def sent(stub):
    return stub.calls[-1].json


def test_search_sends_what_the_documents_ask_for(stub, cloud):
    stub.replies(ok(FOUND))
    reply = cloud.search(
        JPEG,
        ["g1", "g2"],
        user_id="u",
        max_user_num=3,
        match_threshold=75,
        quality_control="NORMAL",
        liveness_control="HIGH",
        spoofing_control="LOW",
        face_sort_type=1,
    )
    assert reply.users[0].score == 99.1
    asked = stub.calls[0]
    assert (asked.method, asked.path) == ("POST", "/rest/2.0/face/v3/search")
    assert asked.query == {"access_token": "24.token-1"}
    assert asked.headers["content-type"] == "application/json"
    body = asked.json
    assert base64.b64decode(body.pop("image")) == JPEG
    assert body == {
        "image_type": "BASE64",
        "group_id_list": "g1,g2",
        "user_id": "u",
        "max_user_num": 3,
        "match_threshold": 75,
        "quality_control": "NORMAL",
        "liveness_control": "HIGH",
        "spoofing_control": "LOW",
        "face_sort_type": 1,
    }


def test_capture_search_has_no_threshold_and_no_spoofing_control(stub, cloud):
    stub.replies(ok(FOUND))
    cloud.capture_search(JPEG, ["g"])
    assert stub.calls[0].path == "/rest/2.0/face/capture/search"
    assert not {"match_threshold", "spoofing_control", "scene_type"} & set(sent(stub))


def test_multi_search_always_sends_its_threshold(stub, cloud):
    stub.replies(ok({"face_list": [{"location": BOX, "user_list": []}]}))
    assert cloud.multi_search(JPEG, ["g"]).faces[0].users == ()
    assert (sent(stub)["match_threshold"], sent(stub)["max_face_num"]) == (80, 10)


def test_detect_asks_for_quality_unless_told_otherwise(stub, cloud):
    stub.replies(ok({"face_num": 0, "face_list": None}))
    assert cloud.detect(JPEG).faces == ()
    assert sent(stub)["face_field"] == "quality"


def test_match_sends_an_array_of_two(stub, cloud):
    stub.replies(ok({"score": 44.3, "face_list": []}))
    pair = [MatchImage(JPEG), MatchImage(JPEG, face_type="IDCARD", quality_control="LOW")]
    assert cloud.match(pair).score == 44.3
    assert [one["face_type"] for one in sent(stub)] == ["LIVE", "IDCARD"]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_match_with_another_number_of_pictures_is_not_sent(stub, cloud, count):
    with pytest.raises(Misconfigured) as caught:
        cloud.match([MatchImage(JPEG)] * count)
    assert caught.value.code == "cloud_request_match_images"
    assert stub.asked == []


def test_faceverify_sends_an_array_with_the_turnstile_option(stub, cloud):
    stub.replies(ok({"face_liveness": 0.9, "thresholds": {"frr_1e-3": 0.3}}))
    assert cloud.faceverify([JPEG] * 3).liveness == 0.9
    assert [one["option"] for one in sent(stub)] == ["GATE"] * 3


def test_faceverify_v4_sends_one_object_with_plain_pictures(stub, cloud):
    stub.replies(ok({"face_liveness": 1}, risk_level="4"))
    assert cloud.faceverify_v4([JPEG]).risk_level == "4"
    assert (sent(stub)["sdk_version"], sent(stub)["option"]) == ("1", "GATE")
    assert len(sent(stub)["image_list"]) == 1


@pytest.mark.parametrize("count", [0, 2, 9])
def test_faceverify_takes_1_3_or_8_pictures(stub, cloud, count):
    with pytest.raises(Misconfigured):
        cloud.faceverify([JPEG] * count)
    assert stub.asked == []


def test_feature_names_the_version_of_the_offline_kit(stub, cloud):
    stub.replies(ok({"face_list": [{"location": BOX, "feature": "AA=="}]}))
    assert cloud.feature(JPEG, version="6002").faces[0].feature == "AA=="
    assert sent(stub)["version"] == "6002"


def test_user_add_sends_its_note_as_utf_8(stub, cloud):
    stub.replies(ok({"face_token": "2fa6", "location": BOX}))
    reply = cloud.user_add(JPEG, "g", "u", user_info="张三", action_type="REPLACE", quality_control="NORMAL")
    assert reply.face_token == "2fa6"
    assert stub.calls[0].path == "/rest/2.0/face/v3/faceset/user/add"
    assert (sent(stub)["user_info"], sent(stub)["action_type"]) == ("张三", "REPLACE")
    assert "张三".encode() in stub.calls[0].body


def test_updating_takes_a_shorter_note_than_adding(stub, cloud):
    cloud.user_add(JPEG, "g", "u", user_info="x" * 256)
    with pytest.raises(Misconfigured):
        cloud.user_update(JPEG, "g", "u", user_info="x" * 49)
    assert len(stub.calls) == 1


def test_scene_calls_name_the_scene_and_nothing_the_scene_does_not_know(stub, cloud):
    cloud.scene_group_add("g")
    cloud.scene_user_add(JPEG, "g", "u")
    cloud.scene_user_update(JPEG, "g", "u")
    assert [asked.path for asked in stub.calls] == [
        "/rest/2.0/face/scene/faceset/group/add",
        "/rest/2.0/face/scene/faceset/user/add",
        "/rest/2.0/face/scene/faceset/user/update",
    ]
    assert {asked.json["scene_type"] for asked in stub.calls} == {"SEC"}
    assert all("spoofing_control" not in asked.json for asked in stub.calls)


def test_the_library_calls_send_their_ids(stub, cloud):
    cloud.user_get("u", "@ALL")
    cloud.user_copy("u", "a", "b")
    cloud.user_delete("u", "@ALL")
    cloud.face_delete("u", "g", "t" * 64)
    cloud.face_getlist("u", "g")
    cloud.group_add("g")
    cloud.group_delete("g")
    assert [asked.json for asked in stub.calls] == [
        {"user_id": "u", "group_id": "@ALL"},
        {"user_id": "u", "src_group_id": "a", "dst_group_id": "b"},
        {"user_id": "u", "group_id": "@ALL"},
        {"user_id": "u", "group_id": "g", "face_token": "t" * 64},
        {"user_id": "u", "group_id": "g"},
        {"group_id": "g"},
        {"group_id": "g"},
    ]


def test_lists_are_read_page_by_page_until_one_is_not_full(stub, cloud):
    stub.replies(ok({"user_id_list": ["a", "b"]}), ok({"user_id_list": ["c", "d"]}), ok({"user_id_list": []}))
    assert list(cloud.iter_group_users("g", page=2)) == ["a", "b", "c", "d"]
    assert [asked.json["start"] for asked in stub.calls] == [0, 2, 4]


def test_a_server_that_ignores_the_start_of_a_page_does_not_loop(stub, cloud):
    stub.replies(ok({"group_id_list": ["a", "b"]}))
    assert list(cloud.iter_groups(page=2)) == ["a", "b"]
    assert len(stub.calls) == 2


def test_a_stranger_is_an_answer_with_its_log_id(stub, cloud):
    stub.replies(refusal(222207, "match user is not found"))
    with pytest.raises(CloudDeny) as caught:
        cloud.search(JPEG, ["g"])
    assert (caught.value.code, caught.value.log_id) == ("cloud_222207", "304569250154810121")


def test_a_failed_liveness_control_is_told_apart(stub, cloud):
    stub.replies(refusal(223120))
    with pytest.raises(CloudSpoof):
        cloud.search(JPEG, ["g"])


def test_an_unusable_picture_costs_no_call(stub, cloud):
    with pytest.raises(TryAnotherShot):
        cloud.search(b"GIF89a", ["g"])
    assert stub.asked == []


def test_eight_large_pictures_are_too_many_bytes_for_one_request(stub, cloud):
    large = JPEG + bytes(1_500_000 - len(JPEG))
    with pytest.raises(TryAnotherShot) as caught:
        cloud.faceverify([large] * 8)
    assert caught.value.code == "cloud_request_picture_size"
    assert stub.asked == []


def test_a_private_server_is_asked_by_appid_and_without_a_token(stub):
    cloud = cloud_at(stub, dialect="private", appid="site1", environ={})
    stub.replies(ok(FOUND))
    cloud.search(JPEG, ["g"])
    cloud.close()
    (asked,) = stub.asked
    assert (asked.path, asked.query) == ("/face-api/v3/face/identify", {"appid": "site1"})
    assert "appid" not in asked.json


def test_a_private_server_is_not_asked_for_what_it_lacks(stub):
    cloud = cloud_at(stub, dialect="private", environ={})
    with pytest.raises(Misconfigured):
        cloud.capture_search(JPEG, ["g"])
    assert stub.asked == []


def test_the_connection_is_kept_for_the_next_call(stub, cloud):
    stub.replies(ok(FOUND))
    for _ in range(3):
        cloud.search(JPEG, ["g"])
    assert stub.connections == 1


def test_several_threads_share_the_client(stub, cloud):
    stub.replies(ok(FOUND))
    replies = []
    threads = [threading.Thread(target=lambda: replies.append(cloud.search(JPEG, ["g"]))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [reply.users[0].user_id for reply in replies] == ["u"] * 8
    assert len(stub.token_requests) == 1


def test_the_governor_hears_of_every_request(stub):
    recorder = Recorder()
    cloud = cloud_at(stub, governor=recorder)
    stub.replies(ok(FOUND), refusal(18))
    cloud.search(JPEG, ["g"])
    with pytest.raises(RetryLater):
        cloud.search(JPEG, ["g"], deadline_s=1e12)
    cloud.close()
    assert recorder.told == [
        ("admit", Call.SEARCH, None),
        ("succeeded", Call.SEARCH),
        ("admit", Call.SEARCH, 1e12),
        ("failed", Call.SEARCH, "cloud_18"),
    ]


def test_an_answer_that_cannot_be_read_is_no_success_for_the_governor(stub):
    recorder = Recorder()
    cloud = cloud_at(stub, governor=recorder)
    stub.replies(ok({"user_list": [{"group_id": "g", "user_id": "u", "score": 101}]}))
    with pytest.raises(EdgedError):
        cloud.search(JPEG, ["g"])
    cloud.close()
    assert recorder.told[-1] == ("failed", Call.SEARCH, "cloud_bad_answer")


def test_what_the_governor_refuses_is_not_sent(stub):
    class Closed(Recorder):
        def admit(self, call, deadline_s):
            raise RetryLater("Not now.", code="cloud_circuit_open")

    cloud = cloud_at(stub, governor=Closed())
    with pytest.raises(RetryLater, match="Not now"):
        cloud.search(JPEG, ["g"])
    assert stub.calls == []
