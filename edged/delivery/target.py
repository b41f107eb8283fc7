"""The protocol of a target, its messages, and the ways in which it can fail. The targets are in `targets`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from edged.errors import EdgedError, RetryLater


@dataclass(frozen=True)
class Message:
    """One record, ready for a target.

    Attributes:
        id: idempotency key, the same however often the record is sent.
        seq: number of the record in the journal.
        kind: `decision`, `alarm`, `punch` or `event`.
        event: name of the event, e.g. `access_decided`.
        body: the record as docs/delivery.md describes it, JSON-ready.
        personal: texts in it that name a person, which must stay out of stored failures.
    """

    id: str
    seq: int
    kind: str
    event: str
    body: dict[str, Any]
    personal: tuple[str, ...] = ()


@dataclass(frozen=True)
class Receipt:
    """The outcome of one call; messages in neither set must be sent again.

    Attributes:
        taken: ids that the receiver has acknowledged.
        refused: id -> reason why the receiver will never take it.
    """

    taken: frozenset[str]
    refused: Mapping[str, str] = field(default_factory=dict)


class DeliveryFailed(RetryLater):
    """An attempt failed; a later one may succeed.

    Args:
        about_record: the receiver was there and failed over these records; it may take others.
        retry_after_s: pause the receiver asks for, seconds.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        hint: str = "",
        about_record: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message, code=code, hint=hint)
        self.about_record = about_record
        self.retry_after_s = retry_after_s


CONFLICT = "delivery_conflict"
"""Code of a `Refused`: the receiver claims to have something under this id already."""


class Refused(EdgedError):
    """The receiver will not take this request, however often it comes."""


class Target(Protocol):
    """A receiver. Used by one thread only."""

    batch: int
    """Messages that it can take in one call, at least 1."""

    def deliver(self, messages: Sequence[Message]) -> Receipt:
        """Send `messages` in their order and wait until the receiver has them safely.

        Args:
            messages: 1 to `batch`.

        Raises:
            DeliveryFailed: this attempt failed; try again later.
            Refused: the receiver will never take these.
            NeedsOperator, Misconfigured: a person must act before it can work.
        """
        ...

    def tend(self) -> None:
        """Keep the connection, about once a second between records. Raises as `deliver`, but not Refused."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


def shortened(text: str, most: int = 200) -> str:
    """The words of a receiver, fit for a message: one line of printable characters, at most `most`."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= most else line[: most - 1] + "…"
