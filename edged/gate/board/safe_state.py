"""Bytes of a door's safe state, for the gate guard: recorded from the driver, so they cannot differ.

The driver gets a port that only records, and an off command.
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
    """Records what the driver sends; never answers."""

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
        """The line is quiet."""


def off_bytes(config: GateConfig, clock: Clock) -> tuple[int, tuple[bytes, ...]]:
    """The speed of the board's port, bit/s, and the frames that switch the relay of `config` off.

    Raises:
        Misconfigured: `gate_guard_unsuited`: no bytes switch this relay.
    """
    port = _Notebook(config, clock)
    driver = make_driver(config, port, clock)
    with suppress(EdgedError):  # no answer can come; only the sent bytes matter
        driver.set(config.channel, False)
    if not port.sent:
        raise Misconfigured(
            f"A gate guard cannot switch off a board with gate.protocol {config.protocol}.",
            code="gate_guard_unsuited",
            hint="Leave gate.guard empty; a relay on DTR or RTS drops by itself when its port is closed.",
        )
    return port.baud, tuple(port.sent)
