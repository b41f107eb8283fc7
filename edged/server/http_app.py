"""The HTTP side: authentication, limits, envelopes. The handlers make the answers.

Online calls carry a token and stand under `/rest/2.0/face/`, private ones carry an appid and stand under
`/face-api/v3/` (docs/reference/face-api.md 2, 3, 9).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

import structlog
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from edged.clock import Clock
from edged.errors import EdgedError, NeedsOperator, RetryLater
from edged.faceapi.calls import Call
from edged.server.application import Application
from edged.server.authentication import Authentication, TokenRefused
from edged.server.bodies import discard_body, parse_body, read_body, require_json
from edged.server.calls import HANDLERS, Handler
from edged.server.limits import cloud_day
from edged.server.pool import WorkerPool
from edged.server.replies import ApiError, failure, success
from edged.server.vision_worker import FaceNetworks

TOKEN_PATH: Final = "/oauth/2.0/token"
ONLINE: Final = {f"/rest/2.0/face/{call.value.online}": call for call in Call}
PRIVATE: Final = {f"/face-api/v3/{call.value.private}": call for call in Call if call.value.private}
_TOKEN_BODY_BYTES: Final = 16_384
_EXCESS: Final = 4
_DISCARD_S: Final = 2.0
"""Limits for reading on after refusing a request: multiple of the largest body, and seconds."""


@dataclass(frozen=True)
class Service:
    """Parts that the HTTP side needs; see `running.py`."""

    apps: Mapping[str, Application]
    authentication: Authentication
    vision_workers: WorkerPool[FaceNetworks]
    io_workers: WorkerPool[None]
    clock: Clock
    body_bytes: int
    body_timeout_s: float


class Gateway:
    """The one ASGI endpoint: every path comes here, because an unknown one has a documented answer, too."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._log = structlog.get_logger("edged.serve")

    async def answer(self, request: Request) -> Response:
        """Answer one request. Never raises, so that no client sees a traceback or an empty reply."""
        started_s = self._service.clock.monotonic()
        call = ONLINE.get(request.url.path) or PRIVATE.get(request.url.path)
        app: Application | None = None
        try:
            if request.url.path == TOKEN_PATH:
                return await self._token(request)
            if call is None or request.method != "POST":
                raise ApiError(3)
            app = self._application(request)
            body = await self._call(app, call, request)
            code, status = 0, 200
        except ClientDisconnect:
            self._note(request, app, call, "client_gone", started_s)
            return Response(status_code=400)
        except Exception as error:  # noqa: BLE001 - the supervisor of all handlers
            refused = self._explained(error)
            body, code, status = failure(refused, self._arrived_s()), refused.code, refused.status
            if status != 408:  # the client had its time
                await discard_body(request, _EXCESS * self._service.body_bytes, _DISCARD_S)
        self._note(request, app, call, code, started_s)
        headers = {} if status == 200 else {"connection": "close"}
        return JSONResponse(body, status, headers, media_type="application/json;charset=utf-8")

    def _application(self, request: Request) -> Application:
        """The application of a request: by token, or by appid if the application allows that."""
        apps = self._service.apps
        if request.url.path in PRIVATE:
            appid = request.query_params.get("appid")
            if not appid:
                raise ApiError(222001, "param[appid] is null")
            app = apps.get(appid)
            if app is None or not app.config.private:
                raise ApiError(15)
            return app
        token = request.query_params.get("access_token")
        if token is None and request.headers.get("authorization", "").startswith("bce-auth-v1/"):
            raise ApiError(14)  # edged has no signed requests
        return apps[self._service.authentication.appid_of(token)]

    async def _call(self, app: Application, call: Call, request: Request) -> dict[str, Any]:
        handler = HANDLERS.get(call)
        if handler is None:
            raise ApiError(6)
        if app.in_flight >= app.config.concurrency:
            raise ApiError(222915)
        used = app.limits.admit(call)
        app.in_flight += 1
        try:
            arrived_s = self._arrived_s()
            content = await read_body(request, self._service.body_bytes, self._service.body_timeout_s)
            require_json(request)
            body = parse_body(content, array=handler.array)
            return success(await self._work(app, call, handler, body, used), arrived_s)
        finally:
            app.in_flight -= 1

    async def _work(self, app: Application, call: Call, handler: Handler, body: Any, used: int | None) -> Any:
        day = cloud_day(self._service.clock)

        def keep_count() -> None:
            if used is not None:
                app.library.storage.note_use(call.title, day, used)

        def look(networks: FaceNetworks) -> Any:
            keep_count()
            return handler.answer(app, networks, body)

        def manage(_: None) -> Any:
            keep_count()
            return handler.answer(app, body)

        if handler.pictures:
            return await self._service.vision_workers.run(look)
        return await self._service.io_workers.run(manage)

    async def _token(self, request: Request) -> Response:
        fields = dict(request.query_params)
        if request.method == "POST":
            content = await read_body(request, _TOKEN_BODY_BYTES, self._service.body_timeout_s)
            fields |= parse_qsl(content.decode("utf-8", "replace"), max_num_fields=100)
        elif request.method != "GET":
            raise ApiError(3)
        wanted = (fields.get(name, "").strip() for name in ("grant_type", "client_id", "client_secret"))
        try:
            granted = self._service.authentication.grant(*wanted)
        except TokenRefused as refused:
            self._log.warning("token_refused", client=_client(request), reason=refused.description)
            body = {"error": refused.error, "error_description": refused.description}
            return JSONResponse(body, refused.status)
        self._log.info("token_granted", client=_client(request))
        return JSONResponse(granted)

    def _explained(self, error: Exception) -> ApiError:
        """The documented code for any exception; logs the details."""
        if isinstance(error, ApiError):
            return error
        if isinstance(error, RetryLater | NeedsOperator):
            self._log.error("storage_failed", code=error.code, message=error.message, hint=error.hint)
            return ApiError(222910)
        known = isinstance(error, EdgedError)
        self._log.error("request_failed", error=str(error) if known else repr(error), exc_info=not known)
        return ApiError(222302)

    def _note(
        self, request: Request, app: Application | None, call: Call | None, code: Any, started_s: float
    ) -> None:
        """Log one line a request, without query (it holds the token) and body."""
        self._log.debug(
            "answered",
            appid=None if app is None else app.appid,
            call=request.url.path if call is None else call.title,
            code=code,
            client=_client(request),
            ms=round((self._service.clock.monotonic() - started_s) * 1000, 1),
        )

    def _arrived_s(self) -> float:
        return self._service.clock.now().timestamp()


def build_app(service: Service) -> Callable[..., Any]:
    """The ASGI application."""
    gateway = Gateway(service)
    methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    return Starlette(routes=[Route("/{path:path}", gateway.answer, methods=methods)])


def _client(request: Request) -> str:
    return request.client.host if request.client else "?"
