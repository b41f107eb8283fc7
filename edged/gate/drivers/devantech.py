"""Devantech USB-RLY02/08/16 and USB-OPTO-RLY88: single bytes. Bytes: docs/reference/relay-boards.md 1.5.

The commands are printable letters: any text meant for another board switches relays here, and nothing in the
protocol distinguishes an answer from noise. So the driver asks every question together with the module's id,
and rejects an answer without it. The ids of other modules of the maker (RLY82, OPTO-RLY816) are unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edged.board_family import BoardFamily, UsbId
from edged.clock import Clock
from edged.errors import Misconfigured
from edged.gate.drivers.base import Capabilities, PlainBoard, no_such_relay
from edged.gate.drivers.dialogue import Dialogue

if TYPE_CHECKING:
    from edged.config import GateConfig
    from edged.gate.board.port import SerialPort

FAMILY = BoardFamily(
    name="Devantech",
    simulator="edged.gate.sim.devantech",
    most_inputs=8,
    usb_ids=(
        UsbId(
            0x04D8,
            0xFFEE,
            "Devantech USB-RLY or USB-OPTO-RLY module",
            "The RLY16L latches: it keeps a door open without power, and is refused.",
        ),
    ),
)

READ_INPUTS, READ_ID, READ_STATES = 0x19, 0x5A, 0x5B
FIRST_ON, FIRST_OFF = 0x65, 0x6F
LATCHING_ID = 15
MOST_CHANNELS = 8


@dataclass(frozen=True)
class Module:
    """One model: its name, how many relays and contacts it has."""

    name: str
    relays: int
    inputs: int = 0


MODULES = {
    8: Module("USB-RLY08", 8),
    9: Module("USB-RLY16", 8),
    10: Module("USB-RLY02", 2),
    12: Module("USB-OPTO-RLY88", 8, inputs=8),
}
"""By the id that `5A` is answered with."""


def switch_byte(channel: int, on: bool) -> bytes:
    """`65`…`6C` for relay 1…8 on, `6F`…`76` for off."""
    if not 1 <= channel <= MOST_CHANNELS:
        raise ValueError(f"there is no relay {channel}")
    return bytes([(FIRST_ON if on else FIRST_OFF) + channel - 1])


def parse_bits(answer: bytes, module_id: int) -> tuple[bool, ...]:
    """The eight bits before the module's id and version. ValueError when they are not followed by these."""
    if len(answer) != 3 or answer[1] != module_id:
        raise ValueError(f"expected a byte, {module_id:02X} and a version, got {_shown(answer)}")
    return tuple(bool(answer[0] >> bit & 1) for bit in range(8))


def make(config: GateConfig, port: SerialPort, clock: Clock) -> DevantechDriver:
    """The driver as configured. Raises Misconfigured (`relay_board_size`) for a relay it cannot name."""
    if config.channel > MOST_CHANNELS:
        raise no_such_relay(config.channel, f"Devantech modules are spoken to up to relay {MOST_CHANNELS}.")
    return DevantechDriver(port, channel=config.channel)


class DevantechDriver(PlainBoard):
    """Speaks to one module.

    Args:
        channel: the relay that will be used; a module without it is refused.
    """

    def __init__(self, port: SerialPort, *, channel: int = 1) -> None:
        self._port = port
        self._channel = channel
        self._module_id: int | None = None
        self._dialogue = Dialogue(
            port,
            check="gate.protocol (another board behind this port?)",
            silent_hint="Check its plug, and that gate.port is the module's.",
        )

    @property
    def capabilities(self) -> Capabilities:
        """Contacts are known once the module has reported its id."""
        module = MODULES.get(self._module_id or 0)
        return Capabilities(readback=True, inputs=module.inputs if module else 0)

    @property
    def written_s(self) -> float | None:
        """Monotonic time of the last command."""
        return self._dialogue.written_s

    def open(self) -> None:
        """Open the line and ask for the module's id; nothing else goes out before the answer.

        Raises:
            RetryLater: `relay_no_answer` or `relay_bad_answer`: no usable id.
            Misconfigured: `relay_wrong_board`: a latching or unknown module, or one without this relay.
        """
        self._module_id = None
        self._dialogue.open()
        module_id = None
        while module_id is None:
            module_id = self._dialogue.ask(bytes([READ_ID] * 2), _parse_id, done=lambda data: len(data) >= 4)
        self._check(module_id)
        self._module_id = module_id

    def close(self) -> None:
        """Close the line."""
        self._dialogue.close()

    def set(self, channel: int, on: bool) -> bool | None:
        """Switch. Always None: the module does not answer."""
        self._dialogue.command(switch_byte(channel, on))
        return None

    def read_output(self, channel: int) -> bool | None:
        """Ask for the relay's state; None for a missed answer.

        Raises:
            RetryLater: `relay_no_answer` or `relay_bad_answer`, for the third miss in a row.
        """
        bits = self._bits(READ_STATES)
        return None if bits is None else bits[channel - 1]

    def read_inputs(self) -> tuple[bool, ...] | None:
        """The contacts of an OPTO-RLY88, True: energised; None for other modules or a missed answer."""
        return self._bits(READ_INPUTS) if self.capabilities.inputs else None

    def _bits(self, command: int) -> tuple[bool, ...] | None:
        module_id = self._module_id or 0
        return self._dialogue.ask(
            bytes([command, READ_ID]),
            lambda answer: parse_bits(answer, module_id),
            done=lambda data: len(data) >= 3,
        )

    def _check(self, module_id: int) -> None:
        module = MODULES.get(module_id)
        if module_id == LATCHING_ID:
            what = (
                "is a USB-RLY16L: its relays latch, so after an unplug, a crash or a power cut "
                "the door would stay as it is for ever"
            )
            hint = "Use a board whose relays fall back without power, e.g. USB-RLY08, USB-RLY16 or Modbus."
        elif module is None:
            what = f"answers with the unknown module id {module_id}"
            hint = "Known are USB-RLY02, USB-RLY08, USB-RLY16 and USB-OPTO-RLY88; check gate.protocol."
        elif self._channel > module.relays:
            what = f"is a {module.name} with {module.relays} relays, gate.channel is {self._channel}"
            hint = "Correct gate.channel."
        else:
            return
        raise Misconfigured(
            f"The relay board at {self._port.path} {what}.", code="relay_wrong_board", hint=hint
        )


def _parse_id(answer: bytes) -> int:
    """The id from two equal answers, so that two bytes of noise do not look like a module."""
    if len(answer) != 4 or answer[:2] != answer[2:]:
        raise ValueError(f"expected twice the same id and version, got {_shown(answer)}")
    return answer[0]


def _shown(answer: bytes) -> str:
    return answer[:16].hex(" ").upper()
