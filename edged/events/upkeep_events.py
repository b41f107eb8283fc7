"""What the box says about its own records: room, clock, retention, repair, backups, erasure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edged.events.base import Event


@dataclass(frozen=True, kw_only=True, eq=False)
class ClockStepped(Event):
    """The wall clock was set; `at` is the time after that.

    Attributes:
        by_s: seconds it went forward; negative: back.
        clock: its quality afterwards, see `Record.clock`.
    """

    by_s: float
    clock: str


@dataclass(frozen=True, kw_only=True, eq=False)
class JournalFilling(Event):
    """The records have used up a part of the room they may take.

    Attributes:
        percent: the limit that was passed: 80, 90 or 100.
        used_mb: taken by records and snapshots.
        max_mb: what they may take.
    """

    code: str
    percent: int
    used_mb: float
    max_mb: float
    reason: str
    hint: str


@dataclass(frozen=True, kw_only=True, eq=False)
class JournalPruned(Event):
    """Old records were removed, as configured. It is in the hash chain, so the removal explains itself.

    Attributes:
        code: why: `details_expired`, `records_expired` or `journal_full`.
        removed: how many; `decisions` of them are decisions.
        until_seq: none with a larger number was touched.
        chain_position, chain_hash: the last link of the chain that was removed and its hash (hex), from which
            the rest is verified; 0 and empty when no decision was removed.
    """

    code: str
    removed: int
    until_seq: int
    decisions: int = 0
    chain_position: int = 0
    chain_hash: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class JournalRestored(Event):
    """A database was put back from a backup: what was written after the backup is not in it.

    Attributes:
        file: which database.
        code: why: `database_corrupt`, or `restored` when somebody asked for it.
        reason: in words, with what is lost.
        backup_at: when the backup was made.
        kept_in: folder the former file was moved to.
        lost_from_seq, lost_to_seq: numbers of the journal that are skipped; None for other databases.
    """

    file: str
    code: str
    reason: str
    backup_at: str
    kept_in: str
    lost_from_seq: int | None = None
    lost_to_seq: int | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class BackupMade(Event):
    """A backup of all databases lies in `path`."""

    path: str
    size_mb: float


@dataclass(frozen=True, kw_only=True, eq=False)
class BackupFailed(Event):
    """No backup could be made; it is tried again an hour later."""

    code: str
    reason: str
    hint: str


@dataclass(frozen=True, kw_only=True, eq=False)
class PersonErased(Event):
    """Somebody's identity was erased; what is left of them is counted under a pseudonym.

    Attributes:
        pseudonym: stands for them from now on, in records, punches and backups.
        decisions: how many decisions were anonymised.
        records: how many records, decisions included.
        snapshots: pictures erased.
        consents: what they had agreed to: `purpose`, `given` and `at` of each entry.
    """

    pseudonym: str
    decisions: int
    records: int
    snapshots: int
    consents: tuple[dict[str, Any], ...] = ()
