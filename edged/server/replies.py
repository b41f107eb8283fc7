"""Answers: the documented envelopes, and errors as exceptions. Reads no requests.

Forms: docs/reference/face-api.md 1. Messages: `edged.faceapi.codes`, with the vendor's spelling, because
programs written for the cloud may compare them.
"""

from __future__ import annotations

import secrets
from typing import Any, Final

from edged.faceapi.codes import lookup

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
"""The code for a wrong parameter (docs/reference/face-api.md 7.2); 216100 for all others."""

MISSING: Final = 222001


class ApiError(Exception):
    """Refuses the request with a documented code.

    Args:
        code: one of `edged.faceapi.codes`.
        message: replaces the documented one, if that has a part to fill in.
        status: HTTP status; 200 for every error of the cloud itself.
    """

    def __init__(self, code: int, message: str | None = None, *, status: int = 200) -> None:
        self.code = code
        if message is None:
            row = lookup(code)
            message = row.message if row is not None else f"error {code}"
        self.message = message
        self.status = status
        super().__init__(f"{code} {self.message}")


def wrong(name: str) -> ApiError:
    """The error for a parameter with a wrong type, format, length or value."""
    return ApiError(PARAMETERS[name], f"param[{name}] format error")


def missing(name: str) -> ApiError:
    """The error for a missing required parameter."""
    return ApiError(MISSING, f"param[{name}] is null")


def success(result: Any, arrived_s: float) -> dict[str, Any]:
    """The full envelope around `result`.

    Args:
        arrived_s: arrival of the request, Unix seconds.
    """
    return _envelope(0, "SUCCESS", arrived_s) | {"result": result}


def failure(error: ApiError, arrived_s: float) -> dict[str, Any]:
    """The two fields of the gateway for codes below 1000, else the full envelope with a null result."""
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
