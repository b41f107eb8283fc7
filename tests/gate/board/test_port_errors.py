"""What a port that cannot be opened means, and what the message tells the installer."""

from __future__ import annotations

import errno

import pytest

from edged.errors import NeedsOperator, RetryLater
from edged.gate.board.port import open_error

PORT = "/dev/serial/by-id/usb-1a86_USB_Serial-if00-port0"


@pytest.mark.parametrize(
    ("number", "kind", "code"),
    [
        (errno.ENOENT, RetryLater, "relay_port_missing"),
        (errno.ENXIO, RetryLater, "relay_port_missing"),
        (errno.EIO, RetryLater, "relay_port_missing"),
        (errno.EBUSY, NeedsOperator, "relay_port_busy"),
        (errno.EAGAIN, NeedsOperator, "relay_port_busy"),
        (errno.EACCES, NeedsOperator, "relay_port_denied"),
        (errno.EPERM, NeedsOperator, "relay_port_denied"),
    ],
)
def test_the_error_number_decides_the_reaction(tmp_path, number, kind, code):
    error = open_error(PORT, OSError(number, "no"), by_id=tmp_path)
    assert isinstance(error, kind)
    assert error.code == code
    assert PORT in error.message
    assert error.hint


def test_a_missing_port_lists_the_ports_that_are_there(tmp_path):
    (tmp_path / "usb-FTDI-if00").touch()
    error = open_error(PORT, FileNotFoundError(errno.ENOENT, "no"), by_id=tmp_path)
    assert str(tmp_path / "usb-FTDI-if00") in error.hint


def test_a_missing_port_without_any_other_says_to_look_at_the_plug(tmp_path):
    error = open_error(PORT, FileNotFoundError(errno.ENOENT, "no"), by_id=tmp_path / "none")
    assert "plug" in error.hint
