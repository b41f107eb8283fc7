"""The control socket: the command line asks the running daemon, one question a connection.

The socket lies in the data directory. The file system decides who may connect: the socket belongs to the user
of the daemon, mode 0600. The kernel says who asked, and the command gets that for the record. What a command
does is its own business.
"""

from __future__ import annotations

import json
import os
import pwd
import socket
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edged import errors
from edged.command import Command
from edged.errors import EdgedError, NeedsOperator, NotFound

FILE_NAME = "control.sock"
MAX_BYTES = 64 * 1024
"""Longest question and longest answer."""

QUESTION_S = 2.0
"""The server hangs up on a client that has not put its question by then."""

ACCEPT_AGAIN_S = 0.2
"""Pause after a question that could not be taken, mostly for want of a free descriptor."""

_WAITING = 8
_PEER = struct.Struct("3i")  # pid, uid, gid


@dataclass(frozen=True)
class Peer:
    """Who asked, as the kernel says: process, user number, the user's name (or number if there is none)."""

    pid: int
    uid: int
    user: str


class ControlServer:
    """Answers questions to the running daemon, and takes its orders.

    Args:
        data_dir: where the socket is made, in place of one that a killed daemon left behind.
        commands: by name, e.g. `door.open`. The thread of this server calls them, one at a time.
    """

    def __init__(self, data_dir: Path, commands: Mapping[str, Command]) -> None:
        self._data_dir = data_dir
        self._commands = dict(commands)
        self._stopping = threading.Event()
        self._socket: socket.socket | None = None
        self._bound: os.stat_result | None = None
        self._not_taken = ""
        self._thread = threading.Thread(target=self._run, name="control", daemon=True)

    @property
    def problem(self) -> str:
        """What keeps this server from answering, one sentence; empty: nothing. Safe from any thread."""
        if not self._thread.is_alive():
            return "No thread answers."
        if self._not_taken:
            return f"The last question could not be taken: {self._not_taken}."
        return "" if self._is_in_place() else f"{self._data_dir / FILE_NAME} was removed or replaced."

    def start(self) -> None:
        """Begin to listen. Raises NeedsOperator (`control_unusable`) when the socket cannot be made."""
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        try:
            with _short_path(self._data_dir) as path:
                with suppress(FileNotFoundError):
                    os.unlink(path)  # this process holds the lock of the data directory
                listener.bind(path)
                os.chmod(path, 0o600)
                self._bound = os.stat(path)
            listener.listen(_WAITING)
        except OSError as error:
            listener.close()
            raise NeedsOperator(
                f"The control socket in {self._data_dir} cannot be made: {error.strerror}.",
                code="control_unusable",
                hint="The data directory must be on a local disk and belong to the user that runs edged.",
            ) from error
        self._socket = listener
        self._thread.start()

    def stop(self, timeout_s: float = 1.0) -> bool:
        """Take no more questions. True when the one at hand ended in time."""
        if self._socket is None:
            return True
        self._stopping.set()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(timeout_s)
        self._socket.close()
        if self._is_in_place():
            with suppress(OSError):
                (self._data_dir / FILE_NAME).unlink()
        return not self._thread.is_alive()

    def _is_in_place(self) -> bool:
        """Whether clients find the socket of this server."""
        try:
            found = os.stat(self._data_dir / FILE_NAME)
        except OSError:
            return False
        return self._bound is not None and os.path.samestat(found, self._bound)

    def _run(self) -> None:
        assert self._socket is not None
        while not self._stopping.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError as error:
                self._not_taken = error.strerror or str(error)
                self._stopping.wait(ACCEPT_AGAIN_S)
                continue
            self._not_taken = ""
            with connection, suppress(OSError):
                connection.settimeout(QUESTION_S)
                _send(connection, self._answer(connection))

    def _answer(self, connection: socket.socket) -> dict[str, Any]:
        try:
            question = _receive(connection)
            name, arguments = question.get("command"), question.get("arguments", {})
            if name not in self._commands or not isinstance(arguments, dict):
                raise NotFound(
                    f"The running edged knows no command {str(name)[:50]!r}.",
                    code="command_unknown",
                    hint="Is the running daemon older than this command line? Restart it.",
                )
            return {"ok": True, "result": self._commands[name](_peer(connection), arguments)}
        except EdgedError as error:
            return _refusal(error)
        except Exception as error:  # noqa: BLE001 - one bad question must not end the answering
            return _refusal(
                EdgedError(f"The command failed: {type(error).__name__}: {error}", code="command_failed")
            )


def ask(data_dir: Path, command: str, *, timeout_s: float = 10.0, **arguments: Any) -> dict[str, Any]:
    """Ask the daemon that runs on `data_dir`.

    Raises:
        NeedsOperator: none runs there (`daemon_not_running`), it does not answer (`daemon_silent`), or this
            user may not ask it (`control_denied`).
        EdgedError: the refusal of the daemon, with its code and hint.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as connection:
        connection.settimeout(timeout_s)
        try:
            with _short_path(data_dir) as path:
                connection.connect(path)
            _send(connection, {"command": command, "arguments": arguments})
            connection.shutdown(socket.SHUT_WR)
            answer = _receive(connection)
        except PermissionError as error:
            raise NeedsOperator(
                f"This user may not give orders to the edged on {data_dir}.",
                code="control_denied",
                hint="Run the command as root or as the user that runs edged (sudo -u edged edged ...).",
            ) from error
        except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError) as error:
            raise NeedsOperator(
                f"No edged is running on {data_dir}.",
                code="daemon_not_running",
                hint="Start it (systemctl start edged), or name its directory with --data-dir.",
            ) from error
        except OSError as error:
            raise NeedsOperator(
                f"The edged on {data_dir} does not answer: {error}.",
                code="daemon_silent",
                hint="See its log (journalctl -u edged).",
            ) from error
    if answer.get("ok") is True:
        return answer.get("result") or {}
    raise _error(answer)


@contextmanager
def _short_path(data_dir: Path) -> Iterator[str]:
    """A path to the socket within the 107 bytes of an address, however long the path of the directory is."""
    descriptor = os.open(data_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}/{FILE_NAME}"
    finally:
        os.close(descriptor)


def _peer(connection: socket.socket) -> Peer:
    pid, uid, _ = _PEER.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))
    try:
        user = pwd.getpwuid(uid).pw_name
    except KeyError:
        user = str(uid)
    return Peer(pid, uid, user)


def _receive(connection: socket.socket) -> dict[str, Any]:
    data = b""
    while not data.endswith(b"\n"):
        piece = connection.recv(4096)
        if not piece or len(data) + len(piece) > MAX_BYTES:
            break
        data += piece
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise EdgedError("What arrived is not one line of JSON.", code="control_malformed") from error
    if not isinstance(value, dict):
        raise EdgedError("What arrived is not a JSON object.", code="control_malformed")
    return value


def _send(connection: socket.socket, value: dict[str, Any]) -> None:
    connection.sendall(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace") + b"\n")


def _refusal(error: EdgedError) -> dict[str, Any]:
    return {
        "ok": False,
        "reaction": type(error).__name__,
        "message": error.message,
        "code": error.code,
        "hint": error.hint,
    }


def _error(answer: dict[str, Any]) -> EdgedError:
    kind = getattr(errors, str(answer.get("reaction")), EdgedError)
    if not (isinstance(kind, type) and issubclass(kind, EdgedError)):
        kind = EdgedError
    return kind(
        str(answer.get("message", "The running edged gave no reason.")),
        code=str(answer.get("code", "command_failed")),
        hint=str(answer.get("hint", "")),
    )
