"""Life of the daemon and of its parts."""

from __future__ import annotations

from dataclasses import dataclass

from edged.events.base import Event


@dataclass(frozen=True, kw_only=True, eq=False)
class DaemonStarted(Event):
    """Everything is built and running; `ready_s` is the time since the start of the process."""

    version: str
    people: int
    faces: int
    ready_s: float


@dataclass(frozen=True, kw_only=True, eq=False)
class DaemonStopping(Event):
    """The daemon begins to stop; `reason` is the name of a signal, or the end of the source."""

    reason: str


@dataclass(frozen=True, kw_only=True, eq=False)
class SubscriberFailed(Event):
    """The handler of a subscriber raised an error; the other subscribers go on."""

    subscriber: str
    failed_event: str
    error: str


@dataclass(frozen=True, kw_only=True, eq=False)
class SubscriberOverflowed(Event):
    """The queue of a subscriber was full; it lost `lost` events since the last report."""

    subscriber: str
    lost: int


@dataclass(frozen=True, kw_only=True, eq=False)
class ComponentFailed(Event):
    """A part of edged met an unexpected error, dropped the work at hand and went on."""

    component: str
    error: str
    hint: str
