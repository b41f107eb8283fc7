"""Life of the cameras."""

from __future__ import annotations

from dataclasses import dataclass

from edged.events.base import Event


@dataclass(frozen=True, kw_only=True, eq=False)
class CameraConnected(Event):
    """The source delivers frames. `fps` is the rate that the source announces, 0 when it announces none."""

    source: str
    width: int
    height: int
    fps: float


@dataclass(frozen=True, kw_only=True, eq=False)
class CameraLost(Event):
    """The source is missing or stopped delivering; the next attempt comes after `retry_s` seconds."""

    source: str
    code: str
    reason: str
    hint: str
    retry_s: float


@dataclass(frozen=True, kw_only=True, eq=False)
class SourceEnded(Event):
    """A source with an end (a file, the demo scene) has played its last frame.

    `complete` is False when the file broke off early, for `reason`.
    """

    source: str
    frames: int
    complete: bool = True
    reason: str = ""
