"""Declaration of a relay driver about its boards. Each stands in its driver file, beside the bytes.

Configuration, advice, simulator and commissioning read them through `edged.gate.drivers.registry`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class UsbId:
    """A USB id by which a board of the family can be guessed.

    Attributes:
        vendor, product: as the device reports them; product None: any.
        boards: which boards of the family carry it, in words.
        remark: what to look out for; may be empty.
    """

    vendor: int
    product: int | None
    boards: str
    remark: str = ""


@dataclass(frozen=True)
class BoardProfile:
    """One value of `gate.profile`.

    Attributes:
        name: the value.
        has_inputs: boards with this profile may have contacts.
        ends_on_time: such a board switches its relay off by itself when the host is dead.
    """

    name: str
    has_inputs: bool = True
    ends_on_time: bool = True


@dataclass(frozen=True)
class BoardFamily:
    """The boards that one driver speaks to.

    Attributes:
        name: the family in a sentence, e.g. `Modbus`.
        switched_by: how a command reaches the relay: `bytes` on the line; `control lines`, DTR and RTS of the
            port itself, whose other lines are then the inputs; `nothing`, there is no port.
        simulator: module of the simulated board with its `KIND` and `make`; None: there is none.
        settings: the keys of the section `gate` that only some families read, as far as this one does:
            `address`, `append_crlf`, `board_inputs`, `channels`, `checksum`, `firmware`, `profile`,
            `strip_echo`.
        firmwares: values of `gate.firmware`, the usual one first.
        profiles: values of `gate.profile`, the usual one first.
        most_inputs: contacts that any board of the family has.
        inputs_counted_by: the setting that says how many of them this board has; None: nothing does.
        ends_on_time: the board ends a pulse by itself or drops its relays when the host is dead. A profile
            may say otherwise.
        rs485: boards stand on RS485 and so behind any USB converter.
        usb_ids: of boards that plug into USB themselves.
    """

    name: str
    switched_by: Literal["bytes", "control lines", "nothing"] = "bytes"
    simulator: str | None = None
    settings: tuple[str, ...] = ("channels",)
    firmwares: tuple[str, ...] = ()
    profiles: tuple[BoardProfile, ...] = ()
    most_inputs: int = 0
    inputs_counted_by: Literal["board_inputs", "channels"] | None = None
    ends_on_time: bool = False
    rs485: bool = False
    usb_ids: tuple[UsbId, ...] = ()

    @property
    def addressed(self) -> bool:
        """Whether several boards can share a line, each with an address of its own."""
        return "address" in self.settings

    def profile(self, name: str | None) -> BoardProfile:
        """The profile called `name`, or the usual one; for a family without profiles what holds for all."""
        usual = self.profiles[0] if self.profiles else BoardProfile("", ends_on_time=self.ends_on_time)
        return next((profile for profile in self.profiles if profile.name == name), usual)
