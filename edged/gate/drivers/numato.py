"""Numato relay modules: text lines, echoed, with a prompt. Words: docs/reference/relay-boards.md 1.4.

The module repeats every command, then gives the answer, then `>`. The repeated command identifies the answer;
an acknowledged command says nothing about the relay, so the driver reads the state afterwards.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from edged.board_family import BoardFamily, UsbId
from edged.clock import Clock
from edged.gate.drivers.base import Capabilities, PlainBoard, no_such_relay
from edged.gate.drivers.dialogue import RESYNC_LIMIT_S, RESYNC_QUIET_S, Dialogue

if TYPE_CHECKING:
    from edged.config import GateConfig
    from edged.gate.board.port import SerialPort

FAMILY = BoardFamily(
    name="Numato",
    simulator="edged.gate.sim.numato",
    settings=("board_inputs", "channels"),
    most_inputs=16,
    inputs_counted_by="board_inputs",
    usb_ids=(UsbId(0x2A19, None, "Numato relay or GPIO module"),),
)

END, PROMPT = b"\r", b">"
MOST_CHANNELS = 32
"""Numbers above 9 are one character, A to V; the numbering of modules with 64 relays is unknown."""

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUV"


def command_line(words: str, number: int) -> bytes:
    """`words`, the one-character name of relay or contact `number` (from 0), and CR."""
    return f"{words} {_DIGITS[number]}".encode("ascii") + END


def parse_reply(reply: bytes, command: bytes) -> list[bytes]:
    """The lines between the repeated `command` and the prompt.

    Raises:
        ValueError: there is no prompt, or something else than this command was repeated.
    """
    body, prompt, rest = reply.partition(PROMPT)
    lines = [line.strip() for line in re.split(rb"[\r\n]+", body) if line.strip()]
    if not prompt or rest.strip() or not lines or lines[0] != command.rstrip(END):
        raise ValueError(f"expected {command.rstrip(END)!r} repeated and a prompt, got {reply[:60]!r}")
    return lines[1:]


def parse_state(reply: bytes, command: bytes, *, on: bytes, off: bytes) -> bool:
    """True for the answer `on`, False for `off`. ValueError for anything else."""
    answer = parse_reply(reply, command)
    if answer not in ([on], [off]):
        raise ValueError(f"expected {on.decode()} or {off.decode()}, got {reply[:60]!r}")
    return answer == [on]


def parse_done(reply: bytes, command: bytes) -> None:
    """Check that a command was accepted without a message. ValueError for anything else."""
    if parse_reply(reply, command):
        raise ValueError(f"expected nothing but a prompt, got {reply[:60]!r}")


def make(config: GateConfig, port: SerialPort, clock: Clock) -> NumatoDriver:
    """The driver as configured. Raises Misconfigured (`relay_board_size`) for a relay it cannot name."""
    if config.channel > MOST_CHANNELS:
        raise no_such_relay(
            config.channel,
            f"Numato relays are known up to {MOST_CHANNELS}.",
            "Use one of the first 32 relays of the module.",
        )
    return NumatoDriver(port, inputs=config.board_inputs)


class NumatoDriver(PlainBoard):
    """Speaks to one module.

    Args:
        inputs: how many of its IO pins are wired as contacts, from IO 0 on.
    """

    def __init__(self, port: SerialPort, *, inputs: int = 0) -> None:
        self._inputs = inputs
        self._dialogue = Dialogue(
            port,
            check="gate.protocol and gate.channel",
            silent_hint="Check its plug; models with a supply of their own answer nothing without it.",
        )

    @property
    def capabilities(self) -> Capabilities:
        """Relays can be read; contacts as configured."""
        return Capabilities(readback=True, inputs=self._inputs)

    @property
    def written_s(self) -> float | None:
        """Monotonic time of the last command."""
        return self._dialogue.written_s

    def open(self) -> None:
        """Open the line and end a half line that another program may have left in the module.

        If that half line was a command, the module obeys it now: the state is read only afterwards.
        """
        self._dialogue.open()
        self._dialogue.port.write(END)
        self._dialogue.port.discard_until_quiet(RESYNC_QUIET_S, RESYNC_LIMIT_S)

    def close(self) -> None:
        """Close the line."""
        self._dialogue.close()

    def set(self, channel: int, on: bool) -> bool | None:
        """Switch, and read the prompt. Always None: the prompt does not show the relay's state."""
        line = command_line("relay on" if on else "relay off", channel - 1)
        self._dialogue.order(line, lambda reply: parse_done(reply, line), done=_complete)
        return None

    def read_output(self, channel: int) -> bool | None:
        """Ask for the relay's state; None for a missed answer.

        Raises:
            RetryLater: `relay_no_answer` or `relay_bad_answer`, for the third miss in a row.
        """
        return self._ask(command_line("relay read", channel - 1), on=b"on", off=b"off")

    def read_inputs(self) -> tuple[bool, ...] | None:
        """The IO pins, True: high. One question each; None when one of them was missed."""
        states = []
        for number in range(self._inputs):
            state = self._ask(command_line("gpio read", number), on=b"1", off=b"0")
            if state is None:
                return None
            states.append(state)
        return tuple(states) if states else None

    def _ask(self, line: bytes, *, on: bytes, off: bytes) -> bool | None:
        return self._dialogue.ask(
            line, lambda reply: parse_state(reply, line, on=on, off=off), done=_complete
        )


def _complete(reply: bytes) -> bool:
    return PROMPT in reply
