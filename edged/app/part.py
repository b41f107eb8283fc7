"""What the daemon asks of each of its parts, and the one shape in which every part tells its health.

No part lives here. docs/architecture.md shows them all; `edged.app.parts` has their order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, TypeAlias, runtime_checkable

from edged.clock import iso
from edged.command import Command
from edged.config import Config

TimedJob: TypeAlias = Mapping[str, Any]
"""Arguments for APScheduler's `add_job`; `id` is unique among all parts."""

PlainValue: TypeAlias = "str | int | float | bool | Sequence[PlainValue] | Mapping[str, PlainValue] | None"
"""What JSON can say."""


class PartState(StrEnum):
    """How a part is, in the order of concern."""

    OFF = "off"
    """The configuration does not want it, or it is not running."""
    OK = "ok"
    DEGRADED = "degraded"
    """It works, with something missing that a person should look at."""
    FAILED = "failed"
    """It does not do its work."""


@dataclass(frozen=True)
class PartHealth:
    """The health of one part, the same for every part: status pages, metrics and `doctor` read it.

    Attributes:
        part: name of the part.
        state: see `PartState`.
        summary: one sentence for people.
        details: JSON-ready values of this part; the part's module names the keys.
        since: wall time at which the state was first seen; None outside `Daemon.health()`.
    """

    part: str
    state: PartState
    summary: str
    details: Mapping[str, PlainValue] = field(default_factory=dict)
    since: datetime | None = None

    def to_dict(self) -> dict[str, PlainValue]:
        """JSON-ready: `part`, `state`, `summary`, `since` (ISO 8601, UTC), `details`."""
        return {
            "part": self.part,
            "state": self.state.value,
            "summary": self.summary,
            "since": iso(self.since) if self.since else None,
            "details": dict(self.details),
        }


class Part(Protocol):
    """One part of the daemon. Its factory takes the `Site`, and touches neither data directory nor boards.

    The daemon makes all parts first, so that a wrong setting shows before anything is touched. Then it starts
    them from top to bottom of the table. Each method below is called from one thread, `health` from any. What
    a part raises while it ends is logged, and keeps no other part from its turn.
    """

    name: str

    def start(self) -> None:
        """Begin, and put on the site what the parts below need.

        Raises:
            EdgedError: the daemon cannot start. `stop` and `close` then follow, also for this part.
        """
        ...

    def finish(self) -> None:
        """Wait, a limited time, until the work at hand is done; for a source that has ended."""
        ...

    def ask_to_stop(self) -> None:
        """Begin to end, without waiting. The daemon asks all parts before it waits for one."""
        ...

    def stop(self, timeout_s: float) -> bool:
        """End the threads that decide and move. True when they ended within the time."""
        ...

    def close(self) -> None:
        """Give everything else back. The daemon calls it once, last of all, from bottom to top."""
        ...

    def beats(self) -> Sequence[str]:
        """Names under which threads of this part stand in the heartbeats."""
        ...

    def jobs(self) -> Sequence[TimedJob]:
        """Timed jobs; the daemon asks once, after `start`."""
        ...

    def commands(self) -> Mapping[str, Command]:
        """Commands for the control socket by name; the daemon asks once, after `start`."""
        ...

    def health(self) -> PartHealth:
        """How the part is now.

        Raises:
            EdgedError: the part cannot find out; the daemon makes that a failed state.
        """
        ...


@runtime_checkable
class Reloadable(Protocol):
    """A part that takes a new configuration while it runs. A part declares it by having the method."""

    def reload(self, config: Config) -> None:
        """Work by `config` from now on.

        Raises:
            EdgedError: the new configuration cannot be used; the old one stays in force.
        """
        ...
