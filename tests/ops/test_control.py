"""Asking the running daemon through its socket."""

import os
import resource
import socket
import threading
import time

import pytest

from edged.errors import EdgedError, Misconfigured, NeedsOperator, NotFound
from edged.ops.control import FILE_NAME, MAX_BYTES, ControlServer, ask


def refuse(peer, arguments):
    raise Misconfigured("No such door.", code="door_unknown", hint="Name another.")


def fail(peer, arguments):
    raise KeyError("lost")


@pytest.fixture
def data_dir(tmp_path):
    server = ControlServer(
        tmp_path,
        {
            "echo": lambda peer, arguments: {"arguments": arguments, "uid": peer.uid, "user": peer.user},
            "refuse": refuse,
            "fail": fail,
        },
    )
    server.start()
    yield tmp_path
    assert server.stop()


def raw(data_dir, data):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(30)
        connection.connect(str(data_dir / FILE_NAME))
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        return connection.makefile("rb").read()


def test_a_command_gets_its_arguments_and_who_asked(data_dir):
    answer = ask(data_dir, "echo", door="door1", seconds=2.5, name="Zoë")
    assert answer["arguments"] == {"door": "door1", "seconds": 2.5, "name": "Zoë"}
    assert answer["uid"] == os.getuid()


def test_a_refusal_arrives_with_its_class_code_and_hint(data_dir):
    with pytest.raises(Misconfigured) as refused:
        ask(data_dir, "refuse")
    assert (refused.value.code, refused.value.hint) == ("door_unknown", "Name another.")


def test_a_command_that_fails_does_not_end_the_answering(data_dir):
    with pytest.raises(EdgedError, match="KeyError"):
        ask(data_dir, "fail")
    assert ask(data_dir, "echo")["uid"] == os.getuid()


def test_an_unknown_command_is_named(data_dir):
    with pytest.raises(NotFound, match="sing"):
        ask(data_dir, "sing")


@pytest.mark.parametrize(
    "data",
    [b"", b"\n", b"{", b"[1]\n", b"\xff\xfe\n", b"[" * 50_000, b"x" * (MAX_BYTES + 10), b'{"command": []}\n'],
)
def test_rubbish_is_refused_and_the_next_one_is_answered(data_dir, data):
    assert b'"ok": false' in raw(data_dir, data)
    assert ask(data_dir, "echo")["arguments"] == {}


def test_only_its_owner_may_use_the_socket(data_dir):
    assert (data_dir / FILE_NAME).stat().st_mode & 0o777 == 0o600


def test_a_socket_left_behind_is_replaced(tmp_path):
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / FILE_NAME))
    with pytest.raises(NeedsOperator) as none:
        ask(tmp_path, "echo")
    assert none.value.code == "daemon_not_running"
    server = ControlServer(tmp_path, {"echo": lambda peer, arguments: {}})
    server.start()
    assert ask(tmp_path, "echo") == {}
    assert server.stop()
    assert not (tmp_path / FILE_NAME).exists()


def test_a_directory_with_a_very_long_name_can_be_asked(tmp_path):
    deep = tmp_path / ("x" * 120) / ("y" * 120)
    deep.mkdir(parents=True)
    server = ControlServer(deep, {"echo": lambda peer, arguments: {}})
    server.start()
    assert ask(deep, "echo") == {}
    assert server.stop()


def test_a_server_whose_socket_is_gone_or_another_says_so(tmp_path):
    server = ControlServer(tmp_path, {})
    assert "No thread" in server.problem
    server.start()
    assert server.problem == ""
    (tmp_path / FILE_NAME).unlink()
    assert FILE_NAME in server.problem
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(tmp_path / FILE_NAME))
        assert FILE_NAME in server.problem
    assert server.stop()


def wait_for(condition):
    until_s = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until_s


def test_a_moment_without_free_descriptors_does_not_end_the_answering(tmp_path):
    server = ControlServer(tmp_path, {"echo": lambda peer, arguments: {}})
    server.start()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    clients = [socket.socket(socket.AF_UNIX) for _ in range(2)]  # the kernel took one for the first before
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
        for client in clients:
            client.connect(str(tmp_path / FILE_NAME))
            client.sendall(b'{"command": "echo"}\n')
        wait_for(lambda: "Too many open files" in server.problem)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    for client in clients:
        with client:
            client.settimeout(30)
            assert b'"ok": true' in client.recv(1000)
    assert server.problem == ""
    assert server.stop()


def test_without_a_daemon_the_message_says_so(tmp_path):
    for place in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(NeedsOperator, match="No edged is running"):
            ask(place, "echo")


def test_stopping_leaves_no_thread_behind(tmp_path):
    server = ControlServer(tmp_path, {})
    server.start()
    assert server.stop()
    assert "control" not in {thread.name for thread in threading.enumerate()}
