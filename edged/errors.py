"""Exceptions named after the reaction they need, not after the place they came from.

The class tells the caller what to do: try again later, try another shot, call the operator, fix the
configuration, or accept that the thing does not exist.
"""

from __future__ import annotations


class EdgedError(Exception):
    """Base of all errors that edged raises on purpose.

    Args:
        message: what happened, with the value found.
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
    """The request is right; the other side is busy, absent or slow. Repeat it with back-off."""

    exit_code = 75  # EX_TEMPFAIL


class TryAnotherShot(EdgedError):
    """This picture cannot be used; another one of the same person may do."""

    exit_code = 65  # EX_DATAERR


class NeedsOperator(EdgedError):
    """Only a person can put it right: wiring, disk, quota, permissions."""

    exit_code = 69  # EX_UNAVAILABLE


class Misconfigured(EdgedError):
    """A setting is wrong; the program must not start (or the command must not run) with it."""

    exit_code = 78  # EX_CONFIG


class NotFound(EdgedError):
    """The named thing does not exist."""

    exit_code = 66  # EX_NOINPUT
