"""Which driver speaks which protocol: one line each. The protocol is configuration, never guessed."""

from __future__ import annotations

from importlib import import_module

from edged.clock import Clock
from edged.config import GateConfig
from edged.gate.board.port import SerialPort
from edged.gate.drivers.base import RelayDriver

DRIVERS = {
    "lcus": "edged.gate.drivers.lcus",
    "modbus": "edged.gate.drivers.modbus",
    "kmtronic": "edged.gate.drivers.kmtronic",
    "numato": "edged.gate.drivers.numato",
    "devantech": "edged.gate.drivers.devantech",
    "k8090": "edged.gate.drivers.k8090",
    "dcon": "edged.gate.drivers.dcon",
    "line": "edged.gate.drivers.control_line",
    "dummy": "edged.gate.drivers.dummy",
}
"""Protocol to module; each has `make(config: GateConfig, port: SerialPort, clock: Clock) -> RelayDriver`."""


def make_driver(config: GateConfig, line: str | SerialPort, clock: Clock) -> RelayDriver:
    """The driver for `config.protocol`, speaking through the device or port `line`. Opens nothing."""
    port = SerialPort(line, config.baud, clock) if isinstance(line, str) else line
    return import_module(DRIVERS[config.protocol]).make(config, port, clock)
