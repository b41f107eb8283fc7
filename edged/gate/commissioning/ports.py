"""Serial ports of this machine and which relay board may be behind each. Looks into /sys; opens no port.

What a USB id means is only a guess: most boards carry the id of a common converter chip. Asking the board
itself would mean writing to it, and a question to one board switches relays on another
(docs/reference/relay-boards.md 1.9), so nothing here ever does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from serial.tools import list_ports

BY_ID, BY_PATH = Path("/dev/serial/by-id"), Path("/dev/serial/by-path")


class UsbPort(Protocol):
    """What `serial.tools.list_ports` says of a port."""

    device: str
    vid: int | None
    pid: int | None
    serial_number: str | None
    product: str | None


@dataclass(frozen=True)
class KnownChip:
    """What may be behind a USB id.

    Attributes:
        boards: in words.
        protocols: values of gate.protocol that come into question, most likely first; none: not supported.
        remark: what to look out for; may be empty.
    """

    boards: str
    protocols: tuple[str, ...]
    remark: str = ""


_RS485 = "or an RS485 adapter with Modbus or DCON boards behind it"
_CHIPS: dict[tuple[int, int | None], KnownChip] = {
    (0x1A86, 0x7523): KnownChip(
        f"CH340 converter: LCUS relay board, {_RS485}",
        ("lcus", "modbus", "dcon", "line"),
        "It has no serial number: with two of them use the path below by-path. ICStation boards with this "
        "chip must not be used.",
    ),
    (0x0403, 0x6001): KnownChip(
        f"FTDI converter: KMTronic relay board, {_RS485}",
        ("kmtronic", "modbus", "dcon", "line"),
        "Denkovi boards (serial number DAE…) and SainSmart 4/8 move relays with every byte: do not use them.",
    ),
    (0x2A19, None): KnownChip("Numato relay or GPIO module", ("numato",)),
    (0x04D8, 0xFFEE): KnownChip(
        "Devantech USB-RLY or USB-OPTO-RLY module",
        ("devantech",),
        "The RLY16L latches: it keeps a door open without power, and is refused.",
    ),
    (0x10CF, 0x8090): KnownChip("Velleman K8090 or VM8090", ("k8090",)),
    (0x067B, 0x2303): KnownChip(
        f"PL2303 converter: any serial device, {_RS485}",
        ("modbus", "dcon", "line"),
        "ICStation boards with this chip must not be used.",
    ),
    (0x10C4, 0xEA60): KnownChip(f"CP210x converter: any serial device, {_RS485}", ("modbus", "dcon", "line")),
}
"""By vendor and product id; None: every product (docs/reference/relay-boards.md 1.1). Confirm on site."""


@dataclass(frozen=True)
class PortSeen:
    """One port.

    Attributes:
        device: its present name, /dev/ttyUSB0.
        gate_port: the name to put into gate.port: the lasting one where there is one.
        by_path: the name that goes with the USB socket, if any.
        usb_id: `1a86:7523`, None for a port that is not on USB.
        serial_number, product: as the device gives them.
        known: what may be behind it; None: nothing is known of this id.
    """

    device: str
    gate_port: str
    by_path: str | None
    usb_id: str | None
    serial_number: str | None
    product: str | None
    known: KnownChip | None


def find_ports(
    ports: Iterable[UsbPort] | None = None, *, by_id: Path = BY_ID, by_path: Path = BY_PATH
) -> list[PortSeen]:
    """Every serial port that is a device (built-in ones that lead nowhere are left out), in order of name.

    Args:
        ports: instead of those of this machine.
        by_id, by_path: where the lasting names are.
    """
    seen = list_ports.comports() if ports is None else ports
    ids, paths = _names(by_id), _names(by_path)
    return [_seen(port, ids, paths) for port in sorted(seen, key=lambda port: port.device) if _real(port)]


def _real(port: UsbPort) -> bool:
    return port.vid is not None or not port.device.startswith("/dev/ttyS")


def _seen(port: UsbPort, ids: dict[str, str], paths: dict[str, str]) -> PortSeen:
    device = str(Path(port.device).resolve())
    by_path = paths.get(device)
    return PortSeen(
        device=port.device,
        gate_port=ids.get(device) or by_path or port.device,
        by_path=by_path,
        usb_id=None if port.vid is None else f"{port.vid:04x}:{port.pid or 0:04x}",
        serial_number=port.serial_number,
        product=port.product,
        known=_known(port.vid, port.pid),
    )


def _known(vid: int | None, pid: int | None) -> KnownChip | None:
    if vid is None:
        return None
    return _CHIPS.get((vid, pid)) or _CHIPS.get((vid, None))


def _names(folder: Path) -> dict[str, str]:
    """Device to lasting name; a name that two boards share leads to one of them only."""
    return {str(link.resolve()): str(link) for link in sorted(folder.glob("*"))}
