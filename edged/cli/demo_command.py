"""`edged demo`: the whole house on a scene or a real camera; the board is simulated without --gate."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console, RenderableType

from edged.app.daemon import Daemon
from edged.cli.common import log_to_stderr
from edged.cli.foreground import catch_signals, exit_code
from edged.clock import Clock, SystemClock
from edged.config import Config
from edged.config.load import config_of
from edged.demo.people import claim_data_dir, enrol_all, parse_enrolment
from edged.demo.served import send_people, start_server
from edged.demo.story import Story, summary_table
from edged.demo.stream import JsonStream
from edged.demo.summary import Summary
from edged.events import Event
from edged.faceapi.client.credentials import ENV_PREFIX

app = typer.Typer()


class Engine(StrEnum):
    """Who recognises in the demo."""

    LOCAL = "local"
    CLOUD = "cloud"
    HYBRID = "hybrid"


@app.command("demo")
def demo(
    camera: Annotated[
        str,
        typer.Option(
            metavar="SOURCE", help="demo:, a number, /dev/…, rtsp://…, a video file, a folder of pictures."
        ),
    ] = "demo:",
    enrol: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=PHOTO", help="Let this person in. Repeat for more people or more photographs."
        ),
    ] = None,
    gate: Annotated[
        str, typer.Option(metavar="PORT", help="Relay board: sim:lcus, or the port of a real one.")
    ] = "sim:lcus",
    engine: Annotated[
        Engine,
        typer.Option(help="Recognise on this box, on an `edged serve` started for it, or with both."),
    ] = Engine.LOCAL,
    seed: Annotated[int, typer.Option(min=0, help="Order and movements of the scene.")] = 0,
    speed: Annotated[
        float,
        typer.Option(min=0.0, max=100.0, help="Pace of a scene or file; 0: as fast as it can be analysed."),
    ] = 1.0,
    loop: Annotated[bool, typer.Option("--loop", help="Play again and again, until Ctrl-C.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object per event on standard output.")
    ] = False,
    data_dir: Annotated[
        Path | None,
        typer.Option(
            envvar="EDGED_DATA_DIR", metavar="DIR", help="Keep library and records here; else thrown away."
        ),
    ] = None,
) -> None:
    """Play a scene with faces, a gate and its records. Needs no camera, no relay, no cloud account."""
    log_to_stderr()
    clock = SystemClock()
    started_s = clock.monotonic()
    people = [parse_enrolment(text) for text in enrol or []]
    with ExitStack() as stack:
        folder = data_dir or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="edged-demo-")))
        config = _config(folder.absolute(), camera, gate, seed)
        claim_data_dir(config.data_dir)
        enrol_all(config, clock, people, scene=config.camera.source.startswith("demo:"))
        if engine is not Engine.LOCAL:
            config = _served(config, engine, clock, stack)
        daemon = Daemon(config, clock, speed=speed, loop=loop, started_s=started_s)
        printer = _JsonPrinter(daemon) if as_json else _StoryPrinter(daemon, keeps=data_dir)
        summary = Summary()
        daemon.bus.subscribe(Event, summary.take, name="summary", capacity=4096)
        daemon.bus.subscribe(Event, printer.take, name="printer", capacity=4096)
        catch_signals(daemon)
        daemon.start()
        daemon.wait()
        in_time = daemon.stop()
        printer.finish(summary, daemon, clock)
    raise typer.Exit(exit_code(daemon, in_time))


def _config(data_dir: Path, camera: str, gate: str, seed: int) -> Config:
    if camera == "demo:" and seed:
        camera = f"demo:?seed={seed}"
    return config_of(
        {"data_dir": data_dir, "site": "demo", "camera": {"source": camera}, "gate": {"port": gate}},
        {"camera.source": "--camera", "gate.port": "--gate"},
    )


def _served(config: Config, engine: Engine, clock: Clock, stack: ExitStack) -> Config:
    """The same on a recognition server in a process of its own."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="edged-demo-serve-")))
    server = start_server(folder / "serve", stack)
    for name in [name for name in os.environ if name.startswith(ENV_PREFIX)]:
        del os.environ[name]  # keys of a real cloud would win over those of the demo's server
    recognition = {"engine": engine.value, "cloud": server.cloud_section()}
    served = Config.model_validate({**config.model_dump(), "recognition": recognition})
    send_people(served, clock)
    return served


class _JsonPrinter:
    """One line an event, the summary last, nothing else on standard output."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._stream = JsonStream()

    def take(self, event: Event) -> None:
        self._print(self._stream.take(event))

    def finish(self, summary: Summary, daemon: Daemon, clock: Clock) -> None:
        frames = daemon.frame_counts()
        last = summary.to_dict(
            clock.now(), read=frames.read, analysed=frames.analysed, dropped=frames.dropped
        )
        self._print([*self._stream.rest(), last])

    def _print(self, lines: list[dict[str, Any]]) -> None:
        _write("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), self._daemon)


class _StoryPrinter:
    """The story in words, and a table at the end."""

    def __init__(self, daemon: Daemon, *, keeps: Path | None) -> None:
        self._daemon = daemon
        self._console = Console(highlight=False)
        self._story = Story(daemon.clock.monotonic())
        self._clock = daemon.clock
        self._keeps = keeps

    def take(self, event: Event) -> None:
        self._print(*self._story.take(event, self._clock.monotonic()))

    def finish(self, summary: Summary, daemon: Daemon, clock: Clock) -> None:
        frames = daemon.frame_counts()
        self._print("", summary_table(summary, frames.read, frames.analysed, frames.dropped))
        if self._keeps is not None:
            self._print(f"Ask why: edged why PASSAGE --data-dir {self._keeps}")

    def _print(self, *lines: RenderableType) -> None:
        with self._console.capture() as printed:
            for line in lines:
                self._console.print(line, soft_wrap=isinstance(line, str))
        _write(printed.get(), self._daemon)


def _write(text: str, daemon: Daemon) -> None:
    """Write to standard output. Ends the demo quietly when nobody reads it any more, as behind `| head`."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        daemon.ask_to_stop("nobody reads the output any more")
