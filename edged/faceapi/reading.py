"""Builds replies from the payload of an answer. Lenient where the documents disagree, strict about scores.

Numbers may come as integers or as text, fields and lists may be missing, some have two spellings
(docs/reference/face-api.md 8). A score that is not a number from 0 to 100, or a payload of another shape, is
`cloud_bad_answer`: it never counts as an answer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from edged.errors import RetryLater
from edged.faceapi import replies
from edged.faceapi.replies import Angle, Attribute, DetectedFace, FoundUser, Location, Quality

T = TypeVar("T")
Json = Mapping[str, Any]

_PARTS = ("left_eye", "right_eye", "nose", "mouth", "left_cheek", "right_cheek", "chin_contour")
_ATTRIBUTES = ("expression", "face_shape", "gender", "glasses", "emotion", "face_type", "mask")
_VALUES = ("age", "beauty", "spoofing", "not_spoofing")
_POINTS = ("landmark", "landmark72", "landmark150")


@dataclass(frozen=True)
class Answer:
    """A successful answer.

    Attributes:
        result: the payload; None when the server left it out or sent null.
        whole: the whole object, for the fields that some calls put beside `result`.
        log_id: the vendor's number of the request, as text.
    """

    result: Json | None
    whole: Json
    log_id: str


def bad_answer(what: str) -> RetryLater:
    """The error for an answer edged cannot use."""
    return RetryLater(
        f"The face cloud gave an answer that cannot be used: {what}.",
        code="cloud_bad_answer",
        hint="If it goes on, check that recognition.cloud.url is the address of the service itself.",
    )


def detect(answer: Answer) -> replies.DetectReply:
    """Reply of `detect`."""
    return replies.DetectReply(_each(_needed(answer), "face_list", _face), answer.log_id)


def match(answer: Answer) -> replies.MatchReply:
    """Reply of `match`."""
    result = _needed(answer)
    tokens = _each(result, "face_list", lambda face: _text(face, "face_token"))
    return replies.MatchReply(_score(result), tokens, answer.log_id)


def search(answer: Answer) -> replies.SearchReply:
    """Reply of `search` and `capture/search`."""
    result = _needed(answer)
    return replies.SearchReply(_users(result), _text(result, "face_token"), answer.log_id)


def multi_search(answer: Answer) -> replies.MultiSearchReply:
    """Reply of `multi-search`."""
    return replies.MultiSearchReply(_each(_needed(answer), "face_list", _searched_face), answer.log_id)


def feature(answer: Answer) -> replies.FeatureReply:
    """Reply of `feature`."""
    return replies.FeatureReply(_each(_needed(answer), "face_list", _feature), answer.log_id)


def faceverify(answer: Answer) -> replies.FaceverifyReply:
    """Reply of both `faceverify` calls. v4 puts the risk beside the result."""
    result = _needed(answer)
    thresholds = _object(result, "thresholds") if result.get("thresholds") else {}
    tags = result.get("risk_tag", answer.whole.get("risk_tag")) or ()
    if not isinstance(tags, list | tuple):
        raise bad_answer("risk_tag is no list")
    return replies.FaceverifyReply(
        liveness=_number(result, "face_liveness", 0, 1),
        thresholds={name: _number(thresholds, name, 0, 1) for name in thresholds},
        faces=_each(result, "face_list", _face),
        risk_level=_text(result, "risk_level") or _text(answer.whole, "risk_level"),
        risk_tags=tuple(str(tag) for tag in tags),
        log_id=answer.log_id,
    )


def enrol(answer: Answer) -> replies.EnrolReply:
    """Reply of the calls that add or replace a face."""
    result = answer.result or {}
    location = _location(result) if result.get("location") else None
    return replies.EnrolReply(_text(result, "face_token"), location, answer.log_id)


def user(answer: Answer) -> replies.UserReply:
    """Reply of `user/get`."""

    def read(item: Json) -> replies.UserGroup:
        return replies.UserGroup(_named(item, "group_id"), _text(item, "user_info"))

    return replies.UserReply(_each(answer.result or {}, "user_list", read), answer.log_id)


def faces(answer: Answer) -> replies.FacesReply:
    """Reply of `face/getlist`."""

    def read(item: Json) -> replies.EnrolledFace:
        return replies.EnrolledFace(_named(item, "face_token"), _text(item, "ctime"))

    return replies.FacesReply(_each(answer.result or {}, "face_list", read), answer.log_id)


def user_ids(answer: Answer) -> replies.IdsReply:
    """Reply of `group/getusers`."""
    return replies.IdsReply(_ids(answer.result or {}, "user_id_list"), answer.log_id)


def group_ids(answer: Answer) -> replies.IdsReply:
    """Reply of `group/getlist`."""
    return replies.IdsReply(_ids(answer.result or {}, "group_id_list"), answer.log_id)


def done(answer: Answer) -> replies.DoneReply:
    """Reply of calls whose answer is only the error code."""
    return replies.DoneReply(answer.log_id)


def _face(item: Json) -> DetectedFace:
    return DetectedFace(
        face_token=_text(item, "face_token"),
        location=_location(item),
        probability=_number(item, "face_probability", 0, 1) if "face_probability" in item else 1.0,
        angle=_angle(item),
        quality=_quality(item),
        attributes={name: _attribute(item[name], name) for name in _ATTRIBUTES if item.get(name)},
        values=_values(item),
        points={name: _points(item[name], name) for name in _POINTS if item.get(name)},
        liveness=_liveness(item),
        crop_base64=_text(item, "corp_image_base64"),
    )


def _location(item: Json) -> Location:
    box = _object(item, "location")
    left, top, width, height = (_number(box, name) for name in ("left", "top", "width", "height"))
    if width < 0 or height < 0:
        raise bad_answer("a face box has a negative size")
    return Location(left, top, width, height, _number(box, "rotation", default=0.0))


def _angle(item: Json) -> Angle | None:
    angle = item.get("angle") or item.get("angel")  # the v4 document names it so, its samples do not
    if angle is None:
        return None
    return Angle(*(_number(_mapping(angle, "angle"), name) for name in ("yaw", "pitch", "roll")))


def _quality(item: Json) -> Quality | None:
    if not item.get("quality"):
        return None
    quality = _object(item, "quality")
    parts = dict(_object(quality, "occlusion") if quality.get("occlusion") else {})
    if "chin" in parts:  # tables say chin_contour, samples chin
        parts.setdefault("chin_contour", parts["chin"])
    complete = _optional(quality, "completeness")
    return Quality(
        occlusion={name: _number(parts, name) for name in _PARTS if name in parts},
        blur=_optional(quality, "blur"),
        illumination=_optional(quality, "illumination"),
        complete=None if complete is None else complete >= 0.5,
    )


def _attribute(value: object, name: str) -> Attribute:
    item = _mapping(value, name)
    return Attribute(_text(item, "type"), _number(item, "probability", default=1.0))


def _values(item: Json) -> dict[str, float]:
    values = {name: _number(item, name) for name in _VALUES if item.get(name) is not None}
    eyes = _object(item, "eye_status") if item.get("eye_status") else {}
    return values | {name: _number(eyes, name) for name in ("left_eye", "right_eye") if name in eyes}


def _points(value: object, name: str) -> tuple[tuple[float, float], ...]:
    listed = list(value.values()) if isinstance(value, Mapping) else value
    if not isinstance(listed, list):
        raise bad_answer(f"{name} is no list")
    pairs = (_mapping(point, name) for point in listed)
    return tuple((_number(point, "x"), _number(point, "y")) for point in pairs)


def _liveness(item: Json) -> float | None:
    value = item.get("liveness")
    if isinstance(value, Mapping):  # some pages show the bare number instead
        value = value.get("livemapscore", value.get("faceliveness"))
    return None if value is None else _number({"liveness": value}, "liveness", 0, 1)


def _searched_face(item: Json) -> replies.SearchedFace:
    return replies.SearchedFace(_location(item), _users(item), _text(item, "face_token"))


def _feature(item: Json) -> replies.FaceFeature:
    return replies.FaceFeature(_location(item), _named(item, "feature"), _text(item, "face_token"))


def _users(item: Json) -> tuple[FoundUser, ...]:
    def read(user: Json) -> FoundUser:
        ids = _named(user, "group_id"), _named(user, "user_id")
        return FoundUser(*ids, user_info=_text(user, "user_info"), score=_score(user))

    found = _each(item, "user_list", read)
    return tuple(sorted(found, key=lambda one: one.score, reverse=True))


def _score(item: Json) -> float:
    return _number(item, "score", 0, 100)


def _needed(answer: Answer) -> Json:
    if answer.result is None:
        raise bad_answer("it reports success without a result")
    return answer.result


def _each(item: Json, name: str, read: Callable[[Json], T]) -> tuple[T, ...]:
    """The list `name`, each object of it read; missing or null: empty."""
    listed = item.get(name)
    if listed is None:
        return ()
    if not isinstance(listed, list):
        raise bad_answer(f"{name} is no list")
    return tuple(read(_mapping(one, name)) for one in listed)


def _ids(item: Json, name: str) -> tuple[str, ...]:
    listed = item.get(name)
    if listed is None:
        return ()
    if not isinstance(listed, list):
        raise bad_answer(f"{name} is no list")
    return tuple(_named({name: one}, name) for one in listed)


def _object(item: Json, name: str) -> Json:
    return _mapping(item.get(name), name)


def _mapping(value: object, name: str) -> Json:
    if not isinstance(value, Mapping):
        raise bad_answer(f"{name} is no object")
    return value


def _text(item: Json, name: str) -> str:
    """Text, or a number as text; missing or null: empty."""
    value = item.get(name)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise bad_answer(f"{name} is no text")
    return str(value)


def _named(item: Json, name: str) -> str:
    text = _text(item, name)
    if not text:
        raise bad_answer(f"{name} is missing")
    return text


def _optional(item: Json, name: str) -> float | None:
    return None if item.get(name) is None else _number(item, name)


def _number(
    item: Json, name: str, least: float = -math.inf, most: float = math.inf, default: float | None = None
) -> float:
    """A finite number within its range, also when it was sent as text."""
    value = item.get(name)
    if value is None and default is not None:
        return default
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise bad_answer(f"{name} is no number")
    if isinstance(value, str) and "_" in value:  # float() would take 9_9 for 99
        raise bad_answer(f"{name} is no number")
    try:
        number = float(value)
    except (ValueError, OverflowError):
        raise bad_answer(f"{name} is no number") from None
    if not (math.isfinite(number) and least <= number <= most):
        raise bad_answer(f"{name} is out of its range")
    return number
