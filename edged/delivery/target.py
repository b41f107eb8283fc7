"""What a target is, and the ways in which it can fail. The targets themselves are in `targets`."""

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
        body: the record as docs/delivery.md describes it, JSON-ready.
        personal: texts of it that name a person, to keep them out of what is stored about failures.
    """

    id: str
    seq: int
    kind: str
    event: str
    body: dict[str, Any]
    personal: tuple[str, ...] = ()


@dataclass(frozen=True)
class Receipt:
    """What became of the messages of one call; those in neither are to be sent again.

    Attributes:
        taken: ids that the receiver has acknowledged.
        refused: id -> why the receiver will never take it.
    """

    taken: frozenset[str]
    refused: Mapping[str, str] = field(default_factory=dict)


class DeliveryFailed(RetryLater):
    """It did not work now and may work later.

    Args:
        about_record: the receiver was there and failed over these records; it may take others.
        retry_after_s: the receiver asked for this pause.
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
"""Code of a `Refused`: the receiver says that it has something under this id already."""


class Refused(EdgedError):
    """The receiver will not take this request however often it is sent."""


class Target(Protocol):
    """A receiver. Used by one thread only."""

    batch: int
    """Messages it can take in one call."""

    def deliver(self, messages: Sequence[Message]) -> Receipt:
        """Send `messages` in their order and wait until the receiver has them safely.

        Args:
            messages: 1 to `batch`.

        Raises:
            DeliveryFailed: to be tried again.
            Refused: the receiver will never take these.
            NeedsOperator, Misconfigured: a person must act before it can work.
        """
        ...

    def tend(self) -> None:
        """Called about once a second while there is nothing to send. Raises as `deliver`, except Refused."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


def shortened(text: str, most: int = 200) -> str:
    """What a receiver said, fit for a message: one line of printable characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= most else line[: most - 1] + "…"
