"""Velleman K8090 / VM8090 with 8 relays and timers of its own. Bytes: docs/reference/relay-boards.md 1.6.

Frames of seven bytes with a check sum. The card reports every change of a relay unasked, so a report alone
does not show its cause: each question ends with one for the firmware version, and the last report before that
answer is the state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from edged.board_family import BoardFamily, UsbId
from edged.clock import Clock
from edged.gate.drivers.base import Capabilities, PlainBoard, PulseRange, no_such_relay
from edged.gate.drivers.dialogue import Dialogue

if TYPE_CHECKING:
    from edged.config import GateConfig
    from edged.gate.board.port import SerialPort

FAMILY = BoardFamily(
    name="K8090",
    simulator="edged.gate.sim.k8090",
    ends_on_time=True,
    usb_ids=(UsbId(0x10CF, 0x8090, "Velleman K8090 or VM8090"),),
)

START, END, FRAME_BYTES = 0x04, 0x0F, 7
SWITCH_ON, SWITCH_OFF, START_TIMER, ASK_RELAYS, ASK_VERSION = 0x11, 0x12, 0x41, 0x18, 0x71
RELAY_STATUS = 0x51
BAUD = 19200
CHANNELS = 8
PULSES = PulseRange(min_s=1.0, max_s=65535.0, step_s=1.0)
"""Whole seconds in two bytes; 0 would mean the time stored in the card."""


class K8090Frame(NamedTuple):
    """Content of a frame."""

    command: int
    mask: int
    first: int
    second: int


class Relays(NamedTuple):
    """Bit n is relay n+1: relays that are on, and those of them with a running timer."""

    on: int
    timed: int


def frame(command: int, mask: int = 0, first: int = 0, second: int = 0) -> bytes:
    """`04 command mask p1 p2 check 0F`; the first six bytes add up to 0 in their low byte."""
    body = bytes([START, command, mask, first, second])
    return body + bytes([-sum(body) & 0xFF, END])


def parse_frames(answer: bytes) -> list[K8090Frame]:
    """All frames of an answer. ValueError when anything else is between or after them."""
    frames = []
    for at in range(0, len(answer), FRAME_BYTES):
        part = answer[at : at + FRAME_BYTES]
        found = K8090Frame(*part[1:5]) if len(part) == FRAME_BYTES else None
        if found is None or part != frame(*found):
            raise ValueError(f"expected 04 … check 0F, got {part.hex(' ').upper()}")
        frames.append(found)
    return frames


def parse_state(answer: bytes) -> Relays:
    """The last report of relays before the version that ends the answer. ValueError when one is missing."""
    frames = parse_frames(answer)
    reports = [Relays(each.first, each.second) for each in frames if each.command == RELAY_STATUS]
    if not reports or frames[-1].command != ASK_VERSION:
        raise ValueError(f"expected a report of relays and a version, got {answer[:28].hex(' ').upper()}")
    return reports[-1]


def make(config: GateConfig, port: SerialPort, clock: Clock) -> K8090Driver:
    """The driver as configured; the speed is always the card's. Raises Misconfigured (`relay_board_size`)."""
    if config.channel > CHANNELS:
        raise no_such_relay(config.channel, f"a K8090 has {CHANNELS} relays.")
    port.baud = BAUD
    return K8090Driver(port)


class K8090Driver(PlainBoard):
    """Speaks to one card."""

    capabilities = Capabilities(pulse=PULSES, readback=True)

    def __init__(self, port: SerialPort) -> None:
        self._dialogue = Dialogue(
            port,
            check="gate.protocol (some cards were sold with another protocol)",
            silent_hint="Check its supply and plug.",
        )

    @property
    def written_s(self) -> float | None:
        """Monotonic time of the last command."""
        return self._dialogue.written_s

    def open(self) -> None:
        """Open the line."""
        self._dialogue.open()

    def close(self) -> None:
        """Close the line."""
        self._dialogue.close()

    def set(self, channel: int, on: bool) -> bool | None:
        """Switch, and read the relay back."""
        self._dialogue.command(frame(SWITCH_ON if on else SWITCH_OFF, _bit(channel)))
        state = self.read_output(channel)
        return None if state is None else state is on

    def pulse(self, channel: int, seconds: float) -> bool | None:
        """Start the relay's timer, and read relay and timer back.

        Args:
            seconds: 1 to 65535, whole.

        Raises:
            ValueError: the card cannot make a pulse of this length.
        """
        if not PULSES.fits(seconds):
            raise ValueError(f"a K8090 cannot make a pulse of {seconds:g} s")
        high, low = divmod(round(seconds), 256)
        self._dialogue.command(frame(START_TIMER, _bit(channel), high, low))
        relays = self._ask()
        return None if relays is None else bool(relays.on & relays.timed & _bit(channel))

    def read_output(self, channel: int) -> bool | None:
        """Ask for the relay's state; None for a missed answer.

        Raises:
            RetryLater: `relay_no_answer` or `relay_bad_answer`, for the third miss in a row.
        """
        relays = self._ask()
        return None if relays is None else bool(relays.on & _bit(channel))

    def _ask(self) -> Relays | None:
        return self._dialogue.ask(
            frame(ASK_RELAYS) + frame(ASK_VERSION), parse_state, done=_ends_with_version
        )


def _bit(channel: int) -> int:
    return 1 << (channel - 1)


def _ends_with_version(data: bytes) -> bool:
    last = data[-FRAME_BYTES:]
    return len(data) % FRAME_BYTES == 0 and len(data) > 0 and last[1] == ASK_VERSION
