"""Addresses of contacts as the configuration writes them: `board:3,nc`. Reads no contact."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

LINES = ("cts", "dsr", "dcd", "ri")
"""Inputs of a serial port, in the order of the drivers' reports."""

_BOARD = re.compile(r"board:([1-9]\d?)")
_LINE = re.compile(rf"line:({'|'.join(LINES)})")
_GPIO = re.compile(r"gpio:(?P<chip>[A-Za-z0-9_./-]+)/(?P<line>[A-Za-z0-9_.-]+)")


@dataclass(frozen=True)
class InputAddress:
    """One contact.

    Attributes:
        source: `board`: an input of the relay board; `line`: of the serial port; `gpio`: of this machine.
        number: board and line: number of the input, from 1. gpio: 0.
        chip: gpio: the device, e.g. `/dev/gpiochip0`.
        line: gpio: offset on the chip or name.
        normally_closed: the contact is closed in the normal state.
    """

    source: Literal["board", "line", "gpio"]
    number: int = 0
    chip: str = ""
    line: int | str = ""
    normally_closed: bool = False

    @property
    def place(self) -> tuple[str, int, str, int | str]:
        """Equal for two addresses that name one wire."""
        return (self.source, self.number, self.chip, self.line)


def parse_input(text: str) -> InputAddress:
    """Read `board:N`, `line:cts|dsr|dcd|ri` or `gpio:CHIP/LINE`, with `,nc` for a normally closed contact.

    Raises:
        ValueError: none of the three forms; the message names them.
    """
    address, comma, wiring = text.strip().partition(",")
    closed = wiring.strip() == "nc"
    if comma and not closed:
        raise ValueError(f"{text!r}: after the comma only nc (normally closed) has a meaning")
    if match := _BOARD.fullmatch(address):
        return InputAddress("board", int(match[1]), normally_closed=closed)
    if match := _LINE.fullmatch(address):
        return InputAddress("line", LINES.index(match[1]) + 1, normally_closed=closed)
    if match := _GPIO.fullmatch(address):
        chip, line = match["chip"], match["line"]
        path = chip if chip.startswith("/") else f"/dev/{chip}"
        number = int(line) if line.isdigit() else line
        return InputAddress("gpio", chip=path, line=number, normally_closed=closed)
    raise ValueError(f"{text!r} is not like board:3, line:cts or gpio:gpiochip0/17 (normally closed: ,nc)")
