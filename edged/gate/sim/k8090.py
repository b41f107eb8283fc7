"""The firmware of a simulated Velleman K8090 (docs/reference/relay-boards.md 1.6). No line.

Written against the byte table on its own, not with the driver's code. Its timers end pulses without a host.
"""

from __future__ import annotations

from edged.gate.sim.firmware import Electronics
from edged.gate.sim.url import BoardKind, SimUrl

KIND = BoardKind()

DEFAULT_DELAY_S = 5


def make(url: SimUrl, board: Electronics) -> K8090Firmware:
    """The firmware; there is one."""
    return K8090Firmware(board)


class K8090Firmware:
    """Frames `04 cmd mask p1 p2 sum 0F`; reports `51 before now timed` at every change."""

    def __init__(self, board: Electronics) -> None:
        self._board = board
        self._waiting = b""
        self._timed: set[int] = set()

    def feed(self, data: bytes) -> list[bytes]:
        """The answers, in order. Anything that is no frame is skipped byte by byte."""
        answers = []
        self._waiting += data
        while len(self._waiting) >= 7:
            packet = self._waiting[:7]
            if packet[0] == 4 and packet[6] == 15 and sum(packet[:6]) % 256 == 0:
                answers += self._obey(packet[1], packet[2], packet[3] * 256 + packet[4])
                self._waiting = self._waiting[7:]
            else:
                self._waiting = self._waiting[1:]
        return answers

    def reset(self) -> None:
        """Forget half a frame and the timers."""
        self._waiting = b""
        self._timed.clear()

    def spoil(self, answer: bytes) -> bytes:
        """The answer with a wrong check byte."""
        return answer[:5] + bytes([answer[5] ^ 0x01]) + answer[6:]

    def _obey(self, command: int, mask: int, number: int) -> list[bytes]:
        before = self._on()
        channels = [bit + 1 for bit in range(len(self._board.relays)) if mask >> bit & 1]
        if command == 0x18:
            return [self._report(before)]
        if command == 0x71:
            return [_packet(0x71, 0, 16, 21)]
        for channel in channels:
            if command in (0x11, 0x12):
                self._stop_timer(channel)
                self._board.switch(channel, command == 0x11)
            elif command == 0x14:
                self._board.switch(channel, not self._board.relays[channel - 1])
            elif command == 0x41:
                self._start_timer(channel, number or DEFAULT_DELAY_S)
        return [self._report(before)] if self._on() != before else []

    def _start_timer(self, channel: int, seconds: int) -> None:
        self._timed.add(channel)
        self._board.switch(channel, True)
        self._board.later(channel, seconds, lambda: self._end_timer(channel))

    def _stop_timer(self, channel: int) -> None:
        self._timed.discard(channel)
        self._board.cancel(channel)

    def _end_timer(self, channel: int) -> None:
        before = self._on()
        self._timed.discard(channel)
        self._board.switch(channel, False)
        self._board.say(self._report(before))

    def _on(self) -> int:
        return sum(on << bit for bit, on in enumerate(self._board.relays[:8]))

    def _report(self, before: int) -> bytes:
        return _packet(0x51, before, self._on(), sum(1 << (channel - 1) for channel in self._timed))


def _packet(command: int, mask: int, first: int, second: int) -> bytes:
    total = 4 + command + mask + first + second
    return bytes([4, command, mask, first, second, (256 - total % 256) % 256, 15])
