"""Which board may be behind a port: told from /sys alone."""

from __future__ import annotations

import builtins
import os

import pytest
from serial.tools.list_ports_common import ListPortInfo

from edged.config import GateConfig
from edged.gate.commissioning.ports import find_ports, known_chips
from edged.gate.drivers.registry import DRIVERS, families


def port(device: object, vid: int | None = None, pid: int | None = None, serial: str | None = None):
    info = ListPortInfo(str(device), skip_link_detection=True)
    info.vid, info.pid, info.serial_number = vid, pid, serial
    return info


@pytest.fixture
def dev(tmp_path):
    """A /dev with by-id and by-path."""
    for folder in ("by-id", "by-path"):
        (tmp_path / folder).mkdir()
    (tmp_path / "ttyUSB0").touch()
    return tmp_path


def found(dev, *ports):
    return find_ports(ports, by_id=dev / "by-id", by_path=dev / "by-path")


@pytest.mark.parametrize(
    ("vid", "pid", "protocol"),
    [
        (0x1A86, 0x7523, "lcus"),
        (0x0403, 0x6001, "kmtronic"),
        (0x2A19, 0x0C05, "numato"),
        (0x04D8, 0xFFEE, "devantech"),
        (0x10CF, 0x8090, "k8090"),
        (0x10C4, 0xEA60, "modbus"),
    ],
)
def test_a_usb_id_suggests_protocols_the_likeliest_first(dev, vid, pid, protocol):
    (seen,) = found(dev, port("/dev/ttyUSB0", vid, pid))
    assert seen.usb_id == f"{vid:04x}:{pid:04x}"
    assert seen.known.protocols[0] == protocol


def test_every_suggested_protocol_can_be_configured():
    chips = known_chips(families()).values()
    assert {protocol for chip in chips for protocol in chip.protocols} <= set(DRIVERS)


def test_every_protocol_that_can_be_configured_has_a_driver():
    assert GateConfig.model_json_schema()["properties"]["protocol"]["enum"] == list(DRIVERS)


def test_the_lasting_name_is_the_one_to_configure(dev):
    (dev / "by-id" / "usb-1a86_USB_Serial-if00-port0").symlink_to(dev / "ttyUSB0")
    (dev / "by-path" / "pci-0000:00:14.0-usb-0:2:1.0-port0").symlink_to(dev / "ttyUSB0")
    (seen,) = found(dev, port(dev / "ttyUSB0", 0x1A86, 0x7523))
    assert seen.gate_port == str(dev / "by-id" / "usb-1a86_USB_Serial-if00-port0")
    assert seen.by_path == str(dev / "by-path" / "pci-0000:00:14.0-usb-0:2:1.0-port0")


def test_of_two_boards_that_share_a_name_the_other_one_is_named_by_its_socket(dev):
    (dev / "ttyUSB1").touch()
    (dev / "by-id" / "usb-1a86_USB_Serial-if00-port0").symlink_to(dev / "ttyUSB1")
    for number in (0, 1):
        (dev / "by-path" / f"usb-0:{number}").symlink_to(dev / f"ttyUSB{number}")
    first, second = found(dev, port(dev / "ttyUSB0", 0x1A86, 0x7523), port(dev / "ttyUSB1", 0x1A86, 0x7523))
    assert first.gate_port == str(dev / "by-path" / "usb-0:0")
    assert second.gate_port == str(dev / "by-id" / "usb-1a86_USB_Serial-if00-port0")


def test_an_unknown_id_is_listed_and_nothing_is_guessed(dev):
    (seen,) = found(dev, port("/dev/ttyACM0", 0x1234, 0x5678))
    assert seen.known is None


def test_built_in_ports_that_lead_nowhere_are_left_out(dev):
    assert found(dev, port("/dev/ttyS0")) == []
    assert [seen.device for seen in found(dev, port("/dev/ttyAMA0"))] == ["/dev/ttyAMA0"]


def test_no_port_is_ever_opened(dev, monkeypatch):
    def refuse(*_args, **_named):
        raise AssertionError("a port was opened")

    monkeypatch.setattr(os, "open", refuse)
    monkeypatch.setattr(builtins, "open", refuse)
    assert found(dev, port(dev / "ttyUSB0", 0x1A86, 0x7523))
