"""Which driver speaks which protocol: one line each. The protocol is configuration, never guessed."""

from __future__ import annotations

from collections.abc import Callable

from edged.clock import Clock
from edged.config import GateConfig
from edged.gate.drivers.base import RelayDriver
from edged.gate.drivers.dummy import DummyDriver
from edged.gate.drivers.lcus import LcusDriver
from edged.gate.port import SerialPort

CRLF_FRAME_GAP_S = 0.01
"""The board that needs CR LF also needs this pause between frames (gate hardware reference 1.2)."""

DRIVERS: dict[str, Callable[[GateConfig, str, Clock], RelayDriver]] = {
    "lcus": lambda config, path, clock: _lcus(config, path, clock),
    "dummy": lambda config, path, clock: DummyDriver(clock),
}


def make_driver(config: GateConfig, path: str, clock: Clock) -> RelayDriver:
    """The driver for `config.protocol`, speaking through the device at `path`. Opens nothing."""
    return DRIVERS[config.protocol](config, path, clock)


def _lcus(config: GateConfig, path: str, clock: Clock) -> LcusDriver:
    return LcusDriver(
        SerialPort(path, config.baud, clock),
        firmware=config.firmware,
        append_crlf=config.append_crlf,
        frame_gap_s=CRLF_FRAME_GAP_S if config.append_crlf else 0.0,
    )
