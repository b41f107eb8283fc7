"""`edged serve`: the recognition server in the foreground, and a first configuration for it."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Annotated

import structlog
import typer

from edged.clock import SystemClock
from edged.config.serve import ServeConfig, load_serve_config
from edged.errors import Misconfigured
from edged.ops.heartbeat import WatchdogFeeder
from edged.ops.lock import lock_data_dir
from edged.ops.logs import configure_logging
from edged.ops.systemd import Notifier, watchdog_s
from edged.server.authentication import CREDENTIAL, Keys, read_keys
from edged.server.running import RecognitionServer
from edged.server.setup import init_folder

app = typer.Typer()
DEFAULT_FILE = Path("/etc/edged-serve/serve.yaml")


@app.command("serve")
def serve(
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            "-c",
            envvar="EDGED_SERVE_CONFIG",
            metavar="FILE",
            help="Its configuration file; without it /etc/edged-serve/serve.yaml.",
            show_default=False,
        ),
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on, instead of `host`.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port to listen on, instead of `port`.")
    ] = None,
    init: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Make a configuration with one application and fresh keys in DIR, and exit."
        ),
    ] = None,
) -> None:
    """Answer the face cloud's calls with this machine's own engine and libraries, until stopped."""
    if init is not None:
        _init(init)
        return
    settings = load_serve_config(config or DEFAULT_FILE, environ=os.environ)
    given = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    settings = settings.model_copy(update=given)
    keys = keys_for(settings, os.environ.get("CREDENTIALS_DIRECTORY"))
    clock = SystemClock()
    configure_logging(settings.log, clock=clock, stream=sys.stderr, environ=os.environ)
    with lock_data_dir(settings.data_dir, clock=clock):
        server = RecognitionServer(settings, keys, clock)
        server.start()
        _catch_signals(server)
        _serve(server)


def _serve(server: RecognitionServer) -> None:
    notifier = Notifier(os.environ)
    log = structlog.get_logger("edged.serve")
    timeout_s = watchdog_s(os.environ, os.getpid())
    feeder = WatchdogFeeder(server.heartbeats, notifier, timeout_s, lambda parts: _log_hung(parts, log))

    def on_listening() -> None:
        notifier.ready(f"answering at {server.address}")
        log.info("serving", address=server.address)
        feeder.start()

    def on_stopping() -> None:
        notifier.stopping("asked to stop")
        feeder.stop()

    server.serve(on_listening, on_stopping)


def _log_hung(parts: list[str], log: structlog.typing.FilteringBoundLogger) -> None:
    if parts:
        log.error(
            "parts_hung", parts=parts, meaning="The watchdog is not fed; systemd will restart the server."
        )
    else:
        log.info("parts_running_again")


def keys_for(settings: ServeConfig, credentials: str | None) -> dict[str, Keys]:
    """The keys from the systemd credential when there is one, else from `secrets_file`.

    Args:
        credentials: the folder in CREDENTIALS_DIRECTORY.

    Raises:
        Misconfigured: see `read_keys`; none at all is fine while every application is private.
    """
    appids = [one.id for one in settings.apps]
    if credentials and (Path(credentials) / CREDENTIAL).exists():
        return read_keys(Path(credentials) / CREDENTIAL, appids, handed_over=True)
    if settings.secrets_file is not None:
        return read_keys(settings.secrets_file, appids)
    if all(one.private for one in settings.apps):
        return {}
    raise Misconfigured(
        "There are no keys: no secrets_file is named and systemd handed over no credential.",
        code="secrets_missing",
        hint="Name the file with `secrets_file:`; `edged serve --init DIR` makes one.",
    )


def _init(folder: Path) -> None:
    made = init_folder(folder)
    typer.echo(f"{made.config}: the configuration, with one application")
    typer.echo(f"{made.secrets}: its keys; keep it private")
    typer.echo(f"Start it: edged serve --config {made.config}")


def _catch_signals(server: RecognitionServer) -> None:
    """SIGTERM and SIGINT ask the server to stop; a second one does not interrupt the stopping."""

    def on_signal(number: int, frame: FrameType | None) -> None:
        server.ask_to_stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        with suppress(ValueError):  # not in the main thread: the caller there stops us another way
            signal.signal(number, on_signal)
