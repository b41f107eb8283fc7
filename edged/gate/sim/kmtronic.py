"""The firmware of a simulated KMTronic board (docs/reference/relay-boards.md 1.3). No line, no time.

Written against the byte table on its own, not with the driver's code.
"""

from __future__ import annotations

from edged.gate.sim.firmware import Electronics
from edged.gate.sim.url import BoardKind, SimUrl

KIND = BoardKind()


def make(url: SimUrl, board: Electronics) -> KmtronicFirmware:
    """The firmware; the number of relays decides which status request it knows."""
    return KmtronicFirmware(board)


class KmtronicFirmware:
    """`FF ch 00|01` switches. `FF ch 03` asks boards up to 2 relays, `FF 09 00` larger ones."""

    def __init__(self, board: Electronics) -> None:
        self._board = board
        self._waiting = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The answers, in order. Bytes before an FF are skipped, half a frame waits."""
        answers = []
        self._waiting += data
        while (start := self._waiting.find(0xFF)) >= 0 and len(self._waiting) >= start + 3:
            answer = self._obey(self._waiting[start + 1], self._waiting[start + 2])
            answers += [answer] if answer else []
            self._waiting = self._waiting[start + 3 :]
        if start < 0:
            self._waiting = b""
        return answers

    def reset(self) -> None:
        """Forget half a frame."""
        self._waiting = b""

    def spoil(self, answer: bytes) -> bytes:
        """There is no check sum: a bit of the last byte turned over by a bad line, not to 00 or 01."""
        return answer[:-1] + bytes([answer[-1] ^ 0x40])

    def _obey(self, channel: int, value: int) -> bytes | None:
        relays = self._board.relays
        small = len(relays) <= 2
        if not small and (channel, value) == (9, 0):
            return bytes(relays)
        if not 1 <= channel <= len(relays):
            return None
        if value in (0, 1):
            self._board.switch(channel, value == 1)
        elif small and value == 3:
            return bytes([0xFF, channel, relays[channel - 1]])
        return None
