"""What is answered: the documented envelopes, and errors as exceptions. No request is looked at here.

Forms: face API reference, section 1. Messages: its section 7, blanks and spelling included, because programs
written for the cloud may compare them.
"""

from __future__ import annotations

import secrets
from typing import Any, Final

MESSAGES: Final = {
    2: "Service temporarily unavailable",
    3: "Unsupported openapi method",
    6: "No permission to access data",
    14: "IAM Certification failed",
    15: "app not exsits or create failed",
    17: "Open api daily request limit reached",
    18: "Open api qps request limit reached",
    100: "Invalid parameter",
    110: "Access token invalid or no longer valid",
    111: "Access token expired",
    216100: "invalid param",
    222200: "request body should be json format",
    222202: "pic not has face",
    222203: "image check fail",
    222204: "image_url_download_fail",
    222207: "match user is not found",
    222208: "the number of image is incorrect",
    222209: "face token not exist",
    222210: "the number of user's faces is beyond the limit",
    222213: "face size is too small",
    222300: "add face fail",
    222301: "get face fail",
    222302: "system error",
    222304: "image size is too large",
    222305: "pic storage not support",
    222910: "system busy",
    222915: "system busy",
    223100: "group is not exist",
    223101: "group is already exist",
    223102: "user is already exist",
    223103: "user is not exist",
    223104: "group_list is too large",
    223105: "face is already exist",
    223106: "face is not exist",
    223107: "scene_type not same",
    223111: "dst group not exist",
    223114: "face is fuzzy",
    223115: "face light is not good",
    223116: "incomplete face",
    223120: "liveness check fail",
    223121: "left eye is occlusion",
    223122: "right eye is occlusion",
    223123: "left cheek is occlusion",
    223124: "right cheek is occlusion",
    223125: "chin contour is occlusion",
    223126: "nose is occlusion",
    223127: "mouth is occlusion",
    223129: "face not forward",
    223202: "scene_type does not match",
    282003: "missing parameter",
    282105: "image decrypt error",
}

PARAMETERS: Final = {
    "start": 222002,
    "length": 222003,
    "group_id_list": 222005,
    "group_id": 222006,
    "src_group_id": 222006,
    "dst_group_id": 222006,
    "user_info": 222010,
    "image": 222013,
    "image_type": 222015,
    "max_face_num": 222016,
    "face_field": 222017,
    "user_id": 222018,
    "quality_control": 223118,
    "liveness_control": 223119,
    "spoofing_control": 223130,
    "max_user_num": 222021,
    "face_type": 222024,
    "face_token": 222025,
    "match_threshold": 222030,
    "face_sort_type": 222039,
    "display_corp_image": 222043,
    "scene_type": 223201,
    "option": 216100,
    "action_type": 216100,
    "sdk_version": 216100,
    "image_list": 216100,
}
"""The code that says a parameter is wrong (reference 7.2). Those without one of their own get 216100."""

MISSING: Final = 222001


class ApiError(Exception):
    """The request is refused with a documented code.

    Args:
        code: see `MESSAGES`.
        message: where the documented one has a part to fill in.
        status: HTTP status; 200 for everything the cloud itself answers.
    """

    def __init__(self, code: int, message: str | None = None, *, status: int = 200) -> None:
        self.code = code
        self.message = MESSAGES[code] if message is None else message
        self.status = status
        super().__init__(f"{code} {self.message}")


def wrong(name: str) -> ApiError:
    """The parameter `name` has a wrong type, format, length or value."""
    return ApiError(PARAMETERS[name], f"param[{name}] format error")


def missing(name: str) -> ApiError:
    """The parameter `name` is required and not there."""
    return ApiError(MISSING, f"param[{name}] is null")


def success(result: Any, arrived_s: float) -> dict[str, Any]:
    """The full envelope around `result`.

    Args:
        arrived_s: when the request came, Unix seconds.
    """
    return _envelope(0, "SUCCESS", arrived_s) | {"result": result}


def failure(error: ApiError, arrived_s: float) -> dict[str, Any]:
    """Two fields for what the gateway refuses (codes below 1000), else the full envelope with null."""
    if error.code < 1000:
        return {"error_code": error.code, "error_msg": error.message}
    return _envelope(error.code, error.message, arrived_s) | {"result": None}


def _envelope(code: int, message: str, arrived_s: float) -> dict[str, Any]:
    return {
        "error_code": code,
        "error_msg": message,
        "log_id": 10**17 + secrets.randbelow(9 * 10**17),  # 18 digits, as the cloud's: clients must cope
        "timestamp": int(arrived_s),
        "cached": 0,
    }
