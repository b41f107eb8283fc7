"""The documented limits of requests, checked before anything is sent (docs/reference/face-api.md 6).

A picture that does not fit is worth another shot (`TryAnotherShot`); anything else is a mistake in the
settings or in the program (`Misconfigured`). Sending it would only use up a call of the allowance.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from typing import Literal, get_args

from edged.errors import Misconfigured, TryAnotherShot
from edged.pictures import read_header, sniff

ControlLevel = Literal["NONE", "LOW", "NORMAL", "HIGH"]
FaceType = Literal["LIVE", "IDCARD", "WATERMARK", "CERT", "INFRARED", "HYBRID"]
FaceSort = Literal[0, 1]
"""0: largest face first; 1: the face nearest to the middle first."""

ALL_GROUPS = "@ALL"
MAX_BASE64_BYTES = 2 * 1024 * 1024  # docs/reference/face-api.md 6.1
MAX_LONG_SIDE_PX = 1920  # docs/reference/face-api.md 6.1; upright pictures are measured the same way
MAX_SHORT_SIDE_PX = 1080
MAX_GROUPS = 10
MAX_DETECT_FACES = 20
MAX_MULTI_FACES = 10
MAX_SEARCH_USERS = 50
MAX_MULTI_USERS = 20
MAX_PAGE = 1000
MAX_ADD_INFO_BYTES = 256
MAX_UPDATE_INFO_BYTES = 48  # the update table states less than the add table
_FORMATS = frozenset({"jpeg", "png", "bmp"})
_ID = re.compile(r"[A-Za-z0-9_]{1,48}")
_TOKEN = re.compile(r"[\x21-\x7e]{1,64}")
_FIELD = re.compile(r"[a-z0-9_]{1,32}")
_RESERVED = frozenset({"all", "self", "me", "this", "next"})  # of private servers; unwise on the others


def refused(what: str, message: str, hint: str = "") -> Misconfigured:
    """A request that would break the limit `what`; the code is `cloud_request_WHAT`."""
    return Misconfigured(
        f"The request to the face cloud was not sent: {message}", code=f"cloud_request_{what}", hint=hint
    )


def picture(data: bytes, *, any_size: bool = False) -> str:
    """Base64 text of an encoded picture.

    Args:
        data: JPEG, PNG or BMP file content.
        any_size: do not limit width and height (`capture/search` states no limit).

    Raises:
        TryAnotherShot: `cloud_request_picture`: not such a picture, or damaged; `cloud_request_picture_size`:
            more than 2 MB of Base64 text, or more than 1920 x 1080 pixels.
    """
    if sniff(data) not in _FORMATS:
        raise _unusable("it is not a JPEG, PNG or BMP picture.")
    if not any_size:
        _check_pixels(data)
    size = 4 * ((len(data) + 2) // 3)
    if size > MAX_BASE64_BYTES:
        raise _too_large(f"it has {size} bytes as Base64; {MAX_BASE64_BYTES} are the most.")
    return base64.b64encode(data).decode("ascii")


def _check_pixels(data: bytes) -> None:
    try:
        header = read_header(data)
    except TryAnotherShot:
        raise _unusable("it is damaged.") from None
    long_side, short_side = sorted((header.width, header.height), reverse=True)
    if long_side > MAX_LONG_SIDE_PX or short_side > MAX_SHORT_SIDE_PX:
        raise _too_large(
            f"it has {header.width} x {header.height} pixels; "
            f"{MAX_LONG_SIDE_PX} x {MAX_SHORT_SIDE_PX} are the most."
        )


def _unusable(message: str) -> TryAnotherShot:
    return TryAnotherShot(
        f"The picture was not sent to the face cloud: {message}", code="cloud_request_picture"
    )


def _too_large(message: str) -> TryAnotherShot:
    return TryAnotherShot(
        f"The picture was not sent to the face cloud: {message}",
        code="cloud_request_picture_size",
        hint="Cut out the face, or make the picture smaller.",
    )


def identifier(name: str, value: str, *, all_groups: bool = False) -> str:
    """A group or user id: 1 to 48 letters, digits, underscores, and no reserved word.

    Args:
        name: `group_id` or `user_id`, for the message.
        all_groups: `@ALL` is allowed as well.
    """
    if all_groups and value == ALL_GROUPS:
        return value
    if not _ID.fullmatch(value):
        raise refused(name, f"{name} {value!r} is not 1 to 48 letters (a-z), digits or underscores.")
    if value.lower() in _RESERVED:
        raise refused(name, f"{name} {value!r} is a reserved word of the protocol.", "Choose another name.")
    return value


def group_list(groups: Sequence[str]) -> str:
    """1 to 10 different groups, as the comma-separated text of the protocol."""
    if isinstance(groups, str):
        raise refused("groups", "the groups must be a list, not one text.")
    if not 1 <= len(groups) <= MAX_GROUPS:
        raise refused("groups", f"{len(groups)} groups are named; 1 to {MAX_GROUPS} can be searched at once.")
    if len(set(groups)) != len(groups):
        raise refused("groups", "a group is named twice.")
    return ",".join(identifier("group_id", group) for group in groups)


def user_info(text: str, most_bytes: int) -> str:
    """A note about a user of at most `most_bytes` bytes in UTF-8."""
    try:
        size = len(text.encode("utf-8"))
    except UnicodeEncodeError:
        raise refused("user_info", "user_info is not valid text.") from None
    if size > most_bytes:
        raise refused("user_info", f"user_info has {size} bytes; {most_bytes} are the most.")
    return text


def face_token(text: str) -> str:
    """A face token as the server gave it: at most 64 printable ASCII characters."""
    if not _TOKEN.fullmatch(text):
        raise refused("face_token", "the face_token is empty, too long, or not printable ASCII.")
    return text


def number(name: str, value: int, least: int, most: int) -> int:
    """An integer from `least` to `most`."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise refused(name, f"{name} {value!r} is not a whole number from {least} to {most}.")
    return value


def level(name: str, value: str) -> str:
    """A level of quality_control, liveness_control or spoofing_control."""
    return choice(name, value, get_args(ControlLevel))


def choice(name: str, value: str, allowed: Sequence[str]) -> str:
    """One of the words the protocol knows."""
    if value not in allowed:
        raise refused(name, f"{name} {value!r} is not one of {', '.join(allowed)}.")
    return value


def fields(names: Sequence[str]) -> str:
    """The properties requested for each face, as the comma-separated text of the protocol."""
    if isinstance(names, str) or not all(_FIELD.fullmatch(name) for name in names):
        raise refused("face_field", "face_field is not a list of names such as quality or mask.")
    return ",".join(names)


def how_many(name: str, items: Sequence[object], allowed: Sequence[int]) -> None:
    """Check how many pictures one request holds."""
    if len(items) not in allowed:
        raise refused(name, f"{len(items)} pictures are given; {' or '.join(map(str, allowed))} are needed.")
