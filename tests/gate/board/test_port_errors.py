"""What a port means that cannot be opened or written to, and what the message tells the installer."""

from __future__ import annotations

import errno
import os
import pty
import tty

import pytest

from edged.clock import SystemClock
from edged.errors import NeedsOperator, RetryLater
from edged.gate.board import port as module
from edged.gate.board.port import SerialPort, open_error

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


@pytest.fixture
def line():
    """A port, and the descriptor of what is at its other end."""
    far, near = pty.openpty()
    tty.setraw(near)
    port = SerialPort(os.ttyname(near), 9600, SystemClock())
    port.open()
    yield port, far
    port.close()
    os.close(near)
    os.close(far)


def test_bytes_that_the_line_took_are_written_however_late_the_process_goes_on(line, monkeypatch):
    monkeypatch.setattr(module, "WRITE_TIMEOUT_S", 0.0)
    port, far = line
    port.write(b"\xa0\x01\x01\xa2")
    assert os.read(far, 16) == b"\xa0\x01\x01\xa2"


def test_a_line_that_takes_no_more_bytes_is_lost(line):
    port, _ = line
    with pytest.raises(RetryLater, match="takes no more bytes") as raised:
        port.write(bytes(1_000_000))
    assert raised.value.code == "relay_port_lost"
