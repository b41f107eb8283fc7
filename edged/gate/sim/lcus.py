"""The firmware of a simulated LCUS board (docs/reference/relay-boards.md 1.2).

No line, no time. Written against the byte table on its own, not with the driver's code, so that one can catch
the other out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edged.gate.sim.firmware import Electronics, spoil_last_byte
from edged.gate.sim.url import BoardKind, SimUrl

KIND = BoardKind(firmwares=("basic", "feedback"), channels=1)


def make(url: SimUrl, board: Electronics) -> LcusFirmware:
    """The firmware as the URL wants it."""
    return LcusFirmware(board.relays, board.switch, feedback=url.firmware == "feedback", crlf=url.crlf)


class LcusFirmware:
    """Takes bytes, switches relays, gives answers.

    Args:
        relays: read for answers; index 0 is channel 1.
        switch: called with (channel, on).
        feedback: the newer firmware with state frames; else text status on FF.
        crlf: a frame counts only when CR LF follows.
    """

    def __init__(
        self,
        relays: Sequence[bool],
        switch: Callable[[int, bool], None],
        *,
        feedback: bool,
        crlf: bool,
    ) -> None:
        self._relays = relays
        self._switch = switch
        self._feedback = feedback
        self._frame_bytes = 6 if crlf else 4
        self._waiting = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes; returns the answers in order. Half a frame waits for its rest."""
        answers = []
        self._waiting += data
        while self._waiting:
            if self._waiting[0] == 0xFF and not self._feedback:
                answers.append(self._text_status())
            elif self._waiting[0] == 0xA0:
                if len(self._waiting) < self._frame_bytes:
                    break
                answer = self._obey(self._waiting[: self._frame_bytes])
                answers += [answer] if answer else []
                self._waiting = self._waiting[self._frame_bytes - 1 :]
            self._waiting = self._waiting[1:]
        return answers

    def reset(self) -> None:
        """Forget half a frame, as after power-on."""
        self._waiting = b""

    def spoil(self, answer: bytes) -> bytes:
        """The answer with a wrong sum; a text status has none, its last line end is damaged."""
        return spoil_last_byte(answer)

    def _obey(self, frame: bytes) -> bytes | None:
        channel, op = frame[1], frame[2]
        if (0xA0 + channel + op) % 256 != frame[3] or not 1 <= channel <= len(self._relays):
            return None
        if frame[4:] not in (b"", b"\r\n"):
            return None
        if op in (0, 1):
            self._switch(channel, op == 1)
            return None
        if not self._feedback or op > 5:
            return None
        if op in (2, 3):
            self._switch(channel, op == 3)
        elif op == 4:
            self._switch(channel, not self._relays[channel - 1])
        state = int(self._relays[channel - 1])
        return bytes([0xA0, channel, state, (0xA0 + channel + state) % 256])

    def _text_status(self) -> bytes:
        lines = (f"CH{n}: {'ON ' if on else 'OFF'}\r\n" for n, on in enumerate(self._relays, start=1))
        return "".join(lines).encode("ascii")
