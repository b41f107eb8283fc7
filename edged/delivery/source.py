"""What delivery reads records from. The journal fulfils it; delivery does not know the journal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from edged.record import Record


class RecordSource(Protocol):
    """The records of one journal, open for reading. Used by one thread only."""

    def list(
        self,
        *,
        since: datetime | None = None,
        limit: int | None = 100,
        newest_first: bool = True,
        after_seq: int | None = None,
    ) -> Sequence[Record]:
        """Records in the order of writing, or turned round.

        Args:
            since: aware; only records of this time or later.
            limit: at most so many; None for all.
            after_seq: only records with a larger number.

        Raises:
            EdgedError: the records cannot be read now.
        """
        ...

    def settle(self) -> None:
        """Wait until everything that was read so far is on the disk. Raises EdgedError."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


OpenRecords = Callable[[], RecordSource]
"""Opens the journal for reading. Raises EdgedError."""
