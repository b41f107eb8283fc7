"""Who says when a request may be sent: the interface, and the one that never objects.

The governor of rates and allowances implements the same interface elsewhere.
"""

from __future__ import annotations

from typing import Protocol

from edged.errors import EdgedError
from edged.faceapi.calls import Call


class Admission(Protocol):
    """Asked before every HTTP request, told afterwards how it went. Used from several threads."""

    def admit(self, call: Call, deadline_s: float | None) -> None:
        """Wait for this call's turn.

        Args:
            call: what is about to be sent.
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
    """Lets everything pass at once: for commands that send a few requests by hand."""

    def admit(self, call: Call, deadline_s: float | None) -> None:
        """Return at once."""

    def succeeded(self, call: Call) -> None:
        """Keeps no account."""

    def failed(self, call: Call, error: EdgedError) -> EdgedError:
        """Keeps no account."""
        return error
