"""One camera of the box at work: its capture loop, mailbox and vision thread. Starts and ends them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edged import models
from edged.bus import EventBus
from edged.camera.capture import CaptureLoop
from edged.camera.mailbox import Mailbox
from edged.camera.registry import open_source
from edged.camera.source import FrameSource
from edged.clock import Clock
from edged.config import CameraConfig, VisionConfig
from edged.models import ModelFile
from edged.ops.heartbeat import Heartbeats
from edged.vision.analyser import Analyser
from edged.vision.faces import FaceReader
from edged.vision.liveness import modality_drivers as drivers
from edged.vision.liveness import operator_model
from edged.vision.liveness.modality_drivers import AlsoRequired
from edged.vision.liveness.model import LivenessModel
from edged.vision.liveness.operator_model import OperatorModel
from edged.vision.passage_verdicts import PassageVerdicts
from edged.vision.service import VisionService
from edged.vision.spoofing import NoSpoofGuard, PassiveSpoofGuard, SpoofGuard

BEAT_S = 5.0


@dataclass(frozen=True)
class LivenessParts:
    """What the cameras of a box share for liveness: the network's file and the drivers of further cameras."""

    network: ModelFile | OperatorModel
    also: AlsoRequired

    @classmethod
    def load(cls, config: VisionConfig, clock: Clock) -> LivenessParts:
        """As configured; starts the drivers. Raises EdgedError when the file or a driver cannot be used."""
        return cls(_network(config), drivers.load(config.liveness.also_required, clock))

    @staticmethod
    def check(config: VisionConfig) -> None:
        """Raises what `load` would, as far as it shows without starting a driver, which opens its camera."""
        _network(config)
        drivers.find(config.liveness.also_required)


def _network(config: VisionConfig) -> ModelFile | OperatorModel:
    """The operator's own has answered once: in the vision thread it would be too late to refuse it."""
    manifest = config.liveness.model
    if manifest is None:
        return models.load("face_liveness")
    own = operator_model.load(manifest)
    LivenessModel(own)
    return own


@dataclass(frozen=True)
class FrameCounts:
    """Frames of a camera: read from the source, looked at, replaced by a newer one before that."""

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
        camera: which one.
        door_id: the door whose people it sees.
        passages: where every passage of the box stands.
        part: how it is called among the heartbeats, after `camera` and `vision`; empty for the only one.
        speed, loop: for sources with an end, see `Daemon`.

    Raises:
        EdgedError: the address of the source is one that can never be opened.
    """

    def __init__(
        self,
        camera: CameraConfig,
        vision: VisionConfig,
        liveness: LivenessParts,
        bus: EventBus,
        clock: Clock,
        *,
        door_id: str,
        passages: PassageVerdicts,
        heartbeats: Heartbeats,
        part: str = "",
        speed: float = 1.0,
        loop: bool = False,
    ) -> None:
        self.camera = camera
        self._config = vision
        self._liveness = liveness
        self._clock = clock
        self._door_id = door_id
        self._passages = passages
        self._heartbeats = heartbeats
        self._parts = (f"camera{part}", f"vision{part}")
        self._open_source()  # one that can never be opened is a wrong setting, not an outage
        mailbox = Mailbox()
        self._vision = VisionService(mailbox, self._analyser, bus, on_beat=self._beat(1))
        self._capture = CaptureLoop(
            camera,
            self._open_source,
            mailbox,
            bus,
            clock,
            speed=speed,
            loop=loop,
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
        """It is being stopped: silence is no sign of a hang any more."""
        for part in self._parts:
            self._heartbeats.forget(part)

    @property
    def counts(self) -> FrameCounts:
        """Frames so far."""
        counters = self._capture.counters()
        return FrameCounts(counters.read, self._vision.analysed, counters.dropped)

    def _beat(self, number: int) -> Callable[[], None]:
        return self._heartbeats.register(self._parts[number], BEAT_S)

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
            passages=self._passages,
        )

    def _spoof_guards(self) -> Callable[[], SpoofGuard]:
        """Makes the liveness judgement of each new track; the network is loaded once for the thread."""
        liveness = self._config.liveness
        if liveness.mode == "off":
            return NoSpoofGuard
        model = LivenessModel(self._liveness.network)
        return lambda: PassiveSpoofGuard(liveness, model, self._liveness.also)
