"""The firmware of a simulated Numato module: text lines (docs/reference/relay-boards.md 1.4).

Written against the list of words on its own, not with the driver's code.
"""

from __future__ import annotations

from edged.gate.sim.firmware import Electronics, spoil_last_byte
from edged.gate.sim.url import BoardKind, SimUrl

KIND = BoardKind(inputs=4)


def make(url: SimUrl, board: Electronics) -> NumatoFirmware:
    """The firmware; there is one."""
    return NumatoFirmware(board)


class NumatoFirmware:
    """Repeats what is typed, and at CR obeys and gives a prompt."""

    def __init__(self, board: Electronics) -> None:
        self._board = board
        self._typed = ""

    def feed(self, data: bytes) -> list[bytes]:
        """The answers, one for each complete line. Half a line waits, its echo with it."""
        answers = []
        *lines, rest = (self._typed + data.decode("latin-1")).split("\r")
        for text in lines:
            said = self._obey(text.split())
            shown = f"{text}\n\r" + (f"{said}\n\r" if said else "") + ">"
            answers.append(shown.encode("latin-1"))
        self._typed = rest
        return answers

    def reset(self) -> None:
        """Forget half a line."""
        self._typed = ""

    def spoil(self, answer: bytes) -> bytes:
        """There is no check sum: a bit of the prompt turned over by a bad line."""
        return spoil_last_byte(answer)

    def _obey(self, words: list[str]) -> str:
        match words:
            case ["relay", "on" | "off" as state, number] if self._relay(number):
                self._board.switch(self._relay(number), state == "on")
            case ["relay", "read", number] if self._relay(number):
                return "on" if self._board.relays[self._relay(number) - 1] else "off"
            case ["relay", "readall"]:
                bits = sum(on << bit for bit, on in enumerate(self._board.relays))
                return f"{bits:0{max(2, len(self._board.relays) // 4)}x}"
            case ["gpio", "read", number] if number.isdigit() and int(number) < len(self._board.inputs):
                return str(int(self._board.inputs[int(number)]))
            case ["ver"]:
                return "00000008"
        return ""

    def _relay(self, number: str) -> int:
        """The channel a one-character number means; 0: none of ours."""
        at = "0123456789ABCDEFGHIJKLMNOPQRSTUV".find(number) + 1 if len(number) == 1 else 0
        return at if at <= len(self._board.relays) else 0
