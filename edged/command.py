"""A command that another process gives the running daemon: who asks, the arguments, the answer. No socket."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol


class Asker(Protocol):
    """Who gives a command: user number and name as the kernel says; None where there is no such user."""

    @property
    def uid(self) -> int | None: ...

    @property
    def user(self) -> str | None: ...


Command = Callable[[Asker, dict[str, Any]], dict[str, Any]]
"""Gets who asks and the arguments (JSON values); returns a JSON-ready answer or raises an EdgedError."""
