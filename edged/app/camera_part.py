"""Cameras: every camera with its vision, and the end of sources that have one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from edged.app.camera_watch import CameraWatch, FrameCounts, LivenessParts
from edged.app.part import PartHealth, PartState, PlainValue
from edged.app.site import Site
from edged.app.site_part import SitePart
from edged.app.stop_in_turn import stop_in_turn
from edged.config import CameraConfig
from edged.events import SourceEnded
from edged.vision.opencv import prepare_opencv
from edged.vision.passage_verdicts import PassageVerdicts

SOURCE_ENDED = "the source has ended"
"""Reason of the stop request when the sources of all cameras have ended."""

FINISH_S = 5.0


class CameraPart(SitePart):
    """Provides `cameras`, itself.

    Making it starts the liveness drivers of the configuration: one that cannot start is a wrong setting.

    Raises:
        EdgedError: the address of a source, a model or a liveness driver can never be used.
    """

    name = "cameras"

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        prepare_opencv(site.config.vision.threads)
        self._verdicts = PassageVerdicts()
        self._liveness = LivenessParts.load(site.config.vision, site.clock)
        self._watches = [self._watch(camera) for camera in site.config.cameras]
        self._running: set[str] = set()
        self._ended: SourceEnded | None = None
        site.cameras = self

    def start(self) -> None:
        """A camera that is missing is waited for."""
        self._verdicts.attach(self._site.bus)
        self._site.bus.subscribe(SourceEnded, self._on_source_ended, name="daemon")
        self._running = {watch.camera.id for watch in self._watches}
        for watch in self._watches:
            watch.start()

    def finish(self) -> None:
        """Let vision come to the end of the sources."""
        for watch in self._watches:
            watch.finish(FINISH_S)

    def stop(self, timeout_s: float) -> bool:
        """No more frames from any camera, then the vision threads."""
        stops = [watch.stop_capture for watch in self._watches]
        stops += [watch.stop_vision for watch in self._watches]
        return stop_in_turn(stops, timeout_s, self._site.clock)

    def beats(self) -> Sequence[str]:
        """`camera` and `vision`, each with `:CAMERA` where there are several."""
        return [name for watch in self._watches for name in watch.beats]

    def health(self) -> PartHealth:
        """`cameras`: by camera, `connected`, `ended` and the frames: `read`, `analysed`, `dropped`, `stale`,
        `reconnects`, `last_frame_age_s`.

        Some cameras missing: degraded; all of them: failed. A source that has ended is not missing.
        """
        cameras: dict[str, PlainValue] = {}
        missing = []
        for watch in self._watches:
            camera_id, connected = watch.camera.id, watch.connected
            ended = camera_id not in self._running
            cameras[camera_id] = {
                "connected": connected,
                "ended": ended,
                "analysed": watch.counts.analysed,
                **asdict(watch.counters()),
            }
            if not (connected or ended):
                missing.append(camera_id)
        if missing:
            state = PartState.FAILED if len(missing) == len(cameras) else PartState.DEGRADED
            return self._is(state, f"No picture from: {', '.join(missing)}.", cameras=cameras)
        return self._is(PartState.OK, "Every camera gives pictures.", cameras=cameras)

    @property
    def counts(self) -> FrameCounts:
        """Frames of all cameras so far."""
        return sum((watch.counts for watch in self._watches), FrameCounts())

    @property
    def ended(self) -> SourceEnded | None:
        """How the sources ended: the last that broke off, else the first; None while none has."""
        return self._ended

    def _watch(self, camera: CameraConfig) -> CameraWatch:
        config = self._site.config
        return CameraWatch(
            camera,
            self._site,
            self._liveness,
            self._verdicts,
            suffix=f":{camera.id}" if config.more_cameras else "",
        )

    def _on_source_ended(self, event: SourceEnded) -> None:
        """The box has nothing more to do when the sources of all its cameras have ended."""
        for watch in self._watches:
            if watch.camera.id == event.camera_id:
                watch.forget_beats()  # the others go on, and its silence is no hang
        if self._ended is None or not event.complete:
            self._ended = event
        self._running.discard(event.camera_id)
        if not self._running:
            self._site.stop_request.ask(SOURCE_ENDED)
