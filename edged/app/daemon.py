"""The daemon: one site from start to stop. Its parts and their order are in parts.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edged import __version__
from edged.app.assembly import Assembly
from edged.app.camera_part import SOURCE_ENDED
from edged.app.camera_watch import FrameCounts
from edged.app.cloud_part import CloudLink
from edged.app.part import PartHealth
from edged.app.parts import PARTS, PartFactory
from edged.app.site import Playback, Site
from edged.clock import Clock
from edged.config import Config
from edged.events import DaemonStarted, DaemonStopping, SourceEnded
from edged.gate.service import GateService

STOP_S = 2.5
"""Longest time stopping takes; the unit file kills after 5 s."""


class Daemon:
    """One box: its cameras, its doors, a library, a journal.

    Args:
        config: validated configuration; `data_dir` must be writable.
        clock: the machine's, or a test's.
        speed: for sources with an end: 1 plays at their own pace, 0 as fast as frames can be analysed.
        loop: play a source with an end again and again.
        started_s: monotonic time at which the process was asked to start, for `DaemonStarted.ready_s`.
        parts: factories of the parts, from top to bottom.
    """

    def __init__(
        self,
        config: Config,
        clock: Clock,
        *,
        speed: float = 1.0,
        loop: bool = False,
        started_s: float | None = None,
        parts: Sequence[PartFactory] = PARTS,
    ) -> None:
        self.config = config
        self.clock = clock
        self._site = Site(config, clock, Playback(speed, loop))
        self.bus = self._site.bus
        self.heartbeats = self._site.heartbeats
        self._assembly = Assembly(self._site, parts)
        self._started_s = clock.monotonic() if started_s is None else started_s

    # -- life

    def start(self) -> None:
        """Build and start everything. What fails here fails loudly: nothing is left running.

        Raises:
            EdgedError: data directory in use or unusable, port in use, model damaged. A camera or relay that
                is missing is no error: it is waited for.
        """
        try:
            self._assembly.start()
            counts = self._site.library.count()
        except BaseException:
            self._assembly.stop(STOP_S)
            raise
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
        self._site.stop_request.ask(reason)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until asked to stop or the source has ended. False when `timeout_s` passed first."""
        return self._site.stop_request.wait(timeout_s)

    def stop(self) -> bool:
        """Relay off, then everything else, within `STOP_S`. True when all parts ended in time.

        A source that has ended is played to its end before: open passages are decided, and the last on-time
        runs out.
        """
        reason = self.stop_reason or "stopped"
        self.bus.publish(DaemonStopping(at=self.clock.now(), reason=reason))
        if reason == SOURCE_ENDED:
            self._assembly.finish()
        return self._assembly.stop(STOP_S)

    # -- what others may ask

    def health(self) -> list[PartHealth]:
        """The health of every part, in the order of the table; empty before `start`. Safe from any thread."""
        return self._assembly.health()

    @property
    def stop_reason(self) -> str:
        """Why the daemon was asked to stop; empty while nothing has asked."""
        return self._site.stop_request.reason

    @property
    def ended(self) -> SourceEnded | None:
        """How the source ended, if it did."""
        return self._site.cameras.ended

    def frame_counts(self) -> FrameCounts:
        """Frames of all cameras so far."""
        return self._site.cameras.counts

    @property
    def gate(self) -> GateService:
        """The gate service of the first door."""
        return self.gates[self.config.gate.id]

    @property
    def gates(self) -> Mapping[str, GateService]:
        """The gate services of all doors, by id."""
        return self._site.gates

    @property
    def cloud(self) -> CloudLink | None:
        """The way to the cloud; None for `recognition.engine: local`."""
        return self._site.cloud
