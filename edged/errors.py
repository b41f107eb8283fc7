"""Exceptions named after the reaction they need, not after the place they came from.

Whoever catches one knows what to do without reading the text: try again later, try another shot, call
the operator, fix the configuration, or accept that the thing is not there.
"""

from __future__ import annotations


class EdgedError(Exception):
    """Base of all errors that edged raises on purpose.

    Args:
        message: what happened, with the value that was seen.
        code: stable identifier for counters, logs and documentation, e.g. `relay_port_missing`.
        hint: what to do about it, one sentence; empty when the message says it.
    """

    exit_code = 1

    def __init__(self, message: str, *, code: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip() if self.hint else self.message


class RetryLater(EdgedError):
    """Nothing is wrong with the request; the other side is busy, away or slow. Repeat with back-off."""

    exit_code = 75  # EX_TEMPFAIL


class TryAnotherShot(EdgedError):
    """This picture cannot be used; another one of the same person may be."""

    exit_code = 65  # EX_DATAERR


class NeedsOperator(EdgedError):
    """It will not get better by itself: wiring, disk, quota, permissions."""

    exit_code = 69  # EX_UNAVAILABLE


class Misconfigured(EdgedError):
    """A setting is wrong; the program must not start (or the command must not run) with it."""

    exit_code = 78  # EX_CONFIG


class NotFound(EdgedError):
    """The named thing does not exist."""

    exit_code = 66  # EX_NOINPUT
