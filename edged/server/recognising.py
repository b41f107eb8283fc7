"""Calls about faces in pictures: detect, match, three forms of search, two of liveness.

Answers leave out what edged does not measure (age, gender, expression, …); see docs/serve.md.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from typing import Any, Final

import numpy as np

from edged.gallery.score import score_of
from edged.server.application import Application
from edged.server.controls import LIVENESS, is_complete
from edged.server.face_libraries import GENERAL, SCENE, Found
from edged.server.face_lookup import (
    MIN_FACE_PX,
    LookupRequest,
    SentPicture,
    look_at,
    lookup_request,
    one_face,
    open_picture,
    several_faces,
)
from edged.server.face_tokens import SeenFace
from edged.server.parameters import FACE_TYPES, Parameters, picture_bytes
from edged.server.replies import ApiError, missing, wrong
from edged.server.vision_worker import MAX_FACES, FaceNetworks, crop_jpeg
from edged.vision.detector import Detection

Reply = dict[str, Any]

MAX_FACES_WITH_CROPS: Final = 5
MAX_FACES_SEARCHED: Final = 10
LIVENESS_COUNTS: Final = (1, 3, 8)
_THRESHOLDS: Final = {
    "frr_1e-4": LIVENESS["LOW"],
    "frr_1e-3": LIVENESS["NORMAL"],
    "frr_1e-2": LIVENESS["HIGH"],
}


def detect(app: Application, networks: FaceNetworks, body: Reply) -> Reply:
    """`v3/detect`: faces with box, angles and, if asked for, quality and landmarks."""
    parameters = Parameters(body)
    fields = parameters.face_fields()
    parameters.choice("face_type", FACE_TYPES, "LIVE")
    with_crop = bool(parameters.number("display_corp_image", 0, 0, 1))
    most = parameters.number("max_face_num", 1, 1, MAX_FACES_WITH_CROPS if with_crop else MAX_FACES)
    want = lookup_request(parameters, quality=False, spoofing=False)
    # documented: with several faces, a token can be used only if `feature` was asked for
    want = replace(want, template=most == 1 or "feature" in fields)
    crops: dict[str, str] = {}

    def report(picture: SentPicture, detection: Detection, face: SeenFace) -> None:
        if with_crop:
            crops[face.token] = b64encode(crop_jpeg(picture.image, detection)).decode()

    faces = several_faces(app, networks, parameters, want, most, report=report)
    described = [_described(face, fields, liveness=want.liveness != "NONE") for face in faces]
    for one in described:
        if one["face_token"] in crops:
            one["corp_image_base64"] = crops[one["face_token"]]
    return {"face_num": len(faces), "face_list": described}


def match(app: Application, networks: FaceNetworks, body: list[Reply]) -> Reply:
    """`v3/match`: how much two faces resemble each other."""
    if len(body) != 2:
        raise ApiError(222208)
    faces = []
    for one in body:
        parameters = Parameters(one)
        kinds = (*FACE_TYPES, "INFRARED", "HYBRID")
        kind = parameters.choice("face_type", kinds, "LIVE")
        if kind == "HYBRID" and parameters.get("image_type") == "FACE_TOKEN":
            raise wrong("face_type")
        faces.append(one_face(app, networks, parameters, lookup_request(parameters)))
    first, second = (np.asarray(face.template) for face in faces)
    score = score_of(float(np.clip(np.dot(first, second), -1.0, 1.0)))
    return {"score": round(score, 2), "face_list": [{"face_token": face.token} for face in faces]}


def search(app: Application, networks: FaceNetworks, body: Reply) -> Reply:
    """`v3/search`: the users of some groups whom one face resembles most."""
    parameters = Parameters(body)
    least = parameters.number("match_threshold", 0, 0, 100)
    return _search(app, networks, parameters, lookup_request(parameters), least, GENERAL)


def capture_search(app: Application, networks: FaceNetworks, body: Reply) -> Reply:
    """`capture/search`: the same in groups of the scene calls; no threshold, tokens or spoofing control."""
    parameters = Parameters(body)
    return _search(app, networks, parameters, lookup_request(parameters, spoofing=False), 0, SCENE)


def _search(
    app: Application,
    networks: FaceNetworks,
    parameters: Parameters,
    want: LookupRequest,
    least: int,
    scene: str,
) -> Reply:
    groups = parameters.group_ids()
    top = parameters.number("max_user_num", 1, 1, 50)
    user_id = parameters.identifier("user_id") if parameters.get("user_id") else None
    app.library.require_groups(groups, scene)
    face = one_face(app, networks, parameters, want, tokens=scene == GENERAL)
    template = np.asarray(face.template)
    if user_id is None:
        found = app.library.search(template, groups, top, least, scene=scene)
    else:
        found = app.library.compare(template, groups, user_id, top, least, scene)
    if not found:
        raise ApiError(222207)
    return {"face_token": face.token, "user_list": _users(found)}


def multi_search(app: Application, networks: FaceNetworks, body: Reply) -> Reply:
    """`v3/multi-search`: several faces of one picture at once; a face without a match has no users.

    Leaves out faces that fail a control or are smaller than 64 px. If no face matches anybody, the answer is
    222207; if all faces are left out, it is an empty list.
    """
    parameters = Parameters(body)
    groups = parameters.group_ids()
    most = parameters.number("max_face_num", 1, 1, MAX_FACES_SEARCHED)
    least = parameters.number("match_threshold", 80, 0, 100)
    top = parameters.number("max_user_num", 1, 1, 20)
    want = lookup_request(parameters, sort=False)
    app.library.require_groups(groups, GENERAL)
    faces = several_faces(app, networks, parameters, want, most, min_face_px=MIN_FACE_PX)
    answers = [
        {
            "face_token": face.token,
            "location": face.location,
            "user_list": _users(app.library.search(_template(face), groups, top, least)),
        }
        for face in faces
    ]
    if answers and not any(answer["user_list"] for answer in answers):
        raise ApiError(222207)
    return {"face_num": len(answers), "face_list": answers}


def faceverify(app: Application, networks: FaceNetworks, body: list[Reply]) -> Reply:
    """`v3/faceverify`: liveness score of the face on 1, 3 or 8 pictures; the best counts."""
    if len(body) not in LIVENESS_COUNTS:
        raise ApiError(222208)
    several = [Parameters(one) for one in body]
    fields = [one.face_fields() for one in several]
    for one in several:
        one.choice("option", ("COMMON", "GATE"), "COMMON")
    faces = []
    for one in several:
        image = one.image()
        if image.face_token is None:
            faces.append(_judged(app, networks, image.data))
            continue
        known = app.seen.get(image.face_token)
        if known is None:
            raise ApiError(222209 if app.library.face(image.face_token) is None else 222305)
        if known.liveness is None:
            raise ApiError(222305)
        faces.append(known)
    return _verdict(faces, fields)


def faceverify_v4(app: Application, networks: FaceNetworks, body: Reply) -> Reply:
    """`v4/faceverify` with plain pictures. Its codes belong to another family (216100, 282003, 282105)."""
    parameters = Parameters(body)
    if parameters.get("sdk_version") in (None, ""):
        raise ApiError(282003)
    version = parameters["sdk_version"]
    if str(version) != "1":
        raise ApiError(282105) if str(version) == "4" else ApiError(216100)
    options = parameters.get("option", "COMMON")
    option = options.split(",")[0] if isinstance(options, str) else ""
    if option in ("FINANCE", "LOGISTICS", "INTERNET"):
        raise ApiError(6)
    if option not in ("", "COMMON", "GATE"):
        raise ApiError(216100)
    images = parameters.get("image_list")
    if images is None:
        raise ApiError(282003)
    if not isinstance(images, list) or len(images) not in LIVENESS_COUNTS:
        raise ApiError(216100)
    fields = parameters.face_fields()
    faces = [_judged(app, networks, _listed(one)) for one in images]
    return _verdict(faces, [fields] * len(faces))


def _listed(image: Any) -> bytes:
    """One entry of `image_list`: a text, or an object with `image`."""
    if isinstance(image, dict):
        image = image.get("image")
    if image is None or image == "":
        raise missing("image")
    if not isinstance(image, str):
        raise wrong("image")
    return picture_bytes(image)


def _judged(app: Application, networks: FaceNetworks, data: bytes) -> SeenFace:
    picture = open_picture(app, networks, data)
    if picture.faces[0].face_px < MIN_FACE_PX:
        raise ApiError(222213)
    face = look_at(app, networks, picture, picture.faces[0], LookupRequest())
    judged = replace(face, liveness=networks.liveness(picture.image, picture.faces[0]))
    app.seen.remember(judged)
    return judged


def _verdict(faces: list[SeenFace], fields: list[frozenset[str]]) -> Reply:
    return {
        "thresholds": _THRESHOLDS,
        "face_liveness": max(_shown(face.liveness or 0.0) for face in faces),
        "face_list": [
            _described(face, wish, liveness=True) for face, wish in zip(faces, fields, strict=True)
        ],
    }


def _described(face: SeenFace, fields: frozenset[str], *, liveness: bool) -> Reply:
    """A face in the form of `detect` and `faceverify`."""
    described: Reply = {"face_token": face.token, "location": face.location}
    measures = face.measures
    if measures is not None:
        described["face_probability"] = _shown(measures.detection)
        if measures.yaw_deg is not None:
            angles = {"yaw": measures.yaw_deg, "pitch": measures.pitch_deg, "roll": measures.roll_deg}
            described["angle"] = {name: round(value or 0.0, 2) for name, value in angles.items()}
        if "quality" in fields:
            described["quality"] = _quality(face)
    if "landmark" in fields and face.points is not None:
        described["landmark"] = _landmarks(face.points)
    if liveness and face.liveness is not None:
        described["liveness"] = {"livemapscore": _shown(face.liveness)}
    return described


def _quality(face: SeenFace) -> Reply:
    measures = face.measures
    assert measures is not None
    quality: Reply = (
        {}
        if measures.occlusion is None
        else {"occlusion": {part: _shown(share) for part, share in measures.occlusion.items()}}
    )
    return quality | {
        "blur": _shown(measures.blur or 0.0),
        "illumination": round(measures.illumination or 0.0, 1),
        "completeness": int(is_complete(measures)),
    }


def _landmarks(points: np.ndarray) -> list[dict[str, float]]:
    """Centres of left and right eye, nose tip, centre of the mouth."""
    four = np.vstack([points[:3], points[3:5].mean(axis=0)])
    return [{"x": round(float(x), 2), "y": round(float(y), 2)} for x, y in four]


def _users(found: list[Found]) -> list[Reply]:
    return [
        {"group_id": one.group_id, "user_id": one.user_id, "user_info": one.user_info, "score": one.score}
        for one in found
    ]


def _template(face: SeenFace) -> np.ndarray:
    if face.template is None:  # a token of detect with several faces and without `feature`
        raise ApiError(222305)
    return face.template


def _shown(share: float) -> float:
    return round(share, 6)
