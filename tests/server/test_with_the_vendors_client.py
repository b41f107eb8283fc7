"""The vendor's own Python client (PyPI `baidu-aip`) manages and searches a library on `edged serve`."""

from base64 import b64encode

import cv2
import numpy as np
import pytest
from aip import AipFace
from aip.base import AipBase
from serving import serving

from edged.demo.photographs import enrolments, photographs, read_photograph, scene_photographs

pytestmark = pytest.mark.slow

CLOUD = "https://aip.baidubce.com"
PATHS = {photo.path.name: photo.path for photo in photographs()}


def base64_of(path):
    return b64encode(path.read_bytes()).decode()


def jpeg(image):
    return b64encode(cv2.imencode(".jpg", image)[1].tobytes()).decode()


def enrol_photo(person_id):
    return base64_of(enrolments()[person_id][1])


def scene_photo(name):
    return base64_of(scene_photographs()[name].path)


def side_by_side(*names):
    """One picture with the faces of several people, from left to right."""
    images = [read_photograph(scene_photographs()[name].path) for name in names]
    height = min(image.shape[0] for image in images)
    return jpeg(np.hstack([cv2.resize(i, (i.shape[1] * height // i.shape[0], height)) for i in images]))


def on_a_phone(image):
    """The picture on a dark device before a grey wall."""
    device = cv2.copyMakeBorder(image, 60, 60, 30, 30, cv2.BORDER_CONSTANT, value=(10, 10, 10))
    return cv2.copyMakeBorder(device, 300, 300, 500, 500, cv2.BORDER_CONSTANT, value=(150, 160, 170))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    apps = [{"id": "site"}, {"id": "other"}, {"id": "slow", "qps": 0.01}, {"id": "poor", "daily_calls": 1}]
    with serving(tmp_path_factory.mktemp("serve"), apps=apps) as running:
        yield running


@pytest.fixture
def client_of(server, monkeypatch):
    """A function that makes the vendor's client for an application, pointed at our server."""
    for kind in (AipFace, AipBase):  # the base class holds the address of the token
        for name, value in list(vars(kind).items()):
            if isinstance(value, str) and value.startswith(CLOUD):
                monkeypatch.setattr(kind, name, value.replace(CLOUD, server.url))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    def client(appid="site"):
        keys = server.keys[appid]
        return AipFace("1", keys.api_key, keys.secret_key)

    return client


@pytest.fixture
def client(client_of):
    return client_of()


def ok(answer):
    assert (answer["error_code"], answer["error_msg"]) == (0, "SUCCESS"), answer
    return answer["result"]


def code(answer):
    return answer["error_code"]


def enrol(client, group, *people, **options):
    for person_id in people or enrolments():
        ok(client.addUser(enrol_photo(person_id), "BASE64", group, person_id, options or None))


def test_people_are_found_on_another_photograph(client):
    enrol(client, "found", user_info="info")
    for name in ("Barack Obama", "Jacinda Ardern", "Emmanuel Macron"):
        answer = ok(client.search(scene_photo(name), "BASE64", "found", {"match_threshold": 80}))
        (user,) = answer["user_list"]
        assert user["user_id"] == name.lower().replace(" ", "_")
        assert (user["group_id"], user["user_info"]) == ("found", "info")
        assert 80 <= user["score"] <= 100
        assert len(answer["face_token"]) == 32


def test_a_stranger_is_not_found(client):
    enrol(client, "strangers")
    answer = client.search(scene_photo("Rishi Sunak"), "BASE64", "strangers", {"match_threshold": 80})
    assert (code(answer), answer["error_msg"], answer["result"]) == (222207, "match user is not found", None)


def test_without_a_threshold_everybody_is_ranked(client):
    enrol(client, "ranked")
    options = {"max_user_num": 50}
    users = ok(client.search(scene_photo("Rishi Sunak"), "BASE64", "ranked", options))["user_list"]
    scores = [user["score"] for user in users]
    assert len(users) == 3
    assert scores == sorted(scores, reverse=True)


def test_a_search_may_be_limited_to_one_user(client):
    enrol(client, "limited")
    picture = scene_photo("Barack Obama")
    one = ok(client.search(picture, "BASE64", "limited", {"user_id": "barack_obama", "match_threshold": 80}))
    assert [user["user_id"] for user in one["user_list"]] == ["barack_obama"]
    other = client.search(picture, "BASE64", "limited", {"user_id": "jacinda_ardern", "match_threshold": 80})
    assert code(other) == 222207


def test_several_people_on_one_picture_are_found_together(client):
    enrol(client, "together")
    picture = side_by_side("Barack Obama", "Rishi Sunak", "Jacinda Ardern")
    answer = ok(client.multiSearch(picture, "BASE64", "together", {"max_face_num": 10}))
    faces = sorted(answer["face_list"], key=lambda face: face["location"]["left"])
    users = [[user["user_id"] for user in face["user_list"]] for face in faces]
    assert answer["face_num"] == 3
    assert users == [["barack_obama"], [], ["jacinda_ardern"]]


def test_a_picture_of_strangers_only_is_refused_like_one_of_a_single_stranger(client):
    enrol(client, "nobody", "jacinda_ardern")
    assert code(client.multiSearch(scene_photo("Rishi Sunak"), "BASE64", "nobody")) == 222207


def test_two_photographs_are_compared(client):
    def pair(first, second):
        return [{"image": image, "image_type": "BASE64"} for image in (first, second)]

    same = ok(client.match(pair(enrol_photo("barack_obama"), scene_photo("Barack Obama"))))
    other = ok(client.match(pair(enrol_photo("barack_obama"), scene_photo("Rishi Sunak"))))
    assert same["score"] >= 80 > other["score"]
    assert len(same["face_list"]) == 2
    assert code(client.match(pair("x", "y")[:1])) == 222208


def test_groups_are_made_listed_by_page_and_deleted(client_of):
    client = client_of("other")
    for name in ("g3", "g1", "g2"):
        assert ok(client.groupAdd(name)) is None
    assert code(client.groupAdd("g1")) == 223101
    assert ok(client.getGroupList())["group_id_list"] == ["g1", "g2", "g3"]
    assert ok(client.getGroupList({"start": 1, "length": 1}))["group_id_list"] == ["g2"]
    assert ok(client.getGroupList({"start": "2", "length": "10"}))["group_id_list"] == ["g3"]
    for name in ("g1", "g2", "g3"):
        assert ok(client.groupDelete(name)) is None
    assert code(client.groupDelete("g1")) == 223100
    assert ok(client.getGroupList())["group_id_list"] == []


def test_users_are_listed_described_and_deleted(client):
    enrol(client, "users", user_info="from here")
    assert ok(client.getGroupUsers("users"))["user_id_list"] == sorted(enrolments())
    page = ok(client.getGroupUsers("users", {"start": 1, "length": 1}))
    assert page["user_id_list"] == ["emmanuel_macron"]
    described = ok(client.getUser("barack_obama", "users"))["user_list"]
    assert described == [{"user_info": "from here", "group_id": "users"}]
    ok(client.deleteUser("users", "barack_obama"))  # the group comes first here
    assert code(client.getUser("barack_obama", "users")) == 223103
    assert code(client.deleteUser("users", "barack_obama")) == 223103
    assert (
        code(client.search(scene_photo("Barack Obama"), "BASE64", "users", {"match_threshold": 80})) == 222207
    )
    assert code(client.getGroupUsers("no_such_group")) == 223100


def test_a_user_is_copied_to_another_group_and_deleted_from_all(client):
    enrol(client, "source", "barack_obama", user_info="x")
    ok(client.groupAdd("target"))
    groups = {"src_group_id": "source", "dst_group_id": "target"}
    ok(client.userCopy("barack_obama", groups))
    found = ok(client.search(scene_photo("Barack Obama"), "BASE64", "target", {"match_threshold": 80}))
    assert [user["group_id"] for user in found["user_list"]] == ["target"]
    both = ok(client.getUser("barack_obama", "@ALL"))["user_list"]
    assert {"source", "target"} <= {user["group_id"] for user in both}
    assert code(client.userCopy("barack_obama", groups)) == 223102
    assert code(client.userCopy("nobody", groups)) == 223103
    assert code(client.userCopy("barack_obama", groups | {"dst_group_id": "nowhere"})) == 223111
    assert code(client.userCopy("barack_obama", groups | {"src_group_id": "nowhere"})) == 223100
    ok(client.deleteUser("@ALL", "barack_obama"))
    assert code(client.getUser("barack_obama", "@ALL")) == 223103


def test_faces_are_added_replaced_listed_and_deleted_one_by_one(client):
    first, second = enrol_photo("barack_obama"), scene_photo("Barack Obama")
    one = ok(client.addUser(first, "BASE64", "faces", "o", {"user_info": "a"}))["face_token"]
    assert code(client.addUser(first, "BASE64", "faces", "o")) == 223105
    two = ok(client.addUser(second, "BASE64", "faces", "o"))["face_token"]
    listed = ok(client.faceGetlist("o", "faces"))["face_list"]
    assert [face["face_token"] for face in listed] == [one, two]
    ok(client.updateUser(first, "BASE64", "faces", "o"))
    assert [f["face_token"] for f in ok(client.faceGetlist("o", "faces"))["face_list"]] == [one]
    assert ok(client.getUser("o", "faces"))["user_list"][0]["user_info"] == "a"
    assert code(client.faceDelete("o", "faces", two)) == 223106
    ok(client.faceDelete("o", "faces", one))
    assert code(client.getUser("o", "faces")) == 223103


def test_updating_somebody_unknown_is_an_error_unless_they_shall_be_made(client):
    ok(client.groupAdd("updates"))
    photo = enrol_photo("jacinda_ardern")
    assert code(client.updateUser(photo, "BASE64", "updates", "new")) == 223103
    ok(client.updateUser(photo, "BASE64", "updates", "new", {"action_type": "REPLACE"}))
    assert ok(client.getGroupUsers("updates"))["user_id_list"] == ["new"]


def test_a_token_of_detect_is_registered_and_searched(client):
    seen = ok(client.detect(enrol_photo("barack_obama"), "BASE64"))["face_list"][0]
    added = ok(client.addUser(seen["face_token"], "FACE_TOKEN", "tokens", "o"))
    assert added["face_token"] == seen["face_token"]
    found = ok(client.search(seen["face_token"], "FACE_TOKEN", "tokens"))["user_list"]
    assert (found[0]["user_id"], found[0]["score"]) == ("o", 100)
    assert code(client.search("0" * 32, "FACE_TOKEN", "tokens")) == 222209


def test_detect_measures_what_the_documents_describe(client):
    options = {"face_field": "age,quality,landmark", "max_face_num": 2, "liveness_control": "LOW"}
    answer = ok(client.detect(side_by_side("Barack Obama", "Rishi Sunak"), "BASE64", options))
    assert answer["face_num"] == 2
    for face in answer["face_list"]:
        assert set(face["location"]) == {"left", "top", "width", "height", "rotation"}
        assert set(face["angle"]) == {"yaw", "pitch", "roll"}
        assert set(face["quality"]) == {"occlusion", "blur", "illumination", "completeness"}
        assert len(face["quality"]["occlusion"]) == 7
        assert len(face["landmark"]) == 4
        assert 0.05 < face["liveness"]["livemapscore"] <= 1
        assert "age" not in face  # not measured here, so not invented


def test_quality_control_refuses_a_dark_blurred_or_cut_off_face(client):
    image = read_photograph(PATHS["barack_obama_1.jpg"])
    ok(client.addUser(jpeg(image), "BASE64", "quality", "fine", {"quality_control": "NORMAL"}))

    def refused(picture, level):
        return code(client.addUser(jpeg(picture), "BASE64", "quality", "x", {"quality_control": level}))

    assert refused((image * 0.1).astype(np.uint8), "NORMAL") == 223115
    assert refused(cv2.GaussianBlur(image, (0, 0), 12), "NORMAL") == 223114
    assert refused(image[:, 440:], "HIGH") in (223116, 223121)


def test_a_covered_mouth_is_named(client):
    photo = scene_photographs()["Rishi Sunak"]
    image = read_photograph(photo.path)
    x, y, width, height = photo.face_box
    image[y + height * 55 // 100 : y + height, x : x + width] = (200, 160, 90)
    answer = client.search(jpeg(image), "BASE64", "quality2", {"quality_control": "NORMAL"})
    assert code(answer) == 223100  # the group is asked for before the picture is looked at
    ok(client.groupAdd("quality2"))
    answer = client.search(jpeg(image), "BASE64", "quality2", {"quality_control": "NORMAL"})
    assert code(answer) in (223123, 223124, 223125, 223126, 223127)
    assert answer["error_msg"].endswith("is occlusion")


def test_liveness_control_answers_or_drops(client):
    phone = jpeg(on_a_phone(read_photograph(PATHS["emmanuel_macron_2.jpg"])))
    judged = ok(client.faceverify([{"image": phone, "image_type": "BASE64", "option": "GATE"}]))
    assert judged["face_liveness"] < 0.3
    enrol(client, "liveness", "emmanuel_macron")
    strict = {"liveness_control": "NORMAL"}
    assert code(client.search(phone, "BASE64", "liveness", strict)) == 223120
    assert code(client.addUser(phone, "BASE64", "liveness", "x", strict)) == 223120
    kept = ok(client.multiSearch(phone, "BASE64", "liveness", strict))
    assert (kept["face_num"], kept["face_list"]) == (0, [])
    assert ok(client.detect(phone, "BASE64", strict))["face_num"] == 0
    ok(client.search(scene_photo("Emmanuel Macron"), "BASE64", "liveness", strict))


def test_liveness_of_one_picture_and_of_three(client):
    one = {"image": scene_photo("Rishi Sunak"), "image_type": "BASE64", "face_field": "quality"}
    judged = ok(client.faceverify([one]))
    assert judged["thresholds"] == {"frr_1e-4": 0.05, "frr_1e-3": 0.3, "frr_1e-2": 0.9}
    assert judged["face_list"][0]["liveness"]["livemapscore"] == judged["face_liveness"]
    assert len(ok(client.faceverify([one] * 3))["face_list"]) == 3
    assert code(client.faceverify([one] * 2)) == 222208
    plain = {"image_list": [one["image"]], "option": "GATE"}
    assert ok(client.onlinePictureLiveV4("1", plain))["face_liveness"] == judged["face_liveness"]
    assert code(client.onlinePictureLiveV4("4", plain)) == 282105


def test_the_scene_calls_keep_to_themselves(client):
    ok(client.faceSceneFacesetGroupAdd("high", "SEC"))
    photo, other = enrol_photo("barack_obama"), scene_photo("Barack Obama")
    ok(client.faceSceneFacesetUserAdd(photo, "BASE64", "high", "o", "SEC"))
    assert ok(client.faceCaptureSearch(other, "BASE64", "high"))["user_list"][0]["user_id"] == "o"
    ok(client.faceSceneFacesetUserUpdate(other, "BASE64", "high", "o", "SEC"))
    assert ok(client.faceCaptureSearch(other, "BASE64", "high"))["user_list"][0]["score"] == 100
    assert code(client.search(photo, "BASE64", "high")) == 223202
    assert code(client.addUser(photo, "BASE64", "high", "p")) == 223202
    assert code(client.faceCaptureSearch("a" * 32, "FACE_TOKEN", "high")) == 222015
    assert code(client.faceSceneFacesetGroupAdd("higher", "GATE")) == 223201
    ok(client.groupAdd("low"))
    groups = {"src_group_id": "high", "dst_group_id": "low"}
    assert code(client.userCopy("o", groups)) == 223107


def test_libraries_of_other_applications_are_not_seen(client_of):
    enrol(client_of("site"), "mine", "barack_obama")
    assert code(client_of("other").search(scene_photo("Barack Obama"), "BASE64", "mine")) == 223100


def test_a_twenty_first_face_is_refused(client):
    image = read_photograph(PATHS["emmanuel_macron_1.jpg"])
    pictures = [jpeg(cv2.convertScaleAbs(image, beta=number)) for number in range(21)]
    for picture in pictures[:20]:
        ok(client.addUser(picture, "BASE64", "many", "m"))
    assert code(client.addUser(pictures[20], "BASE64", "many", "m")) == 222210
    ok(client.addUser(pictures[20], "BASE64", "many", "m", {"action_type": "REPLACE"}))
    assert len(ok(client.faceGetlist("m", "many"))["face_list"]) == 1


def test_bad_pictures_are_refused_by_name(client):
    tiny = cv2.resize(read_photograph(PATHS["emmanuel_macron_1.jpg"]), None, fx=0.6, fy=0.6)
    ok(client.groupAdd("bad"))
    for picture, expected in (
        (jpeg(np.full((300, 300, 3), 90, np.uint8)), 222202),
        (b64encode(b"GIF89a" + b"\x01\x00" * 20).decode(), 222203),
        (b64encode(b"no picture at all").decode(), 222203),
        ("not base64!", 222013),
        (jpeg(tiny), 222213),
        (jpeg(np.zeros((8, 6500, 3), np.uint8)), 222304),
    ):
        assert code(client.search(picture, "BASE64", "bad")) == expected


def test_more_than_the_rate_and_more_than_the_day_are_refused(client_of):
    for appid, limited in ("slow", 18), ("poor", 17):
        client = client_of(appid)
        enrol(client, "g", "barack_obama")
        ok(client.search(scene_photo("Barack Obama"), "BASE64", "g"))
        assert code(client.search(scene_photo("Barack Obama"), "BASE64", "g")) == limited
        ok(client.getGroupList())  # other calls are not concerned


def test_wrong_keys_are_refused_and_leave_the_client_without_a_token(client):
    stranger = AipFace("1", "0" * 32, "0" * 64)
    answer = stranger.getGroupList()  # without brain_all_scope it signs its requests instead
    assert answer == {"error_code": 14, "error_msg": "IAM Certification failed"}


def test_results_after_a_restart_are_the_same(tmp_path, monkeypatch):
    with serving(tmp_path) as first:
        body = {"image": enrol_photo("barack_obama"), "image_type": "BASE64"}
        added = first.call("v3/faceset/user/add", body | {"group_id": "g", "user_id": "o", "user_info": "i"})
        search = {"image": scene_photo("Barack Obama"), "image_type": "BASE64", "group_id_list": "g"}
        before, token, keys = first.call("v3/search", search), first.token(), first.keys
    with serving(tmp_path, keys=keys) as second:
        second._tokens["default"] = token  # the token of the first server
        assert second.call("v3/search", search)["result"] == before["result"]
        by_token = {"image": added["result"]["face_token"], "image_type": "FACE_TOKEN", "group_id_list": "g"}
        assert second.call("v3/search", by_token)["result"]["user_list"][0]["score"] == 100
