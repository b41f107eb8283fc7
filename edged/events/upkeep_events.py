"""Care for the records of the box: room, clock, retention, repair, backups, erasure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edged.events.base import Event


@dataclass(frozen=True, kw_only=True, eq=False)
class ClockStepped(Event):
    """The wall clock was set; `at` is the time after that.

    Attributes:
        by_s: seconds it stepped forward; negative: back.
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
    """The retention rules removed old records. This event is in the hash chain, so it explains the gap.

    Attributes:
        code: why: `details_expired`, `records_expired` or `journal_full`.
        removed: number of records; `decisions` of them are decisions.
        until_seq: records with a larger number stay.
        chain_position, chain_hash: the last removed link of the chain and its hash (hex), from which
            verification starts; 0 and empty when no decision was removed.
    """

    code: str
    removed: int
    until_seq: int
    decisions: int = 0
    chain_position: int = 0
    chain_hash: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class JournalRestored(Event):
    """A database was restored from a backup and misses everything written after the backup.

    Attributes:
        file: which database.
        code: why: `database_corrupt`, or `restored` when a person asked for it.
        reason: in words, with what is lost.
        backup_at: when the backup was made.
        kept_in: folder that now holds the former file.
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
    """A backup of all databases is complete in `path`."""

    path: str
    size_mb: float


@dataclass(frozen=True, kw_only=True, eq=False)
class BackupFailed(Event):
    """A backup failed; the next attempt comes an hour later."""

    code: str
    reason: str
    hint: str


@dataclass(frozen=True, kw_only=True, eq=False)
class PersonErased(Event):
    """The identity of a person was erased; their records stay under a pseudonym.

    Attributes:
        pseudonym: stands for the person from now on, in records, punches and backups.
        decisions: number of anonymised decisions.
        records: number of anonymised records, decisions included.
        snapshots: number of erased pictures.
        consents: the consents of the person: `purpose`, `given` and `at` of each entry.
    """

    pseudonym: str
    decisions: int
    records: int
    snapshots: int
    consents: tuple[dict[str, Any], ...] = ()
