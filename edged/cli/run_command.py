"""`edged run`: the daemon in the foreground, for systemd and for trying things."""

from __future__ import annotations

import os
import sys

import structlog
import typer

from edged.app.daemon import Daemon
from edged.cli.common import ConfigOption, resolve_config
from edged.cli.foreground import catch_signals, exit_code
from edged.clock import SystemClock
from edged.events import Event
from edged.ops.eventlog import EventLog
from edged.ops.heartbeat import WatchdogFeeder
from edged.ops.logs import configure_logging
from edged.ops.systemd import Notifier, watchdog_s

app = typer.Typer()


@app.command("run")
def run(config: ConfigOption = None) -> None:
    """Watch the camera and move the gate until SIGTERM or Ctrl-C. The relay is then switched off first."""
    clock = SystemClock()
    started_s = clock.monotonic()
    settings = resolve_config(config)
    configure_logging(settings.log, clock=clock, stream=sys.stderr, environ=os.environ)
    daemon = Daemon(settings, clock, started_s=started_s)
    catch_signals(daemon)
    daemon.bus.subscribe(Event, EventLog().take, name="log", capacity=1024)
    notifier = Notifier(os.environ)
    daemon.start()
    feeder = WatchdogFeeder(
        daemon.heartbeats, notifier, watchdog_s(os.environ, os.getpid()), on_change=_log_hung
    )
    feeder.start()
    watched = ", ".join(camera.id for camera in settings.cameras)
    kept = ", ".join(gate.id for gate in settings.gates)
    notifier.ready(f"watching {watched}, keeping {kept}")
    daemon.wait()
    notifier.stopping(daemon.stop_reason)
    feeder.stop()
    in_time = daemon.stop()
    raise typer.Exit(exit_code(daemon, in_time))


def _log_hung(parts: list[str]) -> None:
    log = structlog.get_logger("edged")
    if parts:
        log.error("parts_hung", parts=parts, meaning="The watchdog is not fed; systemd will restart edged.")
    else:
        log.info("parts_running_again")
