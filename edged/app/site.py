"""What the parts of one daemon share: common means, and what each part provides for the parts below it.

Reading what no part has provided yet is an error of the program, and says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar, overload

from edged.app.part import TimedJob
from edged.app.stop_request import StopRequest
from edged.bus import EventBus
from edged.clock import Clock
from edged.command import Command
from edged.config import Config
from edged.ops.heartbeat import Heartbeats

if TYPE_CHECKING:
    from edged.app.camera_part import CameraPart
    from edged.app.cloud_part import CloudLink
    from edged.delivery.service import DeliveryService
    from edged.gate.service import GateService
    from edged.journal import Journal
    from edged.library.store import LibraryStore
    from edged.upkeep.service import Upkeep

T = TypeVar("T")


class NotProvided(RuntimeError):
    """A part reads what no part above it in the table has provided, or provides what is there already."""


class Provided(Generic[T]):
    """An attribute of the site that one part sets, once, and the parts below read."""

    def __set_name__(self, owner: type[object], name: str) -> None:
        self._name = name

    @overload
    def __get__(self, site: None, owner: type[object]) -> Provided[T]: ...

    @overload
    def __get__(self, site: object, owner: type[object]) -> T: ...

    def __get__(self, site: object | None, owner: type[object]) -> Provided[T] | T:
        if site is None:
            return self
        try:
            value: T = vars(site)[self._name]
        except KeyError:
            raise NotProvided(f"no part has provided the {self._name} yet") from None
        return value

    def __set__(self, site: object, value: T) -> None:
        if self._name in vars(site):
            raise NotProvided(f"a part has provided the {self._name} already")
        vars(site)[self._name] = value


@dataclass(frozen=True)
class Playback:
    """How a source with an end is played.

    Attributes:
        speed: 1 is its own pace, 0 as fast as frames can be analysed.
        loop: again and again.
    """

    speed: float = 1.0
    loop: bool = False


class Site:
    """The means of all parts.

    Args:
        config: validated configuration.
        clock: wall and monotonic time.
        playback: for sources with an end.
    """

    upkeep: Provided[Upkeep] = Provided()
    journal: Provided[Journal] = Provided()
    library: Provided[LibraryStore] = Provided()
    delivery: Provided[DeliveryService | None] = Provided()
    gates: Provided[Mapping[str, GateService]] = Provided()
    cloud: Provided[CloudLink | None] = Provided()
    cameras: Provided[CameraPart] = Provided()

    def __init__(self, config: Config, clock: Clock, playback: Playback | None = None) -> None:
        self.config = config
        self.clock = clock
        self.playback = playback or Playback()
        self.bus = EventBus(clock)
        self.heartbeats = Heartbeats(clock)
        self.stop_request = StopRequest()
        self._jobs: dict[str, TimedJob] = {}
        self._commands: dict[str, Command] = {}

    def offer(self, jobs: Sequence[TimedJob], commands: Mapping[str, Command]) -> None:
        """Take in what a part brings. Raises ValueError when another part has brought the same name."""
        _add(self._jobs, {str(job["id"]): job for job in jobs}, "job")
        _add(self._commands, commands, "command")

    @property
    def jobs(self) -> Sequence[TimedJob]:
        """Timed jobs of the parts that have started, in their order."""
        return tuple(self._jobs.values())

    @property
    def commands(self) -> Mapping[str, Command]:
        """Commands of the parts that have started, by name."""
        return dict(self._commands)


def _add(known: dict[str, T], more: Mapping[str, T], kind: str) -> None:
    twice = sorted(known.keys() & more.keys())
    if twice:
        raise ValueError(f"two parts bring the {kind} {', '.join(twice)}")
    known.update(more)
