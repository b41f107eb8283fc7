"""The driver of a relay board that nobody sells: `+1` and `-1` switch, `?1` is answered with `1` or `0`.

It is added to edged as any other: this file, its simulator `toy_board_sim` and one line in the registry.
"""

from __future__ import annotations

from edged.board_family import BoardFamily, UsbId
from edged.gate.drivers.base import Capabilities, PlainBoard
from edged.gate.drivers.dialogue import Dialogue

FAMILY = BoardFamily(
    name="Toy",
    simulator="toy_board_sim",
    settings=("address", "board_inputs", "channels", "firmware"),
    firmwares=("wood", "tin"),
    most_inputs=3,
    inputs_counted_by="board_inputs",
    usb_ids=(UsbId(0x1209, 0x0001, "Toy board", "Not for children."),),
)


def make(config, port, clock):
    """The driver as configured."""
    return ToyDriver(port)


class ToyDriver(PlainBoard):
    """Speaks to one board."""

    capabilities = Capabilities(readback=True)

    def __init__(self, port):
        self._dialogue = Dialogue(port, check="gate.protocol", silent_hint="Check its plug.")
        self.open, self.close = self._dialogue.open, self._dialogue.close

    @property
    def written_s(self):
        return self._dialogue.written_s

    def set(self, channel, on):
        self._dialogue.command(f"{'+' if on else '-'}{channel}".encode())
        state = self.read_output(channel)
        return None if state is None else state is on

    def read_output(self, channel):
        return self._dialogue.ask(f"?{channel}".encode(), parse_state, done=bool)


def parse_state(answer: bytes) -> bool:
    """ValueError for anything but `1` and `0`."""
    if answer not in (b"1", b"0"):
        raise ValueError(f"expected 1 or 0, got {answer!r}")
    return answer == b"1"
