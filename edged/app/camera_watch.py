"""One camera at work: its capture loop, mailbox and vision thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edged import models
from edged.app.site import Site
from edged.camera.capture import CaptureCounters, CaptureLoop
from edged.camera.mailbox import Mailbox
from edged.camera.registry import open_source
from edged.camera.source import FrameSource
from edged.clock import Clock
from edged.config import CameraConfig, VisionConfig
from edged.models import ModelFile
from edged.vision.analyser import Analyser
from edged.vision.faces import FaceReader
from edged.vision.liveness import modality_drivers as drivers
from edged.vision.liveness import operator_model
from edged.vision.liveness.modality_drivers import AlsoRequired
from edged.vision.liveness.model import LivenessModel, OperatorModel
from edged.vision.passage_verdicts import PassageVerdicts
from edged.vision.service import VisionService
from edged.vision.spoofing import NoSpoofGuard, PassiveSpoofGuard, SpoofGuard

BEAT_S = 5.0


@dataclass(frozen=True)
class LivenessParts:
    """What all cameras share for liveness: the file of the network, and the drivers of further modalities."""

    network: ModelFile | OperatorModel
    also: AlsoRequired

    @classmethod
    def load(cls, config: VisionConfig, clock: Clock) -> LivenessParts:
        """Load the network and start the drivers. Raises EdgedError when either cannot be used."""
        return cls(_network(config), drivers.load(config.liveness.also_required, clock))

    @staticmethod
    def check(config: VisionConfig) -> None:
        """Raise what `load` would, as far as it shows without starting a driver, which opens its camera."""
        _network(config)
        drivers.find(config.liveness.also_required)


def _network(config: VisionConfig) -> ModelFile | OperatorModel:
    """A model of the operator's answers once here: the vision thread could only fail over it later."""
    manifest = config.liveness.model
    if manifest is None:
        return models.load("face_liveness")
    own = operator_model.load(manifest)
    LivenessModel(own)
    return own


@dataclass(frozen=True)
class FrameCounts:
    """Frames of one camera or several: read from the source, analysed, or dropped for a newer one."""

    read: int = 0
    analysed: int = 0
    dropped: int = 0

    def __add__(self, other: FrameCounts) -> FrameCounts:
        return FrameCounts(
            self.read + other.read, self.analysed + other.analysed, self.dropped + other.dropped
        )


class CameraWatch:
    """A camera and the thread that looks at its pictures.

    Args:
        camera: its configuration.
        site: of the daemon.
        liveness: what all cameras share.
        verdicts: where every passage of the site stands.
        suffix: stands after `camera` and `vision` in the names of the heartbeats; empty for the only camera.

    Raises:
        EdgedError: the address of the source is one that can never be opened.
    """

    def __init__(
        self,
        camera: CameraConfig,
        site: Site,
        liveness: LivenessParts,
        verdicts: PassageVerdicts,
        *,
        suffix: str = "",
    ) -> None:
        self.camera = camera
        self.beats = (f"camera{suffix}", f"vision{suffix}")
        self._config = site.config.vision
        self._door_id = site.config.door_of(camera)
        self._liveness = liveness
        self._clock = site.clock
        self._verdicts = verdicts
        self._heartbeats = site.heartbeats
        self._open_source()  # one that can never be opened is a wrong setting, not an outage
        mailbox = Mailbox()
        self._vision = VisionService(mailbox, self._analyser, site.bus, on_beat=self._beat(1))
        self._capture = CaptureLoop(
            camera,
            self._open_source,
            mailbox,
            site.bus,
            site.clock,
            speed=site.playback.speed,
            loop=site.playback.loop,
            on_beat=self._beat(0),
        )

    def start(self) -> None:
        """Vision first, so that the first frame finds it."""
        self._vision.start()
        self._capture.start()

    def finish(self, timeout_s: float) -> None:
        """Wait for the vision thread to come to the end of a source that has ended."""
        self._vision.join(timeout_s)

    def stop_capture(self, timeout_s: float) -> bool:
        """No more frames. True when that took less than `timeout_s`."""
        return self._capture.stop(timeout_s)

    def stop_vision(self, timeout_s: float) -> bool:
        """End the vision thread. True when that took less than `timeout_s`."""
        return self._vision.stop(timeout_s)

    def forget_beats(self) -> None:
        """Watch its threads no longer: they end as intended."""
        for name in self.beats:
            self._heartbeats.forget(name)

    @property
    def connected(self) -> bool:
        """The source delivers frames."""
        return self._capture.connected

    def counters(self) -> CaptureCounters:
        """Counters of the capture loop."""
        return self._capture.counters()

    @property
    def counts(self) -> FrameCounts:
        """Frames so far."""
        counters = self._capture.counters()
        return FrameCounts(counters.read, self._vision.analysed, counters.dropped)

    def _beat(self, number: int) -> Callable[[], None]:
        return self._heartbeats.register(self.beats[number], BEAT_S)

    def _open_source(self) -> FrameSource:
        return open_source(self.camera, clock=self._clock)

    def _analyser(self) -> Analyser:
        reader = FaceReader(max_faces=self._config.max_faces)
        reader.warm_up()
        return Analyser(
            self._config,
            reader,
            self._clock,
            camera_id=self.camera.id,
            door_id=self._door_id,
            spoofing=self._spoof_guards(),
            passages=self._verdicts,
        )

    def _spoof_guards(self) -> Callable[[], SpoofGuard]:
        """Makes the liveness judgement of each new track; the network is loaded once for the thread."""
        liveness = self._config.liveness
        if liveness.mode == "off":
            return NoSpoofGuard
        model = LivenessModel(self._liveness.network)
        return lambda: PassiveSpoofGuard(liveness, model, self._liveness.also)
