"""Tells systemd the state of the daemon (sd_notify), over its datagram socket. Decides nothing about health.

Without NOTIFY_SOCKET every call does nothing, so the daemon runs the same in a terminal and in a container.
Protocol: sd_notify(3), sd_watchdog_enabled(3).
"""

from __future__ import annotations

import socket
from collections.abc import Mapping

_SEND_TIMEOUT_S = 1.0  # systemd reads at once; a full socket must not hold up the daemon


class Notifier:
    """Sends states to the service manager.

    Args:
        environ: usually `os.environ`; NOTIFY_SOCKET is the address of the manager.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._address = _address(environ.get("NOTIFY_SOCKET", ""))

    @property
    def enabled(self) -> bool:
        """There is a manager that listens."""
        return self._address is not None

    def ready(self, status: str) -> bool:
        """Everything runs. `status` is the sentence that `systemctl status` shows."""
        return self._send("READY=1", _status(status))

    def status(self, text: str) -> bool:
        """Change the sentence that `systemctl status` shows."""
        return self._send(_status(text))

    def stopping(self, reason: str) -> bool:
        """The daemon has begun to stop."""
        return self._send("STOPPING=1", _status(reason))

    def alive(self) -> bool:
        """Feed the watchdog. systemd restarts the daemon after WATCHDOG_USEC without a call."""
        return self._send("WATCHDOG=1")

    def _send(self, *lines: str) -> bool:
        """True when the manager has it. Without a manager the doors go on working."""
        if self._address is None:
            return False
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.settimeout(_SEND_TIMEOUT_S)
                sender.sendto("\n".join(lines).encode(), self._address)
        except OSError:
            return False
        return True


def watchdog_s(environ: Mapping[str, str], pid: int) -> float | None:
    """Seconds within which the watchdog wants to hear from process `pid`; None without a watchdog for it.

    WATCHDOG_PID keeps a child process from taking the setting for its own.
    """
    microseconds = environ.get("WATCHDOG_USEC", "")
    if not microseconds.isdecimal() or int(microseconds) == 0:
        return None
    if environ.get("WATCHDOG_PID", str(pid)) != str(pid):
        return None
    return int(microseconds) / 1e6


def _address(text: str) -> str | None:
    """A path, or an abstract socket, which the variable writes with `@` in place of the leading zero byte."""
    if text.startswith("@"):
        return "\0" + text[1:]
    return text if text.startswith("/") else None


def _status(text: str) -> str:
    return "STATUS=" + " ".join(text.split())  # a line break would begin another assignment
