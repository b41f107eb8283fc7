"""A face library of the cloud in memory, over HTTP: the faceset calls, their error codes, faults on demand.

Pictures are not looked at: a face_token is a digest of the bytes, because the same picture gives the same
token (docs/reference/face-api.md 4). The server of the project is tested elsewhere; this one can be made to
misbehave.
"""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "token-of-the-test"
PREFIX = "/rest/2.0/face/"
ADD, UPDATE = "v3/faceset/user/add", "v3/faceset/user/update"
SCENE_ADD, SCENE_UPDATE = "scene/faceset/user/add", "scene/faceset/user/update"
ENROLMENTS = frozenset({ADD, UPDATE, SCENE_ADD, SCENE_UPDATE})


class Refused(Exception):
    """Answered with an error code."""


def token_of(picture: bytes) -> str:
    return hashlib.md5(picture, usedforsecurity=False).hexdigest()


class CloudLibrary:
    """The server. Set the attributes to make it behave in a certain way.

    Attributes:
        groups: group id -> "general" or "scene".
        users: (group, user) -> {face_token: …}, in the order of enrolment.
        infos: user id -> user_info.
        calls: (path, body without the picture) of every request that arrived.
        unusable: face_tokens of pictures answered with 222202, no face.
        before, after: called with (path, body) before and after a call takes effect.
        faults: what the next requests meet: a number: that error code; "500"; "drop": no answer, but done.
        failing: path or user id -> HTTP 500, always.
        lingering: how many times `user/get` still shows a deleted user.
    """

    def __init__(self) -> None:
        self.groups: dict[str, str] = {}
        self.users: dict[tuple[str, str], dict[str, bytes]] = {}
        self.infos: dict[str, str] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.unusable: set[str] = set()
        self.before: Callable[[str, dict], None] = lambda path, body: None
        self.after: Callable[[str, dict], None] = lambda path, body: None
        self.faults: deque[int | str] = deque()
        self.failing: set[str] = set()
        self.lingering = 0
        self._lock = threading.RLock()
        self._server: ThreadingHTTPServer | None = None
        self._connections: set[socket.socket] = set()
        self.port = 0

    # -- life

    def start(self) -> None:
        library = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                library._connections.add(self.connection)

            def finish(self) -> None:
                library._connections.discard(self.connection)
                with suppress(OSError):
                    super().finish()

            def do_POST(self) -> None:
                library._handle(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
            for connection in tuple(self._connections):
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    # -- for tests

    def faces(self, group: str, user: str) -> list[str]:
        return list(self.users.get((group, user), ()))

    def paths(self) -> list[str]:
        return [path for path, _ in self.calls]

    def enrolments(self) -> list[str]:
        return [path for path in self.paths() if path in ENROLMENTS]

    # -- answering

    def _handle(self, request: BaseHTTPRequestHandler) -> None:
        body = json.loads(request.rfile.read(int(request.headers["Content-Length"])) or b"{}")
        url = urlsplit(request.path)
        path = url.path.removeprefix(PREFIX)
        self.calls.append((path, {k: v for k, v in body.items() if k != "image"}))
        fault = self.faults.popleft() if self.faults else None
        if fault == "500" or self.failing & {path, body.get("user_id")}:
            self._send(request, 500, b"<html>Internal Server Error</html>", "text/html")
            return
        if parse_qs(url.query).get("access_token") != [TOKEN]:
            reply = {"error_code": 110, "error_msg": "Access token invalid or no longer valid"}
        else:
            reply = self._reply(path, body, fault)
        if fault == "drop":
            request.close_connection = True
            request.connection.shutdown(socket.SHUT_RDWR)
            return
        self._send(request, 200, json.dumps(reply).encode(), "application/json")

    def _reply(self, path: str, body: dict, fault: int | str | None) -> dict:
        envelope = {"log_id": 304592850152877661, "timestamp": 1545015287, "cached": 0}
        try:
            if isinstance(fault, int):
                raise Refused(fault, "as the test wanted")
            self.before(path, body)
            with self._lock:
                result = self._call(path, body)
            self.after(path, body)
        except Refused as refused:
            code, message = refused.args
            return {"error_code": code, "error_msg": message, "result": None, **envelope}
        return {"error_code": 0, "error_msg": "SUCCESS", "result": result, **envelope}

    @staticmethod
    def _send(request: BaseHTTPRequestHandler, status: int, content: bytes, kind: str) -> None:
        request.send_response(status)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    def _call(self, path: str, body: dict) -> Any:
        if path in ENROLMENTS:
            return self._enrol(path, body)
        if path in ("v3/search", "capture/search"):
            return self._search(body)
        name = path.removeprefix("v3/").replace("scene/faceset/group", "scene_group")
        return getattr(self, "_" + name.removeprefix("faceset/").replace("/", "_"))(body)

    def _enrol(self, path: str, body: dict) -> dict:
        kind = "scene" if path.startswith("scene") else "general"
        group, user = body["group_id"], body["user_id"]
        if kind == "scene" and body.get("scene_type") != "SEC":
            raise Refused(223201, "scene_type error")
        if group not in self.groups:
            raise Refused(223100, "group is not exist")
        if self.groups[group] != kind:
            raise Refused(223202, "scene_type does not match")
        picture = base64.b64decode(body["image"], validate=True)
        token = token_of(picture)
        if token in self.unusable:
            raise Refused(222202, "pic not has face")
        if body["action_type"] == "UPDATE" and (group, user) not in self.users:
            raise Refused(223103, "user is not exist")
        kept = {} if body["action_type"] != "APPEND" else self.users.get((group, user), {})
        others = {t for (g, u), faces in self.users.items() if g == group and u != user for t in faces}
        if token in kept or token in others:
            raise Refused(223105, "face is already exist")
        if len(kept) >= 20:
            raise Refused(222210, "the number of user's faces is beyond the limit")
        self.users[group, user] = {**kept, token: picture}
        self.infos[user] = body.get("user_info", "")
        return {"face_token": token, "location": {"left": 1, "top": 2, "width": 100, "height": 100}}

    def _search(self, body: dict) -> dict:
        token = token_of(base64.b64decode(body["image"]))
        groups = body["group_id_list"].split(",")
        for (group, user), faces in self.users.items():
            if group in groups and token in faces and body.get("user_id") in (None, user):
                found = {"group_id": group, "user_id": user, "user_info": "", "score": 100}
                return {"face_token": token, "user_list": [found]}
        raise Refused(222207, "match user is not found")

    def _face_getlist(self, body: dict) -> dict:
        faces = self._user(body)
        return {"face_list": [{"face_token": token, "ctime": "2026-01-01 00:00:00"} for token in faces]}

    def _face_delete(self, body: dict) -> None:
        if self._user(body).pop(body["face_token"], None) is None:
            raise Refused(223106, "face is not exist")
        if not self._user(body):
            del self.users[body["group_id"], body["user_id"]]

    def _user_get(self, body: dict) -> dict:
        groups = self._groups_of(body)
        if not groups and self.lingering:
            self.lingering -= 1
            groups = ["default"]
        if not groups:
            raise Refused(223103, "user is not exist")
        return {"user_list": [{"group_id": group, "user_info": ""} for group in groups]}

    def _user_delete(self, body: dict) -> None:
        groups = self._groups_of(body)
        if not groups:
            raise Refused(223103, "user is not exist")
        for group in groups:
            del self.users[group, body["user_id"]]

    def _group_add(self, body: dict) -> None:
        self._make(body["group_id"], "general")

    def _scene_group_add(self, body: dict) -> None:
        self._make(body["group_id"], "scene")

    def _group_getlist(self, body: dict) -> dict:
        return {"group_id_list": self._page(sorted(self.groups), body)}

    def _group_getusers(self, body: dict) -> dict:
        if body["group_id"] not in self.groups:
            raise Refused(223100, "group is not exist")
        users = sorted(user for group, user in self.users if group == body["group_id"])
        return {"user_id_list": self._page(users, body)}

    @staticmethod
    def _page(ids: list[str], body: dict) -> list[str]:
        start = body.get("start", 0)
        return ids[start : start + body.get("length", 100)]

    def _make(self, group: str, kind: str) -> None:
        if group in self.groups:
            raise Refused(223101, " group is already exist")
        self.groups[group] = kind

    def _user(self, body: dict) -> dict[str, bytes]:
        faces = self.users.get((body["group_id"], body["user_id"]))
        if faces is None:
            raise Refused(223103, "user is not exist")
        return faces

    def _groups_of(self, body: dict) -> list[str]:
        wanted = body["group_id"]
        return [g for g, u in self.users if u == body["user_id"] and wanted in (g, "@ALL")]
