"""The simulated board for `toy_board`."""

from __future__ import annotations

from edged.gate.sim.firmware import spoil_last_byte
from edged.gate.sim.url import BoardKind

KIND = BoardKind(firmwares=("wood", "tin"), channels=2, inputs=3)


def make(url, board):
    """The firmware; both behave alike."""
    return ToyFirmware(board)


class ToyFirmware:
    """Two characters, one command."""

    def __init__(self, board):
        self._board = board
        self._typed = ""

    def feed(self, data):
        self._typed += data.decode("latin-1")
        answers = []
        while len(self._typed) >= 2:
            (word, channel), self._typed = self._typed[:2], self._typed[2:]
            if word == "?":
                answers.append(b"01"[self._board.relays[int(channel) - 1] :][:1])
            else:
                self._board.switch(int(channel), word == "+")
        return answers

    def reset(self):
        self._typed = ""

    spoil = staticmethod(spoil_last_byte)
