"""`edged aim`: the live picture in numbers, with advice, while a camera is being mounted. Opens no door."""

from __future__ import annotations

import signal
import sys
from collections import deque
from contextlib import suppress
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live

from edged.bus import EventBus
from edged.camera.capture import CaptureLoop
from edged.camera.mailbox import Mailbox
from edged.camera.registry import open_source
from edged.cli.aim_view import View, line, screen
from edged.cli.common import ConfigOption, resolve_config
from edged.clock import Clock, SystemClock
from edged.config import Config, QualityLimits
from edged.config.load import config_of
from edged.config.mask import mask_url
from edged.errors import NeedsOperator
from edged.events import CameraConnected, CameraLost, Event, SourceEnded
from edged.frame import Frame
from edged.vision import quality
from edged.vision.advice import Advisor, AimingAdvice, Sample, distance_m, light_around
from edged.vision.faces import FaceReader, FaceReading
from edged.vision.opencv import prepare_opencv

app = typer.Typer()

_SMALLEST_SHARE = 0.4
"""Smallest share of the required size at which a face is shown: the view follows people who walk up."""

_RATE_S = 3.0
_SCREEN_PAUSE_S, _LINE_PAUSE_S = 0.12, 1.0
_TAKE_S = 0.1
_SOURCES = "docs/cameras.md lists what can be a source of pictures."


@app.command("aim")
def aim(
    camera: Annotated[
        str | None,
        typer.Option(
            metavar="SOURCE",
            help="Instead of the configured one: a number, /dev/…, rtsp://…, a file, demo:.",
            show_default=False,
        ),
    ] = None,
    config: ConfigOption = None,
    seconds: Annotated[
        float | None,
        typer.Option(min=0.1, help="End after this time; else with Ctrl-C.", show_default=False),
    ] = None,
    hfov: Annotated[
        float | None,
        typer.Option(
            min=10,
            max=170,
            metavar="DEGREES",
            help="Horizontal angle of the lens: distances are estimated.",
            show_default=False,
        ),
    ] = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="One line a second, as when the output is not a terminal.")
    ] = False,
) -> None:
    """Show what the camera sees, in numbers, and what to change about its place, lens and light.

    Stand where people will stop. Nothing is recognised, recorded or opened. Stop `edged run` first: a camera
    serves one program.
    """
    settings = _with_camera(resolve_config(config), camera)
    prepare_opencv(settings.vision.threads)
    clock = SystemClock()
    watcher = Watcher(settings, clock, hfov_deg=hfov)
    console = Console(highlight=False)
    show = _Lines(watcher) if plain or not console.is_terminal else _Screen(watcher, console)
    with suppress(ValueError):  # not in the main thread: the caller there ends it another way
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        watcher.start()
        show.start()
        with suppress(KeyboardInterrupt):
            _watch(watcher, show, clock, seconds)
    finally:
        show.stop()
        watcher.stop()
    code = watcher.exit_code()
    typer.echo(watcher.summary())
    raise typer.Exit(code)


def _with_camera(config: Config, source: str | None) -> Config:
    if source is None:
        return config
    camera = {**config.camera.model_dump(), "source": source}
    return config_of({**config.model_dump(), "camera": camera}, {"camera.source": "--camera"})


def _watch(watcher: Watcher, show: _Screen | _Lines, clock: Clock, seconds: float | None) -> None:
    until_s = None if seconds is None else clock.monotonic() + seconds
    shown_s = float("-inf")
    while not watcher.finished and (until_s is None or clock.monotonic() < until_s):
        watcher.look()
        now_s = clock.monotonic()
        if now_s - shown_s >= show.pause_s:
            show.update(watcher.view())
            shown_s = now_s
    show.update(watcher.view())


class Watcher:
    """Reads one camera and measures every face of it.

    Args:
        config: camera and quality limits.
        clock: the machine's.
        hfov_deg: horizontal angle of view of the lens, if known.
    """

    def __init__(self, config: Config, clock: Clock, *, hfov_deg: float | None) -> None:
        self._config = config
        self._clock = clock
        self._hfov_deg = hfov_deg
        self._mailbox = Mailbox()
        self._bus = EventBus(clock)
        self._advisor = Advisor(self.limits, mirror=config.camera.mirror, hfov_deg=hfov_deg)
        self._reader = FaceReader(max_faces=config.vision.max_faces)
        self._capture = CaptureLoop(
            config.camera,
            lambda: open_source(config.camera, clock=clock),
            self._mailbox,
            self._bus,
            clock,
        )
        self._times: deque[tuple[float, int, float]] = deque()
        self._frame: Frame | None = None
        self._faces: tuple[FaceReading, ...] = ()
        self._lost: CameraLost | None = None
        self._ended: SourceEnded | None = None
        self._looked = self._with_face = self._accepted = 0

    @property
    def limits(self) -> QualityLimits:
        return self._config.vision.quality

    @property
    def finished(self) -> bool:
        """No picture will come any more."""
        return self._mailbox.finished

    def start(self) -> None:
        """Start reading. Raises at once for a source that can never be opened."""
        open_source(self._config.camera, clock=self._clock)
        self._reader.warm_up()
        self._bus.subscribe((CameraConnected, CameraLost, SourceEnded), self._note, name="aim")
        self._capture.start()

    def stop(self) -> None:
        self._capture.stop()
        self._bus.drain(1.0)
        self._bus.close(1.0)

    def _note(self, event: Event) -> None:
        if isinstance(event, SourceEnded):
            self._ended = event
        else:
            self._lost = event if isinstance(event, CameraLost) else None

    def look(self) -> None:
        """Measure the newest picture; waits a moment for one."""
        frame = self._mailbox.take(_TAKE_S)
        if frame is None:
            return
        smallest = max(20.0, _SMALLEST_SHARE * self.limits.min_face_px)
        found = self._reader.detect(frame.image, min_face_px=smallest)
        self._faces = tuple(self._judged(self._reader.measure(frame.image, face)) for face in found)
        self._frame = frame
        self._count()
        self._times.append((self._clock.monotonic(), frame.number, frame.captured_s))
        if self._faces:
            self._advisor.add(self._sample(frame, self._faces[0]))

    def _judged(self, reading: FaceReading) -> FaceReading:
        missed = quality.refusals(reading.measures, self.limits)
        return FaceReading(reading.detection, reading.mesh, reading.measures, reading.aligned, missed)

    def _count(self) -> None:
        self._looked += 1
        self._with_face += bool(self._faces)
        self._accepted += any(not face.missed for face in self._faces)

    def _sample(self, frame: Frame, nearest: FaceReading) -> Sample:
        x, y, width, height = nearest.detection.box
        rows, columns = frame.image.shape[:2]
        return Sample(
            at_s=self._clock.monotonic(),
            measures=nearest.measures,
            centre=((x + width / 2) / columns, (y + height / 2) / rows),
            around=light_around(frame.image, nearest.detection.box),
        )

    def view(self) -> View:
        """The view of this moment."""
        camera_fps, looked_fps = self._rates()
        size = None if self._frame is None else self._frame.image.shape[1::-1]
        return View(
            source=mask_url(self._config.camera.source),
            size=size,
            camera_fps=camera_fps,
            looked_fps=looked_fps,
            faces=self._faces,
            distances_m=tuple(self._away_m(face) for face in self._faces),
            advice=tuple(self._advice()),
            trouble=self._trouble(),
        )

    def _away_m(self, face: FaceReading) -> float | None:
        if self._frame is None or self._hfov_deg is None:
            return None
        return distance_m(face.measures.face_px, self._frame.image.shape[1], self._hfov_deg)

    def _rates(self) -> tuple[float | None, float | None]:
        """Pictures a second that arrived and that vision measured, over the last seconds."""
        now_s = self._clock.monotonic()
        while self._times and now_s - self._times[0][0] > _RATE_S:
            self._times.popleft()
        if len(self._times) < 2 or self._times[-1][0] - self._times[0][0] < 0.5:
            return None, None
        (first_s, first, captured_s), (last_s, last, seen_s) = self._times[0], self._times[-1]
        came = (last - first) / max(seen_s - captured_s, 1e-3)
        return came, (len(self._times) - 1) / (last_s - first_s)

    def _advice(self) -> list[AimingAdvice]:
        if self._frame is None:
            return []
        camera_fps, _ = self._rates()
        width = self._frame.image.shape[1]
        return self._advisor.advice(self._clock.monotonic(), width=width, fps=camera_fps)

    def _trouble(self) -> str:
        lost = self._lost
        return "" if lost is None else f"camera lost: {lost.reason} {lost.hint}".rstrip()

    def summary(self) -> str:
        """One line that sums up every measured picture, and the last advice."""
        lines = [
            f"{self._looked} pictures looked at: {self._with_face} with a face, "
            f"{self._accepted} with a face good enough to recognise"
        ]
        if self._ended is not None and not self._ended.complete:
            lines.append(f"the source broke off: {self._ended.reason}")
        return "\n".join([*lines, *(f"advice: {one.text}" for one in self._advice())])

    def exit_code(self) -> int:
        """0 when pictures came, 65 when a file broke off.

        Raises:
            NeedsOperator: no picture came; the code is that of the camera's trouble.
        """
        if self._looked == 0:
            lost, ended = self._lost, self._ended
            if lost is not None:
                raise NeedsOperator(lost.reason, code=lost.code, hint=lost.hint)
            if ended is not None and ended.reason:
                told = f"No picture came: {ended.reason}"
                raise NeedsOperator(told, code="camera_no_pictures", hint=_SOURCES)
            raise NeedsOperator(
                "No picture came: the time was too short.", code="camera_silent", hint="Give it more time."
            )
        return 65 if self._ended is not None and not self._ended.complete else 0


class _Screen:
    """A table that changes in place."""

    pause_s = _SCREEN_PAUSE_S

    def __init__(self, watcher: Watcher, console: Console) -> None:
        self._limits = watcher.limits
        self._live = Live(console=console, auto_refresh=False, vertical_overflow="crop")

    def start(self) -> None:
        self._live.start()

    def update(self, view: View) -> None:
        self._live.update(screen(view, self._limits), refresh=True)

    def stop(self) -> None:
        self._live.stop()


class _Lines:
    """A line a second; advice when it is another than before."""

    pause_s = _LINE_PAUSE_S

    def __init__(self, watcher: Watcher) -> None:
        self._told: tuple[str, ...] = ()

    def start(self) -> None:
        """Nothing to prepare."""

    def update(self, view: View) -> None:
        typer.echo(line(view))
        codes = tuple(one.code for one in view.advice)
        if codes != self._told:
            for one in view.advice:
                typer.echo(f"  advice: {one.text}")
            self._told = codes
        sys.stdout.flush()

    def stop(self) -> None:
        """Nothing to put back."""
