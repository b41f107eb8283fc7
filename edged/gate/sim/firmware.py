"""The interface between a simulated board and its firmware, and how a firmware is made."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from edged.gate.drivers.registry import family

if TYPE_CHECKING:
    from edged.gate.sim.url import SimUrl


class Electronics(Protocol):
    """The board around the firmware. Channels count from 1. The firmware runs for one caller at a time.

    Attributes:
        relays: present state of the coils, index 0 is channel 1; read only.
        inputs: present state of the contacts, index 0 is input 1; read only.
    """

    relays: list[bool]
    inputs: list[bool]

    def switch(self, channel: int, on: bool) -> None:
        """Move a relay; a stuck one stays."""
        ...

    def later(self, name: Hashable, seconds: float, action: Callable[[], None]) -> None:
        """Plan `action` in `seconds`, in place of an earlier plan of this name. The plan survives an unplug
        when the board has a supply of its own."""
        ...

    def cancel(self, name: Hashable) -> None:
        """Cancel the plan of this name."""
        ...

    def say(self, data: bytes) -> None:
        """Send unsolicited bytes."""
        ...


class Firmware(Protocol):
    """One protocol. Written against the byte tables on its own, not with the driver's code."""

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes; returns the answers in order. Half a frame waits for its rest."""
        ...

    def reset(self) -> None:
        """Power-on: forget half a frame and every mode."""
        ...

    def spoil(self, answer: bytes) -> bytes:
        """The answer with a wrong check sum."""
        ...


def make_firmware(url: SimUrl, board: Electronics) -> Firmware:
    """The firmware of `url.board`, from the simulator module that its driver names."""
    module = family(url.board).simulator
    if module is None:
        raise ValueError(f"there is no simulated board {url.board}")
    firmware: Firmware = import_module(module).make(url, board)
    return firmware


def spoil_last_byte(answer: bytes) -> bytes:
    """One bit of the last byte turned over, where the check sum of most protocols is."""
    return answer[:-1] + bytes([answer[-1] ^ 0x01]) if answer else answer
