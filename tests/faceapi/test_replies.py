"""Replies of the face cloud from the payloads of its documents, and from what servers make of them."""

import json

import pytest

from edged.errors import EdgedError
from edged.faceapi import reading
from edged.faceapi.calls import Call
from edged.faceapi.envelope import open_envelope
from edged.faceapi.replies import EnrolledFace, FoundUser, Location, UserGroup

# Examples of docs/reference/face-api.md 4.1 to 4.6.
DETECT = """{"error_code":0,"error_msg":"SUCCESS","log_id":1234567890123,"timestamp":1533094400,"cached":0,
"result":{"face_num":1,"face_list":[
 {"face_token":"35235asfas21421fakghktyfdgh68bio","location":{"left":117,"top":131,"width":172,"height":170,
  "rotation":4},
  "face_probability":1,"angle":{"yaw":-0.35,"pitch":1.91,"roll":2.3},
  "quality":{"occlusion":{"left_eye":0,"right_eye":0.0156,"nose":0,"mouth":0,"left_cheek":0.03,
   "right_cheek":0.03,"chin_contour":0.006},"blur":5.1e-7,"illumination":131,"completeness":1}}]}}"""
MATCH = '{"error_code":0,"result":{"score":44.3,"face_list":[{"face_token":"fid1"},{"face_token":"fid2"}]}}'
SEARCH = """{"error_code":0,"error_msg":"SUCCESS","log_id":304592850152877661,"timestamp":1545015287,
 "cached":0,"result":{"face_token":"2fa64a88a9d5118916f9a303782a97d3",
           "user_list":[{"group_id":"g1","user_id":"u333333","user_info":"Test User","score":99.12}]}}"""
MULTI = """{"error_code":0,"error_msg":"SUCCESS","log_id":240483475,"timestamp":1535533440,"cached":0,
"result":{"face_num":2,"face_list":[
 {"face_token":"6fe1..","location":{"left":31.9,"top":120.4,"width":87,"height":85,"rotation":-5},
  "user_list":[{"group_id":"group1","user_id":"5abd..","user_info":"userinfo1","score":69.86}]},
 {"face_token":"fde6..","location":{"left":219.4,"top":104.7,"width":81,"height":77,"rotation":3},
  "user_list":[{"group_id":"group1","user_id":"0887..","user_info":"userinfo","score":65.15}]}]}}"""
VERIFY = """{"error_code":0,"error_msg":"SUCCESS","log_id":9999201750012,"timestamp":1587021157,"cached":0,
"result":{"thresholds":{"frr_1e-4":0.05,"frr_1e-3":0.3,"frr_1e-2":0.9},"face_liveness":1,"face_list":[
 {"face_token":"6e68..","location":{"left":60.21,"top":134.93,"width":162,"height":164,"rotation":-4},
 "face_probability":1,"angle":{"yaw":-0.9,"pitch":12.87,"roll":-5.36},"liveness":{"livemapscore":1},
 "spoofing":0.000266}]}}"""
BOX = {"left": 1, "top": 2, "width": 3, "height": 4}


def read(reader, body):
    return reader(open_envelope(200, body.encode(), Call.SEARCH))


def result(reader, **payload):
    return read(reader, json.dumps({"error_code": 0, "result": payload}))


def refused(reader, **payload):
    with pytest.raises(EdgedError) as caught:
        result(reader, **payload)
    return caught.value.code == "cloud_bad_answer"


def test_the_documented_detect_answer():
    reply = read(reading.detect, DETECT)
    (face,) = reply.faces
    assert reply.log_id == "1234567890123"
    assert face.location == Location(117, 131, 172, 170, 4)
    assert (face.probability, face.angle.pitch) == (1.0, 1.91)
    assert (face.quality.illumination, face.quality.complete) == (131.0, True)
    assert face.quality.occlusion["chin_contour"] == 0.006


def test_the_documented_match_answer():
    reply = read(reading.match, MATCH)
    assert (reply.score, reply.face_tokens) == (44.3, ("fid1", "fid2"))


def test_the_documented_search_answer():
    reply = read(reading.search, SEARCH)
    assert reply.users == (FoundUser("g1", "u333333", "Test User", 99.12),)
    assert reply.log_id == "304592850152877661"


def test_the_documented_multi_search_answer_scores_below_80_included():
    reply = read(reading.multi_search, MULTI)
    assert [face.users[0].score for face in reply.faces] == [69.86, 65.15]
    assert reply.faces[1].location.left == 219.4


def test_the_documented_faceverify_answer():
    reply = read(reading.faceverify, VERIFY)
    assert (reply.liveness, reply.thresholds["frr_1e-3"]) == (1.0, 0.3)
    assert (reply.faces[0].liveness, reply.faces[0].values["spoofing"]) == (1.0, 0.000266)


def test_v4_puts_the_risk_beside_the_result():
    body = VERIFY[:-1] + ',"risk_level":"1","risk_tag":["a","b"]}'
    reply = read(reading.faceverify, body)
    assert (reply.risk_level, reply.risk_tags) == ("1", ("a", "b"))


@pytest.mark.parametrize("name", ["angle", "angel"])
def test_both_spellings_of_the_angle(name):
    face = {"location": BOX, name: {"yaw": 1, "pitch": 2, "roll": 3}}
    assert result(reading.detect, face_list=[face]).faces[0].angle.roll == 3


@pytest.mark.parametrize("name", ["chin", "chin_contour"])
def test_both_spellings_of_the_chin(name):
    face = {"location": BOX, "quality": {"occlusion": {name: 0.5}}}
    assert result(reading.detect, face_list=[face]).faces[0].quality.occlusion == {"chin_contour": 0.5}


@pytest.mark.parametrize("value", [0.7, "0.7", {"livemapscore": 0.7}, {"faceliveness": "0.7"}])
def test_every_form_of_the_liveness_score(value):
    face = {"location": BOX, "liveness": value}
    assert result(reading.detect, face_list=[face]).faces[0].liveness == 0.7


def test_attributes_points_and_eyes_are_read_when_they_come():
    face = {
        "location": BOX,
        "age": 30,
        "mask": {"type": 1, "probability": 0.9},
        "eye_status": {"left_eye": 1, "right_eye": 0.5},
        "landmark": [{"x": 1, "y": 2}],
        "landmark150": {"nose_tip": {"x": 3, "y": 4}},
        "corp_image_base64": "QUJD",
    }
    (read_face,) = result(reading.detect, face_list=[face]).faces
    assert read_face.attributes["mask"].type == "1"
    assert read_face.values == {"age": 30.0, "left_eye": 1.0, "right_eye": 0.5}
    assert read_face.points == {"landmark": ((1.0, 2.0),), "landmark150": ((3.0, 4.0),)}
    assert read_face.crop_base64 == "QUJD"


def test_numbers_may_be_sent_as_text():
    user = {"group_id": "g", "user_id": 17, "score": "93.5"}
    assert result(reading.search, user_list=[user]).users == (FoundUser("g", "17", "", 93.5),)


@pytest.mark.parametrize("payload", [{}, {"user_list": None}, {"user_list": [], "face_token": "t"}])
def test_a_search_without_users_found_nobody(payload):
    assert result(reading.search, **payload).users == ()


def test_a_face_without_users_resembles_nobody():
    reply = result(reading.multi_search, face_list=[{"location": BOX}, {"location": BOX, "user_list": None}])
    assert [face.users for face in reply.faces] == [(), ()]


def test_users_are_best_first_whatever_the_server_does():
    users = [{"group_id": "g", "user_id": f"u{score}", "score": score} for score in (70, 99, 85)]
    assert [user.score for user in result(reading.search, user_list=users).users] == [99, 85, 70]


@pytest.mark.parametrize(
    "score", [None, "", "NaN", "inf", "high", "9_9", -0.1, 100.1, True, [], {}, "1e400", 10**400]
)
def test_a_score_that_is_no_number_from_0_to_100_spoils_the_answer(score):
    user = {"group_id": "g", "user_id": "u", "score": score}
    assert refused(reading.search, user_list=[user])
    assert refused(reading.multi_search, face_list=[{"location": BOX, "user_list": [user]}])
    assert refused(reading.match, score=score)


@pytest.mark.parametrize(
    "user", [{"user_id": "u", "score": 90}, {"group_id": "g", "score": 90}, [], "u", None]
)
def test_a_user_without_a_name_spoils_the_answer(user):
    assert refused(reading.search, user_list=[user])


@pytest.mark.parametrize("box", [None, {}, {**BOX, "width": -1}, {**BOX, "left": "NaN"}, [1, 2, 3, 4]])
def test_a_face_without_a_box_spoils_the_answer(box):
    assert refused(reading.multi_search, face_list=[{"location": box}])
    assert refused(reading.detect, face_list=[{"location": box}])


@pytest.mark.parametrize("lists", [{"user_list": {}}, {"user_list": "u"}, {"user_list": 1}])
def test_a_list_that_is_none_spoils_the_answer(lists):
    assert refused(reading.search, **lists)


@pytest.mark.parametrize("reader", [reading.detect, reading.match, reading.search, reading.multi_search])
def test_success_without_a_result_is_no_answer_to_a_question_about_a_face(reader):
    with pytest.raises(EdgedError, match="without a result"):
        read(reader, '{"error_code":0,"result":null}')


@pytest.mark.parametrize("body", ['{"error_code":0,"log_id":7,"result":null}', '{"error_code":0,"log_id":7}'])
def test_management_calls_need_no_result(body):
    assert read(reading.done, body).log_id == "7"
    assert read(reading.user_ids, body).ids == ()
    assert read(reading.enrol, body).face_token == ""


def test_the_lists_of_the_library():
    assert result(reading.user_ids, user_id_list=["a", 2]).ids == ("a", "2")
    assert result(reading.group_ids, group_id_list=["g"]).ids == ("g",)
    user = result(reading.user, user_list=[{"group_id": "g", "user_info": "x"}])
    assert user.groups == (UserGroup("g", "x"),)
    face = {"face_token": "t", "ctime": "2026-11-21 08:30:00"}
    assert result(reading.faces, face_list=[face]).faces == (EnrolledFace("t", "2026-11-21 08:30:00"),)


def test_an_id_that_is_none_spoils_a_list():
    assert refused(reading.user_ids, user_id_list=[None])
    assert refused(reading.user_ids, user_id_list=[{"user_id": "u"}])


def test_an_enrolment_gives_the_permanent_token():
    reply = result(reading.enrol, face_token="2fa6", location=BOX)
    assert (reply.face_token, reply.location) == ("2fa6", Location(1, 2, 3, 4))


def test_a_feature_is_kept_as_the_text_it_came_as():
    reply = result(reading.feature, face_num=1, face_list=[{"location": BOX, "feature": "AAECAw=="}])
    assert reply.faces[0].feature == "AAECAw=="
    assert "AAECAw" not in repr(reply)
