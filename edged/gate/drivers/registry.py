"""Which driver speaks which protocol: one line each. The protocol is configuration, never guessed.

Configuration asks here too (`edged.config.gate_boards`), so nothing but the asked driver is imported, and a
serial port only with one that is such a port itself (`line`), or when a driver is made.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from edged.board_family import BoardFamily

if TYPE_CHECKING:
    from edged.clock import Clock
    from edged.config import GateConfig
    from edged.gate.board.port import SerialPort
    from edged.gate.drivers.base import RelayDriver

DRIVERS: dict[str, str] = {
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
"""Protocol to module. Each has `FAMILY: BoardFamily`, what the boards are, and
`make(config: GateConfig, port: SerialPort, clock: Clock) -> RelayDriver`."""


def family(protocol: str) -> BoardFamily:
    """What the driver for `protocol` declares about its boards. KeyError: there is no such protocol."""
    declared: BoardFamily = import_module(DRIVERS[protocol]).FAMILY
    return declared


def families() -> dict[str, BoardFamily]:
    """Every protocol with its boards, in the order of the registry. Imports all drivers."""
    return {protocol: family(protocol) for protocol in DRIVERS}


def make_driver(config: GateConfig, line: str | SerialPort, clock: Clock) -> RelayDriver:
    """The driver for `config.protocol`, speaking through the device or port `line`. Opens nothing.

    Raises:
        Misconfigured: `relay_board_size`: the board has no such relay.
    """
    from edged.gate.board.port import SerialPort  # configuration asks for families without pyserial

    port = SerialPort(line, config.baud, clock) if isinstance(line, str) else line
    driver: RelayDriver = import_module(DRIVERS[config.protocol]).make(config, port, clock)
    return driver
