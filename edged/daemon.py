"""The composition root: builds the parts from the configuration, starts them in order, watches, stops them.

Everything that connects one package with another is here and nowhere else. The order of starting is that of
`_start_parts`; stopping goes the other way, the gate first.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta

from edged import __version__, models
from edged.access import DoorPolicy, PersonRecord
from edged.access.service import AccessService
from edged.bus import EventBus
from edged.camera.capture import CaptureLoop
from edged.camera.mailbox import Mailbox
from edged.camera.registry import SourceMaker, open_source
from edged.camera.source import FrameSource
from edged.clock import Clock
from edged.config import Config
from edged.demo.scene import DemoScene
from edged.events import DaemonStarted, DaemonStopping, FaceIdentified, SourceEnded
from edged.gate import GateKeeper, check_port_free
from edged.journal import Journal, journal_path
from edged.library.store import LibraryStore
from edged.recognition.consensus import rules_by_engine
from edged.recognition.protocol import LOCAL
from edged.recognition.score import default_threshold
from edged.recognition.service import RecognitionService
from edged.recognizers import CloudLink, build_recognizers, greet, open_cloud
from edged.service.heartbeat import Heartbeats
from edged.service.lock import lock_data_dir
from edged.vision.analyser import Analyser
from edged.vision.faces import FaceReader
from edged.vision.liveness import drivers, operator_model
from edged.vision.liveness.model import LivenessModel
from edged.vision.opencv import prepare_opencv
from edged.vision.passages import PassageBook
from edged.vision.service import VisionService
from edged.vision.spoofing import NoSpoofGuard, PassiveSpoofGuard, SpoofGuard

STOP_S = 2.5
"""Longest time stopping takes; the unit file kills after 5 s."""

_BEAT_LIMITS_S = {"camera": 5.0, "vision": 5.0, "recognition": 10.0, "gate": 5.0}


@dataclass(frozen=True)
class FrameCounts:
    """Frames of the camera: read from the source, looked at, replaced by a newer one before that."""

    read: int
    analysed: int
    dropped: int


class Daemon:
    """One box: a camera, a door, a library, a journal.

    Args:
        config: validated configuration; `data_dir` must be writable.
        clock: the machine's, or a test's.
        speed: for sources with an end: 1 plays at their own pace, 0 as fast as frames can be analysed.
        loop: play a source with an end again and again.
        started_s: monotonic time at which the process was asked to start, for `DaemonStarted.ready_s`.
    """

    def __init__(
        self,
        config: Config,
        clock: Clock,
        *,
        speed: float = 1.0,
        loop: bool = False,
        started_s: float | None = None,
    ) -> None:
        self.config = config
        self.clock = clock
        self.bus = EventBus(clock)
        self.heartbeats = Heartbeats(clock)
        self._rules = rules_by_engine(config.recognition, config.vision.max_shots)
        self._speed = speed
        self._loop = loop
        self._started_s = clock.monotonic() if started_s is None else started_s
        self._stop_asked = threading.Event()
        self._stop_reason = ""
        self._ended: SourceEnded | None = None
        self._stack = ExitStack()

    # -- life

    def start(self) -> None:
        """Build and start everything. What fails here fails loudly: nothing is left running.

        Raises:
            EdgedError: data directory in use or unusable, port in use, model damaged. A camera or relay that
                is missing is no error: it is waited for.
        """
        try:
            self._start_parts()
        except BaseException:
            self.bus.close(1.0)
            self._stack.close()
            raise
        counts = self._library.count()
        self.bus.publish(
            DaemonStarted(
                at=self.clock.now(),
                version=__version__,
                people=counts.people,
                faces=counts.faces,
                ready_s=self.clock.monotonic() - self._started_s,
            )
        )

    def ask_to_stop(self, reason: str) -> None:
        """Let `wait` return. Safe to call from a signal handler and from any thread."""
        self._stop_reason = self._stop_reason or reason
        self._stop_asked.set()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until asked to stop or the source has ended. False when `timeout_s` passed first."""
        return self._stop_asked.wait(timeout_s)

    @property
    def stop_reason(self) -> str:
        """What asked the daemon to stop; empty while nothing has."""
        return self._stop_reason

    @property
    def ended(self) -> SourceEnded | None:
        """How the source ended, if it did."""
        return self._ended

    def stop(self) -> bool:
        """Relay off, then everything else, within `STOP_S`. True when all parts ended in time."""
        reason = self._stop_reason or "stopped"
        self.bus.publish(DaemonStopping(at=self.clock.now(), reason=reason))
        if self._ended is not None and reason == SOURCE_ENDED:
            self._finish_passages()
        for part in _BEAT_LIMITS_S:
            self.heartbeats.forget(part)
        until_s = self.clock.monotonic() + STOP_S
        stops = (
            self._gate.stop,
            self._capture.stop,
            self._vision.stop,
            self._recognition.stop,
            self.bus.close,
        )
        in_time = [stop(max(0.1, until_s - self.clock.monotonic())) for stop in stops]
        self._stack.close()
        return all(in_time)

    # -- what others may ask

    def frame_counts(self) -> FrameCounts:
        """Frames so far."""
        counters = self._capture.counters()
        return FrameCounts(counters.read, self._vision.analysed, counters.dropped)

    @property
    def cloud(self) -> CloudLink | None:
        """The way to the cloud; None for `recognition.engine: local`."""
        return self._cloud

    @property
    def gate(self) -> GateKeeper:
        """The keeper of the door."""
        return self._gate

    # -- building

    def _start_parts(self) -> None:
        config = self.config
        prepare_opencv(config.vision.threads)
        liveness = config.vision.liveness.model
        self._liveness_file = (
            models.load("face_liveness") if liveness is None else operator_model.load(liveness)
        )
        self._also_live = drivers.load(config.vision.liveness.also_required, self.clock)
        self._open_source()  # one that can never be opened is a wrong setting, not an outage
        self._stack.enter_context(lock_data_dir(config.data_dir, clock=self.clock))
        check_port_free(config.gate)
        self._journal = Journal.open(journal_path(config.data_dir), self.clock)
        self._stack.callback(self._journal.close)
        self._journal.close_unfinished()
        self._library = LibraryStore.open(config.data_dir, self.clock)
        self._stack.callback(self._library.close)
        self._journal.attach(self.bus)
        self._start_gate()
        self._start_access()
        self._start_recognition()
        self._start_vision()

    def _beat(self, part: str) -> Callable[[], None]:
        return self.heartbeats.register(part, _BEAT_LIMITS_S[part])

    def _start_gate(self) -> None:
        self._gate = GateKeeper(self.config.gate, self.bus, self.clock, on_beat=self._beat("gate"))
        self._gate.start()
        self._stack.callback(self._gate.stop, 1.0)

    def _start_access(self) -> None:
        since = self.clock.now() - timedelta(seconds=self.config.access.cool_down_s)
        AccessService(
            self.bus,
            self.clock,
            door_id=self.config.gate.id,
            policy=self._policy,
            person=self._person,
            gate_ready=lambda: self._gate.ready,
            commit=self._journal.commit_decision,
            grant_ttl_s=self.config.gate.grant_ttl_s,
            last_grants=self._journal.last_grants(self.config.gate.id, since),
        ).attach()

    def _start_recognition(self) -> None:
        self._cloud = self._open_cloud()
        self._recognition = RecognitionService(
            self.config.recognition,
            build_recognizers(self.config, self._library, self.bus, self.clock, self._stack, self._cloud),
            self.bus,
            self.clock,
            max_shots=self.config.vision.max_shots,
            on_beat=self._beat("recognition"),
        )
        self._stack.callback(self._recognition.stop, 1.0)
        self._recognition.start()

    def _open_cloud(self) -> CloudLink | None:
        """The way to the cloud, where the configuration has one."""
        if self.config.recognition.engine == LOCAL:
            return None
        link = open_cloud(self.config, self.bus, self.clock, self._stack)
        greet(link, self._stack)
        return link

    def _start_vision(self) -> None:
        passages = PassageBook()
        passages.attach(self.bus)
        mailbox = Mailbox()
        self._vision = VisionService(
            mailbox, lambda: self._analyser(passages), self.bus, on_beat=self._beat("vision")
        )
        self._vision.start()
        self._capture = CaptureLoop(
            self.config.camera,
            self._open_source,
            mailbox,
            self.bus,
            self.clock,
            speed=self._speed,
            loop=self._loop,
            on_beat=self._beat("camera"),
        )
        self.bus.subscribe(SourceEnded, self._on_source_ended, name="daemon")
        self._capture.start()

    def _open_source(self) -> FrameSource:
        return open_source(self.config.camera, extra=SOURCES, clock=self.clock)

    def _analyser(self, passages: PassageBook) -> Analyser:
        reader = FaceReader(max_faces=self.config.vision.max_faces)
        reader.warm_up()
        return Analyser(
            self.config.vision,
            reader,
            self.clock,
            camera_id=self.config.camera.id,
            door_id=self.config.gate.id,
            spoofing=self._spoof_guards(),
            passages=passages,
        )

    def _spoof_guards(self) -> Callable[[], SpoofGuard]:
        """Makes the liveness judgement of each new track; the network is loaded once for the thread."""
        liveness = self.config.vision.liveness
        if liveness.mode == "off":
            return NoSpoofGuard
        model = LivenessModel(self._liveness_file)
        return lambda: PassiveSpoofGuard(liveness, model, self._also_live)

    # -- connections between the parts

    def _policy(self, answer: FaceIdentified) -> DoorPolicy:
        """The door's rules for an answer: the scores of each engine have limits of their own."""
        access = self.config.access
        rules = self._rules.get(answer.engine, self._rules[LOCAL])
        threshold = default_threshold(answer.gallery_people) if rules.threshold is None else rules.threshold
        return DoorPolicy(
            allowed_groups=frozenset(access.allowed_groups),
            threshold=threshold,
            margin=rules.margin,
            agreeing_shots=rules.agreeing_shots,
            cool_down_s=access.cool_down_s,
            max_age_s=access.max_age_s,
            liveness=self.config.vision.liveness.mode,
        )

    def _person(self, person_id: str) -> PersonRecord | None:
        person = self._library.find(person_id)
        if person is None:
            return None
        return PersonRecord(
            person_id=person.person_id,
            name=person.name,
            groups=frozenset(person.groups),
            active=person.active,
            valid_from=person.valid_from,
            valid_until=person.valid_until,
        )

    def _on_source_ended(self, event: SourceEnded) -> None:
        self._ended = event
        self.ask_to_stop(SOURCE_ENDED)

    def _finish_passages(self) -> None:
        """A source with an end is played to the end: decide what is open, let the last pulse run out."""
        self._vision.join(5.0)
        self.bus.drain(5.0)
        self._recognition.wait_idle(5.0)
        self.bus.drain(5.0)
        self._gate.wait_idle(self.config.gate.max_on_s + 1.0)
        self.bus.drain(1.0)


SOURCE_ENDED = "the source has ended"

SOURCES: Mapping[str, SourceMaker] = {"demo": lambda config: DemoScene.from_address(config.source)}
