"""The firmware of a simulated I-7060: DCON lines (docs/reference/relay-boards.md 1.7). No line.

Written against the manual's words on its own, not with the driver's code. Its host watchdog strikes by
itself; that it has struck, and its settings, outlast a power cut (they are in an EEPROM).
"""

from __future__ import annotations

from edged.gate.sim.firmware import Electronics
from edged.gate.sim.url import BoardKind, SimUrl

KIND = BoardKind(firmwares=("plain", "checksum"), channels=4, inputs=4)


def make(url: SimUrl, board: Electronics) -> DconFirmware:
    """The firmware at the URL's address; `firmware=checksum` for a module set to use check sums."""
    return DconFirmware(board, url.address, checksum=url.firmware == "checksum")


class DconFirmware:
    """Text commands ended by CR.

    Attributes:
        safe, power_on: outputs after the watchdog has timed out and after power-on, bit n is relay n+1.
        struck: the watchdog has timed out without an acknowledgement since.
    """

    def __init__(self, board: Electronics, address: int, *, checksum: bool = False) -> None:
        self._board = board
        self._own = f"{address:02X}"
        self._checksum = checksum
        self._typed = ""
        self._watchdog = "000"
        self.safe = 0
        self.power_on = 0
        self.struck = False

    def feed(self, data: bytes) -> list[bytes]:
        """The answers, in order. Half a line waits."""
        *lines, self._typed = (self._typed + data.decode("latin-1")).split("\r")
        answers = [self._line(text) for text in lines]
        return [f"{answer}\r".encode("latin-1") for answer in answers if answer]

    def reset(self) -> None:
        """Forget half a line."""
        self._typed = ""

    def spoil(self, answer: bytes) -> bytes:
        """The character before CR, where the check sum is, made another one."""
        return answer[:-2] + bytes([answer[-2] ^ 0x01]) + answer[-1:]

    def _line(self, text: str) -> str:
        if self._checksum:
            if _sum(text[:-2]) != text[-2:]:
                return ""
            text = text[:-2]
        if text == "~**":
            self._host_lives()
            return ""
        answer = self._obey(text[:1], text[3:]) if text[1:3] == self._own else ""
        return answer + _sum(answer) if answer and self._checksum else answer

    def _obey(self, lead: str, rest: str) -> str:
        own = self._own
        if lead == "$" and rest == "6":
            return f"!{_bits(self._board.relays):02X}{_bits(self._board.inputs):02X}00"
        if lead == "#":
            return self._output(rest)
        if lead != "~":
            return f"?{own}"
        match rest[:1], rest[1:]:
            case "0", "":
                return f"!{own}{'04' if self.struck else '00'}"
            case "1", "":
                self.struck = False
                self._host_lives()
                return f"!{own}"
            case "2", "":
                return f"!{own}{self._watchdog}"
            case "3", setting if len(setting) == 3:
                self._watchdog = setting
                self._host_lives()
                return f"!{own}"
            case "4", "S" | "P" as kind:
                return f"!{own}{self.safe if kind == 'S' else self.power_on:02X}00"
            case "5", "S" | "P" as kind:
                setattr(self, "safe" if kind == "S" else "power_on", _bits(self._board.relays))
                return f"!{own}"
        return f"?{own}"

    def _output(self, rest: str) -> str:
        if len(rest) != 4 or rest[2:] not in ("00", "01") or rest[0] not in "1A" or not rest[1].isdigit():
            return "?"
        channel = int(rest[1]) + 1
        if channel > len(self._board.relays):
            return "?"
        if self.struck:
            return "!"
        self._board.switch(channel, rest[2:] == "01")
        return ">"

    def _host_lives(self) -> None:
        if self._watchdog[0] == "1" and not self.struck:
            self._board.later("watchdog", int(self._watchdog[1:], 16) / 10, self._strike)
        else:
            self._board.cancel("watchdog")

    def _strike(self) -> None:
        self.struck = True
        for channel in range(1, len(self._board.relays) + 1):
            self._board.switch(channel, bool(self.safe >> (channel - 1) & 1))


def _bits(states: list[bool]) -> int:
    return sum(on << bit for bit, on in enumerate(states[:8]))


def _sum(text: str) -> str:
    return f"{sum(map(ord, text)) % 256:02X}"
