"""The firmware of a simulated Devantech module (docs/reference/relay-boards.md 1.5).

No line, no time. Written against the byte table on its own, not with the driver's code. It obeys every byte,
as the real one does: text meant for another board switches relays.
"""

from __future__ import annotations

from edged.gate.sim.firmware import Electronics
from edged.gate.sim.url import BoardKind, SimUrl

KIND = BoardKind(firmwares=("rly08", "rly16", "rly02", "opto88", "rly16l"), inputs=8)

MODULE_IDS = {"rly08": 8, "rly16": 9, "rly02": 10, "opto88": 12, "rly16l": 15}
VERSION = 2


def make(url: SimUrl, board: Electronics) -> DevantechFirmware:
    """The firmware of the model in `url.firmware`."""
    return DevantechFirmware(board, MODULE_IDS[url.firmware])


class DevantechFirmware:
    """One byte, one command; `5C` takes a second one."""

    def __init__(self, board: Electronics, module_id: int) -> None:
        self._board = board
        self._module_id = module_id
        self._states_follow = False

    def feed(self, data: bytes) -> list[bytes]:
        """The answers, in order."""
        answers = [self._obey(byte) for byte in data]
        return [answer for answer in answers if answer]

    def reset(self) -> None:
        """Forget that a byte of states was to follow."""
        self._states_follow = False

    def spoil(self, answer: bytes) -> bytes:
        """There is no check sum: a bit of the module's id turned over by a bad line."""
        return bytes([answer[0] ^ 0x20]) + answer[1:] if len(answer) == 2 else answer

    def _obey(self, byte: int) -> bytes:
        if self._states_follow:
            self._states_follow = False
            self._set_all(byte)
        elif byte == 0x5A:
            return bytes([self._module_id, VERSION])
        elif byte == 0x5B:
            return bytes([_bits(self._board.relays)])
        elif byte == 0x5C:
            self._states_follow = True
        elif byte == 0x5D and self._module_id == 9:
            return bytes([121])
        elif byte == 0x19 and self._module_id == 12:
            return bytes([_bits(self._board.inputs)])
        elif byte in (0x64, 0x6E):
            self._set_all(0xFF if byte == 0x64 else 0)
        elif 0x65 <= byte <= 0x6C:
            self._switch(byte - 0x64, True)
        elif 0x6F <= byte <= 0x76:
            self._switch(byte - 0x6E, False)
        return b""

    def _set_all(self, bits: int) -> None:
        for channel in range(1, len(self._board.relays) + 1):
            self._switch(channel, bool(bits >> (channel - 1) & 1))

    def _switch(self, channel: int, on: bool) -> None:
        if channel <= len(self._board.relays):
            self._board.switch(channel, on)


def _bits(states: list[bool]) -> int:
    return sum(on << bit for bit, on in enumerate(states[:8]))
