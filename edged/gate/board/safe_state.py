"""Which bytes switch a door's relay off, for the gate guard: taken from the driver, so they cannot differ.

The driver is made with a port that only writes down what it is given, and told to switch off.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from edged.clock import Clock
from edged.config import GateConfig
from edged.errors import EdgedError, Misconfigured
from edged.gate.board.port import SerialPort
from edged.gate.drivers.registry import make_driver


class _Notebook(SerialPort):
    """Writes down what is sent; nothing ever answers."""

    def __init__(self, config: GateConfig, clock: Clock) -> None:
        super().__init__(config.port, config.baud, clock)
        self.sent: list[bytes] = []

    def open(self) -> None:
        """Nothing to open."""

    def close(self) -> None:
        """Nothing to close."""

    def write(self, data: bytes) -> float:
        self.sent.append(bytes(data))
        return self.clock.monotonic()

    def read(self, done: Callable[[bytes], bool], within_s: float, *, quiet_s: float | None = None) -> bytes:
        return b""

    def discard(self) -> None:
        """Nothing came."""

    def discard_until_quiet(self, quiet_s: float, limit_s: float) -> None:
        """It is quiet."""


def off_bytes(config: GateConfig, clock: Clock) -> tuple[int, tuple[bytes, ...]]:
    """The speed of the board's port, and what the driver sends to switch the relay of `config` off.

    Raises:
        Misconfigured: `gate_guard_unsuited`: the relay is not switched by bytes.
    """
    port = _Notebook(config, clock)
    driver = make_driver(config, port, clock)
    with suppress(EdgedError):  # nobody answers; what was asked is all that is wanted
        driver.set(config.channel, False)
    if not port.sent:
        raise Misconfigured(
            f"A gate guard cannot switch off a board with gate.protocol {config.protocol}.",
            code="gate_guard_unsuited",
            hint="Leave gate.guard empty; a relay on DTR or RTS drops by itself when its port is closed.",
        )
    return port.baud, tuple(port.sent)
