"""Life of the daemon and of its parts."""

from __future__ import annotations

from dataclasses import dataclass

from edged.events.base import Event


@dataclass(frozen=True, kw_only=True, eq=False)
class DaemonStarted(Event):
    """Everything is built and running; `ready_s` is the time since the process was asked to start."""

    version: str
    people: int
    faces: int
    ready_s: float


@dataclass(frozen=True, kw_only=True, eq=False)
class DaemonStopping(Event):
    """The daemon was asked to stop; `reason` says by what (a signal's name, end of source)."""

    reason: str


@dataclass(frozen=True, kw_only=True, eq=False)
class SubscriberFailed(Event):
    """A subscriber's handler raised; the others were not affected."""

    subscriber: str
    failed_event: str
    error: str


@dataclass(frozen=True, kw_only=True, eq=False)
class SubscriberOverflowed(Event):
    """A subscriber's queue was full; `lost` events were not given to it since the last report."""

    subscriber: str
    lost: int


@dataclass(frozen=True, kw_only=True, eq=False)
class ComponentFailed(Event):
    """A part of edged met an error it did not expect and went on without the work at hand."""

    component: str
    error: str
    hint: str
