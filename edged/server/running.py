"""Builds a server from its configuration, listens, and stops in order."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager

import structlog
import uvicorn

from edged import models
from edged.clock import Clock
from edged.config.serve import ServeConfig, TlsConfig
from edged.errors import Misconfigured, NeedsOperator
from edged.ops.heartbeat import Heartbeats
from edged.server.application import Application
from edged.server.authentication import Authentication, Keys
from edged.server.face_libraries import FaceLibrary
from edged.server.face_tokens import FaceTokens
from edged.server.http_app import Service, build_app
from edged.server.limits import Limits, cloud_day
from edged.server.pool import WorkerPool
from edged.server.slow_client import patient_protocol
from edged.server.vision_worker import FaceNetworks, warm_networks
from edged.vision.opencv import prepare_opencv

IO_WORKERS = 4
"""Threads for calls that only use the libraries."""

HUNG_AFTER_S = 20.0
"""A worker is hung if one job takes longer, seconds; the largest picture takes less than two."""


def _nothing() -> None:
    pass


class RecognitionServer:
    """One server: libraries, workers, socket. `start`, then `serve` until `ask_to_stop`.

    Args:
        config: complete and checked, with absolute paths.
        keys: by appid.
        clock: wall and monotonic time.
        make_networks: called once in each vision worker; networks belong to one thread.

    Attributes:
        heartbeats: heartbeats of the event loop and every worker.
    """

    def __init__(
        self,
        config: ServeConfig,
        keys: Mapping[str, Keys],
        clock: Clock,
        *,
        make_networks: Callable[[], FaceNetworks] = warm_networks,
    ) -> None:
        self._config = config
        self._keys = keys
        self._clock = clock
        self._make_networks = make_networks
        self.heartbeats = Heartbeats(clock)
        self._log = structlog.get_logger("edged.serve")
        self._closing = ExitStack()
        self._apps: dict[str, Application] = {}
        self._server: _Server | None = None
        self.port = 0

    def start(self) -> None:
        """Open the libraries, load the networks, take the port. After an error nothing stays open.

        Raises:
            Misconfigured: no application, no keys for one, unusable TLS files, a damaged model.
            NeedsOperator: the port is taken (`port_in_use`), the address is not one of this machine
                (`address_unusable`), or the data directory cannot be used.
        """
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    def _start(self) -> None:
        config = self._config
        self._check_keys()
        check_tls(config.tls)
        listener = self._listen()
        prepare_opencv(1)
        self._apps.update({app.appid: app for app in self._applications()})
        waiting = config.limits.waiting
        vision_workers = WorkerPool("eyes", config.limits.workers, waiting, self._make_networks, self._watch)
        io_workers: WorkerPool[None] = WorkerPool("clerk", IO_WORKERS, waiting, lambda: None, self._watch)
        for pool in (vision_workers, io_workers):
            self._closing.callback(pool.stop, config.limits.stop_s)
            pool.start()
        service = Service(
            apps=self._apps,
            authentication=Authentication(self._keys, self._clock, int(config.token_days * 86_400)),
            vision_workers=vision_workers,
            io_workers=io_workers,
            clock=self._clock,
            body_bytes=int(config.limits.body_mb * 1_000_000),
            body_timeout_s=config.limits.body_timeout_s,
        )
        self._server = _Server(self._uvicorn_config(service))
        self._server.beat = self._watch("loop")
        self._listener = listener

    def serve(
        self, on_listening: Callable[[], object] = _nothing, on_stopping: Callable[[], object] = _nothing
    ) -> None:
        """Answer requests until `ask_to_stop`; then finish those in progress and close everything.

        Args:
            on_listening: called once connections are answered.
            on_stopping: called when no more are.
        """
        assert self._server is not None, "start() first"
        self._server.on_listening, self._server.on_stopping = on_listening, on_stopping
        try:
            asyncio.run(self._server.serve(sockets=[self._listener]))
        finally:
            self.close()
            self._log.info("stopped")

    def ask_to_stop(self) -> None:
        """Stop soon. Safe in a signal handler and from any thread."""
        if self._server is not None:
            self._server.should_exit = True

    def close(self) -> None:
        """Close everything. `serve` does so itself."""
        self._closing.close()

    @property
    def address(self) -> str:
        """Address of the server, e.g. `http://127.0.0.1:8300`."""
        scheme = "https" if self._config.tls.certificate else "http"
        host = f"[{self._config.host}]" if ":" in self._config.host else self._config.host
        return f"{scheme}://{host}:{self.port}"

    def _watch(self, name: str) -> Callable[[], None]:
        return self.heartbeats.register(name, HUNG_AFTER_S)

    def _check_keys(self) -> None:
        if not self._config.apps:
            raise Misconfigured(
                "No application is configured, so nobody could ask anything.",
                code="serve_no_apps",
                hint="List one under `apps:`; `edged serve --init DIR` makes a complete example.",
            )
        for app in self._config.apps:
            if app.id not in self._keys and not app.private:
                raise Misconfigured(
                    f"The application {app.id} has no keys.",
                    code="secrets_missing",
                    hint="Add `api_key` and `secret_key` under its name to the secrets file.",
                )

    def _applications(self) -> Generator[Application, None, None]:
        model_id = models.load("face_embedding").model_id
        for app in self._config.apps:
            library = FaceLibrary.open(
                self._config.data_dir / f"{app.id}.db",
                model_id,
                self._clock,
                check_scene=self._config.check_scene,
            )
            self._closing.callback(library.close)
            others = library.storage.faces_of_other_models()
            if others:
                meaning = "They are kept and not searched; register these people again."
                self._log.error("faces_of_another_model", appid=app.id, faces=others, meaning=meaning)
            self._log.info("library_opened", appid=app.id, faces=library.faces, private=app.private)
            yield Application(
                config=app,
                library=library,
                seen=FaceTokens(self._clock),
                limits=Limits(app, self._clock, library.storage.used(cloud_day(self._clock))),
                picture_side_px=self._config.limits.picture_side_px,
            )

    def _listen(self) -> socket.socket:
        host, port = self._config.host, self._config.port
        try:
            family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
            listener = socket.create_server((host, port), family=family, backlog=256)
        except OSError as error:
            raise _cannot_listen(f"{host}:{port}", error) from error
        self._closing.callback(listener.close)
        # inherited by every connection; asyncio sets it only on sockets made with an explicit protocol, and
        # head and body of an answer leave separately: without it each answer waits 40 ms for the client's ACK
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port = listener.getsockname()[1]
        return listener

    def _uvicorn_config(self, service: Service) -> uvicorn.Config:
        limits = self._config.limits
        return uvicorn.Config(
            build_app(service),
            http=patient_protocol(limits.header_timeout_s, limits.body_timeout_s),
            ws="none",
            lifespan="off",
            loop="asyncio",
            log_config=None,
            log_level="error",  # else clients could fill the log with invalid requests
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=limits.connections,
            timeout_keep_alive=int(limits.keep_alive_s) or 1,
            timeout_graceful_shutdown=max(1, round(limits.stop_s)),
            ssl_certfile=self._config.tls.certificate,
            ssl_keyfile=self._config.tls.key,
        )


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling; reports when it listens and when it stops."""

    on_listening: Callable[[], object] = staticmethod(_nothing)
    on_stopping: Callable[[], object] = staticmethod(_nothing)
    beat: Callable[[], object] = staticmethod(_nothing)

    async def on_tick(self, counter: int) -> bool:
        self.beat()
        return await super().on_tick(counter)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.on_listening()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.on_stopping()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave signals to the command: uvicorn would raise them again and end with their status."""
        yield


def _cannot_listen(where: str, error: OSError) -> NeedsOperator:
    if error.errno == errno.EADDRINUSE:
        return NeedsOperator(
            f"Cannot listen on {where}: {os.strerror(error.errno)}.",
            code="port_in_use",
            hint="Stop the program that has it, or choose another one with `port` or --port.",
        )
    return NeedsOperator(
        f"Cannot listen on {where}: {error.strerror or error}.",
        code="address_unusable",
        hint="`host` must be an address of this machine (0.0.0.0: all), `port` one this user may take.",
    )


def check_tls(config: TlsConfig) -> None:
    """Load certificate and key, if configured. Raises Misconfigured `tls_unusable`."""
    if config.certificate is None or config.key is None:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(config.certificate, config.key)
    except OSError as error:  # ssl.SSLError is one
        raise Misconfigured(
            f"The certificate {config.certificate} with the key {config.key} cannot be used: "
            f"{error.strerror or error}.",
            code="tls_unusable",
            hint="Both must be PEM, belong together and be readable for the user that runs edged.",
        ) from error
