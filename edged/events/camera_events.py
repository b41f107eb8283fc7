"""What the camera says."""

from __future__ import annotations

from dataclasses import dataclass

from edged.events.base import Event


@dataclass(frozen=True, kw_only=True, eq=False)
class CameraConnected(Event):
    """The source delivers frames. `fps` is what the source says of itself, 0 when it says nothing."""

    source: str
    width: int
    height: int
    fps: float


@dataclass(frozen=True, kw_only=True, eq=False)
class CameraLost(Event):
    """The source is missing or stopped delivering; it is tried again after `retry_s` seconds."""

    source: str
    code: str
    reason: str
    hint: str
    retry_s: float


@dataclass(frozen=True, kw_only=True, eq=False)
class SourceEnded(Event):
    """A source with an end (a file, the demo scene) has played its last frame.

    `complete` is False when the file broke off early; `reason` then says so.
    """

    source: str
    frames: int
    complete: bool = True
    reason: str = ""
