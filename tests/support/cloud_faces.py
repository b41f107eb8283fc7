"""A face cloud on a real socket that knows drawn people by their colour: it answers from the pixels sent."""

from __future__ import annotations

import base64
import json
import ssl
import threading
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from cloud_stub import TOKEN_PATH, Asked, CloudStub, Reply, ok, refusal
from shots import faces_in

SEARCH = "/rest/2.0/face/v3/search"
MULTI_SEARCH = "/rest/2.0/face/v3/multi-search"
CAPTURE_SEARCH = "/rest/2.0/face/capture/search"

REFUSED = {"masked": 223113, "replay": 223120}
"""Who is refused with which code; in `multi-search` their faces are silently missing."""
UNKNOWN = ("stranger", "nobody")


class FaceCloudStub(CloudStub):
    """Everybody in `shots.HUES` is enrolled as a user of that name, but for `UNKNOWN`.

    Attributes:
        enrolled: user id -> what is found of them: group, score and user_info; change it at will.
        trouble: called before each answer; what it returns (if anything) is sent instead.
    """

    def __init__(self, certificate: ssl.SSLContext | None = None) -> None:
        super().__init__(certificate)
        self.enrolled: dict[str, list[dict[str, Any]]] = {}
        self.trouble: Callable[[Asked], Reply | None] = lambda asked: None
        self.sizes: list[tuple[int, int]] = []
        self._counting = threading.Lock()

    def users(self, name: str, threshold: float, most: int) -> list[dict[str, Any]]:
        """What a search finds for one face."""
        default = [{"group_id": "default", "user_id": name, "user_info": name.title(), "score": 95.0}]
        found = [] if name in UNKNOWN else self.enrolled.get(name, default)
        return [user for user in found if user["score"] >= threshold][:most]

    def searches(self) -> list[str]:
        """The last part of the path of each search so far."""
        return [asked.path.rpartition("/")[2] for asked in self.calls]

    def _next_reply(self, asked: Asked) -> Reply:
        if asked.path == TOKEN_PATH:
            return super()._next_reply(asked)
        with self._changed:
            self.asked.append(asked)
            self._changed.notify_all()
        return self.trouble(asked) or self._search(asked)

    def _search(self, asked: Asked) -> Reply:
        body = json.loads(asked.body)
        image = cv2.imdecode(np.frombuffer(base64.b64decode(body["image"]), np.uint8), cv2.IMREAD_COLOR)
        with self._counting:
            self.sizes.append((image.shape[1], image.shape[0]))
        faces = faces_in(image)
        threshold, most = body.get("match_threshold", 0), body.get("max_user_num", 1)
        if asked.path == MULTI_SEARCH:
            return self._many(faces[: body.get("max_face_num", 1)], threshold, most)
        if not faces:
            return refusal(222202, "pic not has face")
        if int(body.get("face_sort_type", 0)):
            middle = image.shape[1] / 2
            faces = sorted(faces, key=lambda face: abs(face[1][0] + face[1][2] / 2 - middle))
        name = faces[0][0]
        if name in REFUSED:
            return refusal(REFUSED[name])
        users = self.users(name, threshold, most)
        return ok({"face_token": "t", "user_list": users}) if users else refusal(222207)

    def _many(self, faces: list, threshold: float, most: int) -> Reply:
        seen = [(name, box) for name, box in faces if name not in REFUSED]
        if not seen:
            return refusal(222202, "pic not has face")
        found = [
            {
                "face_token": "t",
                "location": {"left": x - 3, "top": y + 5, "width": w * 1.1, "height": h * 0.9, "rotation": 2},
                "user_list": self.users(name, threshold, most),
            }
            for name, (x, y, w, h) in seen
        ]
        return ok({"face_num": len(found), "face_list": found})
