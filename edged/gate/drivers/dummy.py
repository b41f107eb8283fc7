"""A driver without a board: remembers the commanded state. For desks that only record attendance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edged.board_family import BoardFamily
from edged.clock import Clock
from edged.gate.drivers.base import Capabilities, PlainBoard

if TYPE_CHECKING:
    from edged.config import GateConfig
    from edged.gate.board.port import SerialPort

FAMILY = BoardFamily(name="dummy", switched_by="nothing", ends_on_time=True)


def make(config: GateConfig, port: SerialPort, clock: Clock) -> DummyDriver:
    """The driver; nothing is configurable."""
    return DummyDriver(clock)


class DummyDriver(PlainBoard):
    """Always connected, always obeys. The state survives close() and open(), as on a self-powered board."""

    capabilities = Capabilities(readback=True)

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._on: dict[int, bool] = {}
        self.written_s: float | None = None

    def open(self) -> None:
        """Nothing to open."""

    def close(self) -> None:
        """Nothing to close."""

    def set(self, channel: int, on: bool) -> bool | None:
        """Remember the state; always True."""
        self._on[channel] = on
        self.written_s = self._clock.monotonic()
        return True

    def read_output(self, channel: int) -> bool | None:
        """The last commanded state; off before the first command."""
        return self._on.get(channel, False)
