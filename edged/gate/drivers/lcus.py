"""LCUS-1/2/4/8 boards (LC-Tech and clones), both firmwares. Bytes: docs/reference/relay-boards.md 1.2.

Basic firmware obeys silently; some of its boards answer a lone FF with a text status, which the driver asks
for at connect. Feedback firmware answers every command with a state frame. The driver uses only absolute on
and off: a toggle stays wrong for ever after one lost answer.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from edged.board_family import BoardFamily, UsbId
from edged.clock import Clock
from edged.gate.drivers.base import Capabilities, PlainBoard, no_such_relay
from edged.gate.drivers.dialogue import Dialogue

if TYPE_CHECKING:
    from edged.config import GateConfig
    from edged.gate.board.port import SerialPort

FAMILY = BoardFamily(
    name="LCUS",
    simulator="edged.gate.sim.lcus",
    settings=("append_crlf", "firmware"),
    firmwares=("basic", "feedback"),
    usb_ids=(UsbId(0x1A86, 0x7523, "LCUS relay board"),),
)

START = 0xA0
SWITCH, SWITCH_WITH_ANSWER, QUERY = 0x00, 0x02, 0x05
STATUS_REQUEST = b"\xff"
FRAME_BYTES = 4

STATUS_END_S = 0.05
"""Silence that ends a text status of unknown length: 48 byte times at 9600 baud."""
MOST_CHANNELS = 8
CRLF_FRAME_GAP_S = 0.01
"""Pause between frames for boards that need CR LF, seconds."""

_STATUS_LINE = re.compile(rb"CH(\d): ?(ON|OFF) ?\r?\n")


def command_frame(channel: int, op: int, *, crlf: bool = False) -> bytes:
    """`A0 channel op sum`, sum = low byte of the first three; CR LF after it for boards that want it."""
    frame = bytes([START, channel, op])
    return frame + bytes([sum(frame) & 0xFF]) + (b"\r\n" if crlf else b"")


def parse_state_frame(answer: bytes, channel: int) -> bool:
    """The state in an answer `A0 channel 00|01 sum`. Raises ValueError for anything else."""
    for state in (False, True):
        if answer == command_frame(channel, int(state)):
            return state
    raise ValueError(f"expected A0 {channel:02X} 00|01 and its sum, got {answer.hex(' ').upper()}")


def parse_text_status(answer: bytes) -> tuple[bool, ...]:
    """The relays in `CH1: ON \\r\\nCH2: OFF\\r\\n`, first channel first.

    Accepts blanks and a missing CR. ValueError for a missing, repeated or garbled line.
    """
    lines = _STATUS_LINE.findall(answer)
    if not lines or _STATUS_LINE.sub(b"", answer):
        raise ValueError(f"expected lines like 'CH1: OFF', got {answer[:60]!r}")
    if [int(number) for number, _ in lines] != list(range(1, len(lines) + 1)) or len(lines) > MOST_CHANNELS:
        raise ValueError(f"channels are not numbered 1, 2 …: {answer[:60]!r}")
    return tuple(state == b"ON" for _, state in lines)


def make(config: GateConfig, port: SerialPort, clock: Clock) -> LcusDriver:
    """The driver as configured. Raises Misconfigured (`relay_board_size`) for a relay there is not."""
    if config.channel > MOST_CHANNELS:
        raise no_such_relay(config.channel, f"LCUS boards have up to {MOST_CHANNELS} relays.")
    return LcusDriver(
        port,
        firmware=config.firmware,
        append_crlf=config.append_crlf,
        frame_gap_s=CRLF_FRAME_GAP_S if config.append_crlf else 0.0,
    )


class LcusDriver(PlainBoard):
    """Speaks to one LCUS board through a serial port.

    Args:
        firmware: `basic` or `feedback`.
        append_crlf: some boards obey only with CR LF after a frame.
        frame_gap_s: least pause between two frames; 0.01 for the boards that need CR LF.
    """

    def __init__(
        self,
        port: SerialPort,
        *,
        firmware: str,
        append_crlf: bool = False,
        frame_gap_s: float = 0.0,
    ) -> None:
        self._port = port
        self._feedback = firmware == "feedback"
        self._crlf = append_crlf
        self._silent = False  # basic firmware that did not answer at connect
        self._channels: int | None = None  # from the first text status; kept over reconnects
        self._dialogue = Dialogue(
            port,
            check="gate.protocol, gate.firmware, gate.channel and gate.baud",
            silent_hint="Check its supply and plug; if it never answered with gate.firmware: feedback, "
            "it may have the basic firmware.",
            gap_s=frame_gap_s,
        )

    @property
    def capabilities(self) -> Capabilities:
        """Readback: with basic firmware only once the board has answered (False if it stayed silent)."""
        return Capabilities(readback=not self._silent)

    @property
    def written_s(self) -> float | None:
        """Monotonic time of the last command."""
        return self._dialogue.written_s

    def open(self) -> None:
        """Open the port. A board that answered in an earlier connection is expected to answer again."""
        self._silent = False
        self._dialogue.open()

    def close(self) -> None:
        """Close the port."""
        self._dialogue.close()

    def set(self, channel: int, on: bool) -> bool | None:
        """Switch. Feedback firmware confirms with a state frame; basic firmware says nothing."""
        if not self._feedback:
            self._dialogue.command(command_frame(channel, SWITCH + on, crlf=self._crlf))
            return None
        state = self._dialogue.order(
            command_frame(channel, SWITCH_WITH_ANSWER + on, crlf=self._crlf),
            lambda answer: parse_state_frame(answer, channel),
            done=_is_frame,
        )
        return None if state is None else state is on

    def read_output(self, channel: int) -> bool | None:
        """Ask for the relay's state; None when the board has no readback or missed this one question.

        Raises:
            RetryLater: `relay_no_answer` or `relay_bad_answer`, for the third miss in a row.
        """
        if self._silent:
            self._port.discard()  # notices at least that the device is gone
            return None
        if not self._feedback:
            return self._read_text(channel)
        return self._dialogue.ask(
            command_frame(channel, QUERY, crlf=self._crlf),
            lambda answer: parse_state_frame(answer, channel),
            done=_is_frame,
        )

    # -- basic firmware

    def _read_text(self, channel: int) -> bool | None:
        if self._channels is None and not self._count_channels():
            return None
        channels = self._channels or 0
        # the first answer is often stale, so the second one counts (docs/reference/relay-boards.md 1.2)
        relays = self._dialogue.ask(
            STATUS_REQUEST,
            lambda answer: self._relays_with(channel, answer),
            done=lambda data: data.count(b"\n") >= channels,
            times=2,
        )
        return None if relays is None else relays[channel - 1]

    def _count_channels(self) -> bool:
        """Detect whether a basic board can be read, and count the relays it reports."""
        self._channels = self._dialogue.hear(
            STATUS_REQUEST, lambda answer: len(parse_text_status(answer)), quiet_s=STATUS_END_S
        )
        self._silent = not self._port.heard
        return self._channels is not None

    def _relays_with(self, channel: int, answer: bytes) -> tuple[bool, ...]:
        relays = parse_text_status(answer)
        if channel > len(relays):
            raise ValueError(f"the board reports {len(relays)} relays, gate.channel is {channel}")
        return relays


def _is_frame(data: bytes) -> bool:
    return len(data) >= FRAME_BYTES
