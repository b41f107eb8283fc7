"""The JSON bodies of requests, built from checked parts. The limits themselves are in `limits.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edged.faceapi import limits

Body = dict[str, Any]

SCENE = {"scene_type": "SEC"}
"""The only documented scene; some pages write it in small letters, the tables and samples do not."""


def image(data: bytes, *, any_size: bool = False) -> Body:
    """A picture; see `limits.picture`."""
    return {"image": limits.picture(data, any_size=any_size), "image_type": "BASE64"}


def user(group_id: str, user_id: str, *, all_groups: bool = False) -> Body:
    """A user in a group."""
    return {
        "group_id": limits.identifier("group_id", group_id, all_groups=all_groups),
        "user_id": limits.identifier("user_id", user_id),
    }


def group(group_id: str) -> Body:
    """A group."""
    return {"group_id": limits.identifier("group_id", group_id)}


def searched(groups: Sequence[str], user_id: str | None, max_user_num: int, most_users: int) -> Body:
    """Where to search, for whom, and how many answers to return."""
    body: Body = {
        "group_id_list": limits.group_list(groups),
        "max_user_num": limits.number("max_user_num", max_user_num, 1, most_users),
    }
    if user_id is not None:
        body["user_id"] = limits.identifier("user_id", user_id)
    return body


def controls(quality: str, liveness: str, spoofing: str = "NONE") -> Body:
    """The checks the server makes of each face. spoofing_control is left out when it is NONE: private
    servers and the scene calls do not know it."""
    body = {
        "quality_control": limits.level("quality_control", quality),
        "liveness_control": limits.level("liveness_control", liveness),
    }
    if limits.level("spoofing_control", spoofing) != "NONE":
        body["spoofing_control"] = spoofing
    return body


def sort(face_sort_type: int) -> Body:
    """Which face comes first; left out when it is the default, for the sake of private servers."""
    number = limits.number("face_sort_type", face_sort_type, 0, 1)
    return {"face_sort_type": number} if number else {}


@dataclass(frozen=True)
class Enrolling:
    """What one kind of enrolling allows."""

    most_info_bytes: int
    actions: tuple[str, ...]


ADDING = Enrolling(limits.MAX_ADD_INFO_BYTES, ("APPEND", "REPLACE"))
UPDATING = Enrolling(limits.MAX_UPDATE_INFO_BYTES, ("UPDATE", "REPLACE"))


def enrolment(data: bytes, group_id: str, user_id: str, info: str, action_type: str, how: Enrolling) -> Body:
    """A picture of a user, a note about them, and what happens to their earlier faces."""
    body = image(data) | user(group_id, user_id)
    body["action_type"] = limits.choice("action_type", action_type, how.actions)
    if limits.user_info(info, how.most_info_bytes):
        body["user_info"] = info
    return body


def page(start: int, length: int) -> Body:
    """A page of a list."""
    return {
        "start": limits.number("start", start, 0, 2**32 - 1),
        "length": limits.number("length", length, 1, limits.MAX_PAGE),
    }
