"""sd_notify over a real datagram socket, and reading the watchdog's time."""

from __future__ import annotations

import os
import socket

import pytest

from edged.ops.systemd import Notifier, watchdog_s


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path):
    """A bound datagram socket as systemd has it, and the environment that names it."""
    name = f"{tmp_path}/n" if request.param == "path" else f"@edged-test-{os.getpid()}-{tmp_path.name}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind("\0" + name[1:] if name.startswith("@") else name)
        receiver.settimeout(30)
        yield receiver, {"NOTIFY_SOCKET": name}


def test_each_state_is_one_datagram(manager):
    receiver, environ = manager
    notifier = Notifier(environ)
    assert notifier.ready("12 people")
    assert notifier.alive()
    assert notifier.status("camera lost")
    assert notifier.stopping("SIGTERM")
    assert [receiver.recv(1000) for _ in range(4)] == [
        b"READY=1\nSTATUS=12 people",
        b"WATCHDOG=1",
        b"STATUS=camera lost",
        b"STOPPING=1\nSTATUS=SIGTERM",
    ]


def test_a_line_break_in_the_status_cannot_become_another_assignment(manager):
    receiver, environ = manager
    Notifier(environ).status("lost\nREADY=1")
    assert receiver.recv(1000) == b"STATUS=lost READY=1"


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "vsock:2:1"}])
def test_without_a_socket_nothing_is_sent_and_nothing_fails(environ):
    notifier = Notifier(environ)
    assert not notifier.enabled
    assert not notifier.ready("fine")


def test_a_manager_that_has_gone_is_not_an_error(tmp_path):
    assert Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).alive() is False


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"WATCHDOG_USEC": "10000000"}, 10.0),
        ({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": "7"}, 0.5),
        ({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": "8"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_time_is_read_only_when_it_is_meant_for_this_process(environ, expected):
    assert watchdog_s(environ, 7) == expected
