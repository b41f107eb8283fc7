"""Interface that admits requests, and an implementation without limits.

`rate_governor.py` implements the same interface with rates and allowances.
"""

from __future__ import annotations

from typing import Protocol

from edged.errors import EdgedError
from edged.faceapi.calls import Call


class Admission(Protocol):
    """Admits every HTTP request and hears its result. Used from several threads."""

    def admit(self, call: Call, deadline_s: float | None) -> None:
        """Wait for this call's turn.

        Args:
            call: the call to send.
            deadline_s: monotonic time after which the answer is of no use; None: wait as long as it takes.

        Raises:
            RetryLater: its turn comes after the deadline, or the call is held back for now.
            NeedsOperator: the call is held back until somebody acts.
        """
        ...

    def succeeded(self, call: Call) -> None:
        """The server answered the request with success."""
        ...

    def failed(self, call: Call, error: EdgedError) -> EdgedError:
        """The request failed, or the server answered it with `error`.

        Returns:
            What to raise: `error`, or what it means after earlier ones.
        """
        ...


class Unlimited:
    """Admits every request at once: for commands that send only a few."""

    def admit(self, call: Call, deadline_s: float | None) -> None:
        """Return at once."""

    def succeeded(self, call: Call) -> None:
        """Keeps no account."""

    def failed(self, call: Call, error: EdgedError) -> EdgedError:
        """Keeps no account."""
        return error
