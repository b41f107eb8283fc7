"""KMTronic USB, RS232 and RS485 boards with 1, 2, 4 or 8 relays. Bytes: docs/reference/relay-boards.md 1.3.

Boards do not answer commands. The question for the state depends on the size: `FF 09 00` is the status of a
board with 4 or 8 relays, but switches relay 9 off in a family of numbered boards. So the size is
configuration, and each size uses only its own question.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edged.board_family import BoardFamily, UsbId
from edged.clock import Clock
from edged.errors import Misconfigured
from edged.gate.drivers.base import Capabilities, PlainBoard
from edged.gate.drivers.dialogue import Dialogue

if TYPE_CHECKING:
    from edged.config import GateConfig
    from edged.gate.board.port import SerialPort

FAMILY = BoardFamily(
    name="KMTronic",
    simulator="edged.gate.sim.kmtronic",
    usb_ids=(UsbId(0x0403, 0x6001, "KMTronic relay board"),),
)

START, STATUS_OF_ONE = 0xFF, 0x03
STATUS_OF_ALL = bytes.fromhex("FF0900")
SMALL, LARGE = (1, 2), (4, 8)
STATUS_END_S = 0.03
"""Silence after a status without check sum: longer than the 16 ms an FTDI chip holds bytes back."""


def command_frame(channel: int, on: bool) -> bytes:
    """`FF channel 00|01`."""
    return bytes([START, channel, int(on)])


def parse_single_status(answer: bytes, channel: int) -> bool:
    """The state in `FF channel 00|01` (boards with 1 or 2 relays). ValueError for anything else."""
    for state in (False, True):
        if answer == command_frame(channel, state):
            return state
    raise ValueError(f"expected FF {channel:02X} 00|01, got {answer[:16].hex(' ').upper()}")


def parse_full_status(answer: bytes, relays: int) -> tuple[bool, ...]:
    """One byte 00 or 01 for each of `relays` (boards with 4 or 8). ValueError for anything else."""
    if len(answer) != relays or set(answer) - {0, 1}:
        raise ValueError(f"expected {relays} bytes 00|01, got {answer[:16].hex(' ').upper()}")
    return tuple(state == 1 for state in answer)


def make(config: GateConfig, port: SerialPort, clock: Clock) -> KmtronicDriver:
    """The driver as configured. Raises Misconfigured (`relay_board_size`) for a size that is not built."""
    if config.channels not in SMALL + LARGE:
        raise Misconfigured(
            f"gate.channels is {config.channels}; KMTronic boards have 1, 2, 4 or 8 relays.",
            code="relay_board_size",
            hint="Count the relays: small and large boards are asked for their state differently.",
        )
    return KmtronicDriver(port, relays=config.channels)


class KmtronicDriver(PlainBoard):
    """Speaks to one board.

    Args:
        relays: on the board; 1, 2, 4 or 8.
    """

    capabilities = Capabilities(readback=True)

    def __init__(self, port: SerialPort, *, relays: int) -> None:
        self._relays = relays
        self._dialogue = Dialogue(
            port,
            check="gate.protocol, gate.channels (1 and 2 are asked differently from 4 and 8) and gate.baud",
            silent_hint="Check its supply and plug, and gate.channels: boards with 4 or 8 relays do not "
            "understand the question for 1 or 2.",
        )

    @property
    def written_s(self) -> float | None:
        """Monotonic time of the last command."""
        return self._dialogue.written_s

    def open(self) -> None:
        """Open the line."""
        self._dialogue.open()

    def close(self) -> None:
        """Close the line."""
        self._dialogue.close()

    def set(self, channel: int, on: bool) -> bool | None:
        """Switch. Always None: the board does not answer."""
        self._dialogue.command(command_frame(channel, on))
        return None

    def read_output(self, channel: int) -> bool | None:
        """Ask for the relay's state; None for a missed answer.

        Raises:
            RetryLater: `relay_no_answer` or `relay_bad_answer`, for the third miss in a row.
        """
        if self._relays in SMALL:
            return self._dialogue.ask(
                bytes([START, channel, STATUS_OF_ONE]),
                lambda answer: parse_single_status(answer, channel),
                done=lambda data: len(data) >= 3,
            )
        states = self._dialogue.ask(
            STATUS_OF_ALL,
            lambda answer: parse_full_status(answer, self._relays),
            done=lambda data: len(data) >= self._relays,
            alone_s=STATUS_END_S,
        )
        return None if states is None else states[channel - 1]
