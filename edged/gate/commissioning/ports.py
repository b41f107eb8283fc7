"""Serial ports of this machine and which relay board may be behind each. Looks into /sys; opens no port.

A USB id allows only a guess: most boards carry the id of a common converter chip. To ask the board would mean
to write to it, and a question to one board switches relays on another
(docs/reference/relay-boards.md 1.9), so nothing here ever does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from serial.tools import list_ports

from edged.board_family import BoardFamily, UsbId
from edged.gate.drivers.registry import families

BY_ID, BY_PATH = Path("/dev/serial/by-id"), Path("/dev/serial/by-path")


class UsbPort(Protocol):
    """The part of a port of `serial.tools.list_ports` that is used here."""

    device: str
    vid: int | None
    pid: int | None
    serial_number: str | None
    product: str | None


@dataclass(frozen=True)
class KnownChip:
    """Boards that may be behind a USB id.

    Attributes:
        boards: in words.
        protocols: possible values of gate.protocol, most likely first; none: not supported.
        remark: a warning; may be empty.
    """

    boards: str
    protocols: tuple[str, ...]
    remark: str = ""


Chips = dict[tuple[int, int | None], KnownChip]
"""By vendor and product; product None: any."""


@dataclass(frozen=True)
class _Converter:
    """A converter chip that any maker may build in."""

    name: str
    remark: str = ""


_CONVERTERS: dict[tuple[int, int], _Converter] = {
    (0x1A86, 0x7523): _Converter(
        "CH340 converter",
        "It has no serial number: with two of them use the path below by-path. ICStation boards with this "
        "chip must not be used.",
    ),
    (0x0403, 0x6001): _Converter(
        "FTDI converter",
        "Denkovi boards (serial number DAE…) and SainSmart 4/8 move relays with every byte: do not use them.",
    ),
    (0x067B, 0x2303): _Converter("PL2303 converter", "ICStation boards with this chip must not be used."),
    (0x10C4, 0xEA60): _Converter("CP210x converter"),
}
"""By vendor and product id (docs/reference/relay-boards.md 1.1). Confirm on site."""


@dataclass(frozen=True)
class PortSeen:
    """One port.

    Attributes:
        device: its present name, /dev/ttyUSB0.
        gate_port: the name to put into gate.port: the lasting one where there is one.
        by_path: the name by USB socket; None: there is none.
        usb_id: `1a86:7523`, None for a port that is not on USB.
        serial_number, product: as the device reports them.
        known: boards that may be behind it; None: the id is unknown.
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
    """Every serial port of a device, without unused built-in ones, in order of name.

    Args:
        ports: the ports; None: those of this machine.
        by_id, by_path: folders of the lasting names.
    """
    seen = list_ports.comports() if ports is None else ports
    ids, paths = _names(by_id), _names(by_path)
    chips = known_chips(families())
    return [
        _seen(port, ids, paths, chips) for port in sorted(seen, key=lambda port: port.device) if _real(port)
    ]


def _real(port: UsbPort) -> bool:
    return port.vid is not None or not port.device.startswith("/dev/ttyS")


def _seen(port: UsbPort, ids: dict[str, str], paths: dict[str, str], chips: Chips) -> PortSeen:
    device = str(Path(port.device).resolve())
    by_path = paths.get(device)
    return PortSeen(
        device=port.device,
        gate_port=ids.get(device) or by_path or port.device,
        by_path=by_path,
        usb_id=None if port.vid is None else f"{port.vid:04x}:{port.pid or 0:04x}",
        serial_number=port.serial_number,
        product=port.product,
        known=None if port.vid is None else chips.get((port.vid, port.pid)) or chips.get((port.vid, None)),
    )


def known_chips(boards: Mapping[str, BoardFamily]) -> Chips:
    """Boards behind each USB id, from the drivers of `boards` and the common converter chips.

    Args:
        boards: every protocol with its boards.
    """
    ids = {(usb.vendor, usb.product) for family in boards.values() for usb in family.usb_ids}
    chips = {usb_id: _own_chip(usb_id, boards) for usb_id in ids - _CONVERTERS.keys()}
    return {**chips, **{usb_id: _converter(usb_id, boards) for usb_id in _CONVERTERS}}


def _own_chip(usb_id: tuple[int, int | None], boards: Mapping[str, BoardFamily]) -> KnownChip:
    carriers = _carriers(usb_id, boards)
    return KnownChip(
        " or ".join(usb.boards for usb in carriers.values()),
        tuple(carriers),
        " ".join(usb.remark for usb in carriers.values() if usb.remark),
    )


def _converter(usb_id: tuple[int, int], boards: Mapping[str, BoardFamily]) -> KnownChip:
    """A converter may sit on a board, carry an RS485 line or have a relay on its control lines."""
    converter, carriers = _CONVERTERS[usb_id], _carriers(usb_id, boards)
    behind = {protocol: family.name for protocol, family in boards.items() if family.rs485}
    bare = [protocol for protocol, family in boards.items() if family.switched_by == "control lines"]
    built_in = ", ".join(usb.boards for usb in carriers.values()) or "any serial device"
    return KnownChip(
        f"{converter.name}: {built_in}, or an RS485 adapter "
        f"with {' or '.join(behind.values())} boards behind it",
        (*carriers, *behind, *bare),
        " ".join(filter(None, [converter.remark, *(usb.remark for usb in carriers.values())])),
    )


def _carriers(usb_id: tuple[int, int | None], boards: Mapping[str, BoardFamily]) -> dict[str, UsbId]:
    """Protocols whose boards carry this id."""
    return {
        protocol: usb
        for protocol, family in boards.items()
        for usb in family.usb_ids
        if (usb.vendor, usb.product) == usb_id
    }


def _names(folder: Path) -> dict[str, str]:
    """Device to lasting name; a name that two boards share leads to one of them only."""
    return {str(link.resolve()): str(link) for link in sorted(folder.glob("*"))}
