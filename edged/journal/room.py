"""The room for records: use, alarms, and the details that give way when it is used up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from edged.database import Database
from edged.events import JournalFilling
from edged.record import DETAILS

LIMITS = (80, 90, 100)
PRUNE_TO = 0.95
"""Share down to which details give way once the room is full, so that not every record removes one."""

RESERVE = 1.1
"""Share up to which refusals and outcomes may be written; the journal refuses grants from 1 on."""

BATCH = 200
"""Records removed in one transaction: some 10 ms, for which a decision waits."""

MB = 1_000_000
_MARKS = ", ".join("?" * len(DETAILS))
_HINT = {
    80: "Look whether a delivery target is behind (`edged delivery status`); raise journal.max_mb, or lower "
    "journal.keep_days or journal.keep_details_days.",
    90: "Act before it is full: raise journal.max_mb, or lower journal.keep_days.",
    100: "Nobody can be let in until there is room: raise journal.max_mb, or bring delivery back.",
}


@dataclass(frozen=True)
class RoomUse:
    """Room in use, in bytes and as share of the budget; a share of 1 is full."""

    share: float
    used_bytes: int


class Room:
    """The budget of a journal.

    Args:
        max_bytes: budget of records and snapshots together; None: no limit.
        undelivered_from: lowest seq that some target still has to get; None when none waits.
    """

    def __init__(
        self,
        database: Database,
        max_bytes: int | None,
        *,
        undelivered_from: Callable[[], int | None] = lambda: None,
    ) -> None:
        self._database = database
        self._max_bytes = max_bytes
        self._undelivered_from = undelivered_from
        self._alarmed = 0
        self.use = RoomUse(0.0, 0)

    @property
    def full(self) -> bool:
        """No room for grants any more."""
        return self.use.share >= 1

    @property
    def exhausted(self) -> bool:
        """No room for refusals either."""
        return self.use.share >= RESERVE

    def measure(self) -> RoomUse:
        """Measure the use now."""
        used = self._database.used_bytes()
        used += int(self._database.query("SELECT coalesce(sum(bytes), 0) FROM snapshots")[0][0])
        self.use = RoomUse(used / self._max_bytes if self._max_bytes else 0.0, used)
        return self.use

    def alarm(self, at: datetime) -> JournalFilling | None:
        """The alarm that is due now: once for each limit, until the use is well below it again."""
        percent = 100 * self.use.share
        passed = max((limit for limit in LIMITS if percent >= limit), default=0)
        if passed <= self._alarmed:
            if percent < self._alarmed - 5:
                self._alarmed = passed
            return None
        self._alarmed = passed
        used_mb, max_mb = self.use.used_bytes / MB, (self._max_bytes or 0) / MB
        return JournalFilling(
            at=at,
            code="journal_full" if passed == LIMITS[-1] else f"journal_{passed}_percent",
            percent=passed,
            used_mb=round(used_mb, 1),
            max_mb=max_mb,
            reason=f"The records take {used_mb:.0f} of the {max_mb:.0f} MB they may take.",
            hint=_HINT[passed],
        )

    def protected_from(self) -> int:
        """Lowest seq that must stay, because a delivery target still has to get it."""
        waiting = self._undelivered_from()
        return 2**62 if waiting is None else waiting


def remove_details(database: Database, below_seq: int) -> int:
    """Remove the oldest details with numbers below `below_seq`, one batch of them. Returns how many."""
    with database.transaction(durable=False) as connection:
        rows = connection.execute(
            f"SELECT seq FROM records WHERE seq < ? AND event IN ({_MARKS}) "
            "AND seq > (SELECT until_seq FROM removals WHERE kind = 'details') ORDER BY seq LIMIT ?",
            (below_seq, *DETAILS, BATCH),
        ).fetchall()
        if rows:
            connection.executemany("DELETE FROM records WHERE seq = ?", rows)
            connection.execute(
                "UPDATE removals SET removed = removed + ?, until_seq = ? WHERE kind = 'details'",
                (len(rows), rows[-1][0]),
            )
    return len(rows)
