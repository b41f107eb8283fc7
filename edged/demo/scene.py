"""The demo scene as a frame source: `demo:` or `demo:?seed=3`. `script` decides what it shows."""

from __future__ import annotations

import re

from edged.camera.source import FrameSource, RawFrame, SourceInfo
from edged.demo.hall import HEIGHT_PX, WIDTH_PX
from edged.demo.render import FPS, Stage, prepare, render
from edged.errors import Misconfigured, RetryLater

_ADDRESS = re.compile(r"demo:(?:\?seed=(?P<seed>[0-9]{1,9}))?")


class DemoScene(FrameSource):
    """Photographs of people who walk up to the door, 1280x720 at 25 pictures a second, about 50 s long.

    The same seed gives the same pictures. The scene starts anew with every `open()`.
    """

    has_end = True
    live = False

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._stage: Stage | None = None
        self._next = 0

    @classmethod
    def from_address(cls, address: str) -> DemoScene:
        """The scene of a camera source `demo:` or `demo:?seed=N`.

        Raises:
            Misconfigured: the address says something else.
        """
        match = _ADDRESS.fullmatch(address)
        if match is None:
            raise Misconfigured(
                f"{address!r} is not an address of the demo scene.",
                code="demo_address",
                hint="Write `demo:` or `demo:?seed=3` (a whole number from 0 to 999999999).",
            )
        return cls(int(match["seed"] or 0))

    def open(self) -> SourceInfo:
        """Prepare people and hall, about two seconds. Raises `NotFound` when a photograph is missing."""
        self._stage = prepare(self.seed, self.on_wait)
        self._next = 0
        return SourceInfo(WIDTH_PX, HEIGHT_PX, FPS)

    def read(self) -> RawFrame | None:
        """The next picture; None after the last. Raises `RetryLater` when the scene is not open."""
        if self._stage is None:
            raise RetryLater("The demo scene is not open.", code="source_closed", hint="Open it first.")
        number = self._next
        if number >= self._stage.frames:
            return None
        self._next += 1
        return RawFrame(render(self._stage, number), cut=number == 0, due_s=number / FPS)

    def close(self) -> None:
        """Free the pictures."""
        self._stage = None


def from_address(address: str) -> DemoScene:
    """The source of `demo:` for the registry of cameras. Raises as `DemoScene.from_address`."""
    return DemoScene.from_address(address)
