"""Every call of the face API that edged makes: name, path in both dialects, which limit it counts against.

Paths: docs/reference/face-api.md 3, 9. No requests are made here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta, timezone
from enum import Enum
from typing import Literal

CLOUD_TIME = timezone(timedelta(hours=8))
"""The service counts the calls of a day in its own time, UTC+8."""

Family = Literal["recognition", "faceset", "liveness", "gateway"]
"""Families of error codes: the same number can mean different things in two families."""


@dataclass(frozen=True)
class CallInfo:
    """One call.

    Attributes:
        online: path below `/rest/2.0/face/`.
        private: path below `/face-api/v3/`; None: a private server does not have it.
        family: family of its error codes.
        paid: counts against the allowance and the rate of paid calls; else it is management.
    """

    online: str
    private: str | None
    family: Family
    paid: bool


class Call(Enum):
    """Every call; its `CallInfo` is the value."""

    DETECT = CallInfo("v3/detect", "face/detect", "recognition", True)
    MATCH = CallInfo("v3/match", "face/match", "recognition", True)
    SEARCH = CallInfo("v3/search", "face/identify", "recognition", True)
    MULTI_SEARCH = CallInfo("v3/multi-search", "face/midentify", "recognition", True)
    CAPTURE_SEARCH = CallInfo("capture/search", None, "recognition", True)
    FEATURE = CallInfo("v1/feature", None, "recognition", True)
    FACEVERIFY = CallInfo("v3/faceverify", "face/liveness", "liveness", True)
    FACEVERIFY_V4 = CallInfo("v4/faceverify", None, "liveness", True)
    USER_ADD = CallInfo("v3/faceset/user/add", "face/add", "faceset", True)
    USER_UPDATE = CallInfo("v3/faceset/user/update", "face/update", "faceset", True)
    FACE_DELETE = CallInfo("v3/faceset/face/delete", "face/delete", "faceset", False)
    USER_GET = CallInfo("v3/faceset/user/get", "user/get", "faceset", False)
    FACE_GETLIST = CallInfo("v3/faceset/face/getlist", "face/list", "faceset", False)
    GROUP_GETUSERS = CallInfo("v3/faceset/group/getusers", "user/list", "faceset", False)
    USER_COPY = CallInfo("v3/faceset/user/copy", "user/copy", "faceset", False)
    USER_DELETE = CallInfo("v3/faceset/user/delete", "user/delete", "faceset", False)
    GROUP_ADD = CallInfo("v3/faceset/group/add", "group/add", "faceset", False)
    GROUP_DELETE = CallInfo("v3/faceset/group/delete", "group/delete", "faceset", False)
    GROUP_GETLIST = CallInfo("v3/faceset/group/getlist", "group/list", "faceset", False)
    SCENE_USER_ADD = CallInfo("scene/faceset/user/add", None, "faceset", True)
    SCENE_USER_UPDATE = CallInfo("scene/faceset/user/update", None, "faceset", True)
    SCENE_GROUP_ADD = CallInfo("scene/faceset/group/add", None, "faceset", False)

    @property
    def title(self) -> str:
        """Short and stable, for counters and messages: `multi_search`."""
        return self.name.lower()
