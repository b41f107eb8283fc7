"""The composition root: builds the parts from the configuration, starts them in order, watches, stops them.

Everything that connects one package with another is here, in doors.py, cameras.py and engines.py, and
nowhere else. The order of starting is that of `_start_parts`; stopping goes the other way, the gates first.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC

from apscheduler.schedulers.background import BackgroundScheduler

from edged import __version__
from edged.app.attendance_desk import start_attendance
from edged.app.cameras import CameraWatch, FrameCounts, LivenessParts
from edged.app.deliveries import start_delivery
from edged.app.doors import DoorUnit, interlocks, site_access
from edged.app.engines import CloudLink, build_recognizers, greet, open_cloud
from edged.bus import EventBus
from edged.clock import Clock
from edged.cloudsync.sync import CloudSync
from edged.config import Config
from edged.events import ComponentFailed, DaemonStarted, DaemonStopping, SourceEnded
from edged.gate.board.pool import PortPool
from edged.gate.board.port import check_port_free
from edged.gate.override_store import OverrideStore
from edged.gate.overrides import door_commands
from edged.gate.service import GateService
from edged.library.store import LibraryStore
from edged.ops.control import Command, ControlServer
from edged.ops.heartbeat import Heartbeats
from edged.ops.lock import lock_data_dir
from edged.recognition.protocol import LOCAL
from edged.recognition.service import RecognitionService
from edged.upkeep.files import ATTENDANCE
from edged.upkeep.service import Upkeep
from edged.vision.opencv import prepare_opencv
from edged.vision.passage_verdicts import PassageVerdicts

STOP_S = 2.5
"""Longest time stopping takes; the unit file kills after 5 s."""

RECOGNITION_BEAT_S = 10.0
SOURCE_ENDED = "the source has ended"


class Daemon:
    """One box: its cameras, its doors, a library, a journal.

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
        self._doors: dict[str, DoorUnit] = {}
        self._cameras: list[CameraWatch] = []
        self._speed = speed
        self._loop = loop
        self._started_s = clock.monotonic() if started_s is None else started_s
        self._stop_asked = threading.Event()
        self._stop_reason = ""
        self._ended: SourceEnded | None = None
        self._cameras_ended = 0
        self._jobs = BackgroundScheduler(timezone=UTC)
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
            for camera in self._cameras:
                camera.stop_capture(1.0)
                camera.stop_vision(1.0)
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
        for unit in (*self._doors.values(), *self._cameras):
            unit.forget_beats()
        self.heartbeats.forget("recognition")
        until_s = self.clock.monotonic() + STOP_S
        for door in self._doors.values():
            door.ask_to_stop()  # all at once: none stays open while another's board does not answer
        stops = (
            *(door.stop for door in self._doors.values()),
            *(camera.stop_capture for camera in self._cameras),
            *(camera.stop_vision for camera in self._cameras),
            self._recognition.stop,
            self.bus.close,
        )
        in_time = [stop(max(0.1, until_s - self.clock.monotonic())) for stop in stops]
        self._stack.close()
        return all(in_time)

    # -- what others may ask

    def frame_counts(self) -> FrameCounts:
        """Frames of all cameras so far."""
        return sum((camera.counts for camera in self._cameras), FrameCounts())

    @property
    def gate(self) -> GateService:
        """The keeper of the first door."""
        return self._doors[self.config.gate.id].keeper

    @property
    def gates(self) -> Mapping[str, GateService]:
        """The keepers of all doors, by id."""
        return {door_id: door.keeper for door_id, door in self._doors.items()}

    @property
    def cloud(self) -> CloudLink | None:
        """The way to the cloud; None for `recognition.engine: local`."""
        return self._cloud

    # -- building

    def _start_parts(self) -> None:
        config = self.config
        prepare_opencv(config.vision.threads)
        self._build_cameras()
        self._stack.enter_context(lock_data_dir(config.data_dir, clock=self.clock))
        for gate in config.gates:
            check_port_free(gate)
        self._upkeep = Upkeep(config, self.bus, self.clock)
        self._journal = self._upkeep.open_journal()
        self._stack.callback(self._journal.close)
        self._journal.close_unfinished()
        self._library = LibraryStore.open(config.data_dir, self.clock)
        self._stack.callback(self._library.close)
        self._journal.attach(self.bus)
        self._attendance = self._upkeep.opened(
            ATTENDANCE,
            lambda: start_attendance(config, self._journal, self.bus, self.clock, self._stack),
        )
        self._delivery = start_delivery(
            config, self._journal, self._upkeep, self.bus, self.clock, self._stack
        )
        if self._delivery is not None:
            self._upkeep.follow_delivery(self._delivery.undelivered_from)
        self._upkeep.attach()
        self._stack.callback(self._upkeep.stop)
        self._jobs.start()
        self._stack.callback(self._jobs.shutdown, wait=False)
        for job in self._upkeep.jobs():
            self._jobs.add_job(**job)
        self._start_doors()
        self._start_recognition()
        self._start_cameras()
        self._start_control()

    def _build_cameras(self) -> None:
        """First of all: a wrong address, model or driver must show before anything is touched."""
        config, passages = self.config, PassageVerdicts()
        liveness = LivenessParts.load(config.vision, self.clock)
        for camera in config.cameras:
            watch = CameraWatch(
                camera,
                config.vision,
                liveness,
                self.bus,
                self.clock,
                door_id=config.door_of(camera),
                passages=passages,
                heartbeats=self.heartbeats,
                part=f":{camera.id}" if config.more_cameras else "",
                speed=self._speed,
                loop=self._loop,
            )
            self._cameras.append(watch)
        self._passages = passages

    def _start_doors(self) -> None:
        pool, together = PortPool(self.config.gates, self.clock), interlocks(self.config.gates)
        self._orders = OverrideStore(self.config.data_dir)
        if self._orders.damaged is not None:
            self.bus.publish(
                ComponentFailed(
                    at=self.clock.now(),
                    component="door orders",
                    error=f"what was ordered before makes no sense and was put aside: {self._orders.damaged}",
                    hint="A lock-down from before the start does not stand any more: edged door lock.",
                )
            )
        self._stack.callback(pool.close)
        access = site_access(self.config, self._journal, self.bus, self.clock)
        for gate in self.config.gates:
            door = DoorUnit(
                self.config,
                gate,
                self._journal,
                self._library,
                self.bus,
                self.clock,
                access=access,
                heartbeats=self.heartbeats,
                pool=pool,
                interlock=together.get(gate.id),
                order=self._orders.order(gate.id),
                part=f":{gate.id}" if self.config.more_gates else "",
            )
            self._doors[gate.id] = door
            self._stack.callback(door.stop, 1.0)
            door.start()

    def _start_recognition(self) -> None:
        self._cloud = self._open_cloud()
        self._recognition = RecognitionService(
            self.config.recognition,
            build_recognizers(self.config, self._library, self.bus, self.clock, self._stack, self._cloud),
            self.bus,
            self.clock,
            max_shots=self.config.vision.max_shots,
            doors=len(self.config.gates),
            on_beat=self.heartbeats.register("recognition", RECOGNITION_BEAT_S),
            on_saved=self._count_saved,
        )
        self._stack.callback(self._recognition.stop, 1.0)
        self._recognition.start()

    def _count_saved(self, shots: int) -> None:
        """A shot that was not needed is a call saved, where every shot is one."""
        policies = {self.config.hybrid_of(gate).policy for gate in self.config.gates}
        asks_always = self.config.recognition.engine == "cloud" or policies == {"cloud_first"}
        if self._cloud is not None and asks_always:
            self._cloud.governor.saved(shots)

    def _open_cloud(self) -> CloudLink | None:
        """The way to the cloud, where the configuration has one."""
        if self.config.recognition.engine == LOCAL:
            return None
        link = open_cloud(self.config, self.bus, self.clock, self._stack)
        greet(link, self._stack)
        sync = CloudSync(
            self._library,
            link.client,
            self.config.recognition.cloud,
            self.clock,
            data_dir=self.config.data_dir,
            bus=self.bus,
        )
        sync.start()
        self._stack.callback(sync.stop, 1.0)
        self._jobs.add_job(**sync.keep_alive_job())
        return link

    def _start_cameras(self) -> None:
        self._passages.attach(self.bus)
        self.bus.subscribe(SourceEnded, self._on_source_ended, name="daemon")
        for camera in self._cameras:
            camera.start()

    def _start_control(self) -> None:
        """Last of all: whoever asks finds everything running."""
        control = ControlServer(self.config.data_dir, self._commands())
        control.start()
        self._stack.callback(control.stop, 1.0)

    def _commands(self) -> dict[str, Command]:
        """What the command line may ask of the running daemon, by name. Each part brings its own."""
        return {
            **door_commands(
                self.gates,
                self._orders,
                self.clock,
                commit=self._journal.commit_decision,
                publish=self.bus.publish,
            ),
            **(self._delivery.commands() if self._delivery is not None else {}),
            **self._attendance,
        }

    # -- the end of a source

    def _on_source_ended(self, event: SourceEnded) -> None:
        """The box has nothing more to do when the sources of all its cameras have ended."""
        for camera in self._cameras:
            if camera.camera.id == event.camera_id:
                camera.forget_beats()  # the others go on, and its silence is no hang
        if self._ended is None or not event.complete:
            self._ended = event
        self._cameras_ended += 1
        if self._cameras_ended == len(self._cameras):
            self.ask_to_stop(SOURCE_ENDED)

    def _finish_passages(self) -> None:
        """A source with an end is played to the end: decide what is open, let the last pulse run out."""
        for camera in self._cameras:
            camera.finish(5.0)
        self.bus.drain(5.0)
        self._recognition.wait_idle(5.0)
        self.bus.drain(5.0)
        for door in self._doors.values():
            door.keeper.wait_idle(door.gate.max_on_s + 1.0)
        self.bus.drain(1.0)
