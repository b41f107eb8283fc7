"""`edged verify`: checks everything that should be true of a data directory. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from edged.clock import Clock
from edged.database import Database
from edged.database.device import read_device_id
from edged.delivery.outbox import Outbox
from edged.errors import EdgedError, Misconfigured, NotFound
from edged.journal import JournalReader
from edged.journal.snapshots import SnapshotFolder
from edged.upkeep.backup import BACKUP_OVERDUE, PREFIX, Backup, check_backup, read_backup
from edged.upkeep.backup_places import distinct
from edged.upkeep.erasure.forget import unfinished
from edged.upkeep.files import ASIDE, DELIVERY, JOURNAL, present


class Level(StrEnum):
    """How serious a finding is."""

    FINE = "fine"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """Result of one check: the part (a file, `snapshots`, `backups`, …), how serious, and the words."""

    part: str
    level: Level
    message: str


def verify(
    data_dir: Path, clock: Clock, *, backup_dirs: Iterable[Path], expect_backup: bool = True
) -> list[Finding]:
    """Check databases, numbers, hash chain, pictures, backups and unfinished erasures.

    Args:
        backup_dirs: folders in which backups should be.
        expect_backup: a missing or old backup is worth a warning.

    Raises:
        NotFound: `nothing_to_verify`.
    """
    names = present(data_dir)
    if not names:
        raise NotFound(
            f"There is no database in {data_dir}.",
            code="nothing_to_verify",
            hint="They are made when the daemon starts for the first time; is this its data directory?",
        )
    found: list[Finding] = []
    for name, package in names.items():
        check = _journal if name == JOURNAL else _database
        found += _opened(name, check(data_dir, name, package, clock))
    found += _erasures(data_dir)
    found += _set_aside(data_dir)
    found += _backups(backup_dirs, clock.now(), expect_backup)
    return found


def _opened(name: str, findings: Iterator[Finding]) -> list[Finding]:
    """The findings; a database that does not even open is one more of them, and the checks go on."""
    done: list[Finding] = []
    try:
        done.extend(findings)
    except Misconfigured as error:
        level = Level.WARNING if error.code == "database_older" else Level.PROBLEM
        done.append(Finding(name, level, str(error)))
    except EdgedError as error:
        done.append(Finding(name, Level.PROBLEM, str(error)))
    return done


def _database(data_dir: Path, name: str, package: str, clock: Clock) -> Iterator[Finding]:
    database = Database.open_readonly(data_dir / name, package=package)
    try:
        answers = [row[0] for row in database.query("PRAGMA integrity_check(20)")]
        broken = database.query("PRAGMA foreign_key_check")
    finally:
        database.close()
    if answers != ["ok"]:
        yield Finding(name, Level.PROBLEM, f"The file is damaged: {'; '.join(answers)}.")
    elif broken:
        yield Finding(name, Level.PROBLEM, f"{len(broken)} rows refer to others that are not there.")
    else:
        yield Finding(name, Level.FINE, "undamaged")


def _journal(data_dir: Path, name: str, package: str, clock: Clock) -> Iterator[Finding]:
    journal = JournalReader.open_readonly(data_dir / name)
    try:
        problems = journal.verify()
        yield from (Finding(name, Level.PROBLEM, problem) for problem in problems)
        if not problems:
            yield Finding(
                name,
                Level.FINE,
                f"{journal.count()} records, undamaged, none missing, decisions unchanged",
            )
            yield from _pictures(data_dir, journal, clock)
        yield from _device(data_dir, name, journal)
        yield from _delivered(data_dir, name, journal.last_seq(), clock)
    finally:
        journal.close()


def _pictures(data_dir: Path, journal: JournalReader, clock: Clock) -> Iterator[Finding]:
    folder = SnapshotFolder(data_dir, journal.database, clock)
    problems = list(folder.problems())
    yield from (Finding("snapshots", Level.PROBLEM, problem) for problem in problems[:20])
    count = journal.database.query("SELECT count(*) FROM snapshots")[0][0]
    if count and not problems:
        yield Finding("snapshots", Level.FINE, f"{count} pictures, all there and unchanged")


def _device(data_dir: Path, name: str, journal: JournalReader) -> Iterator[Finding]:
    own, written = read_device_id(data_dir), journal.device()
    if own is not None and written is not None and own != written:
        yield Finding(name, Level.PROBLEM, f"It was written by the box {written}, and this one is {own}.")


def _delivered(data_dir: Path, name: str, last_seq: int, clock: Clock) -> Iterator[Finding]:
    """Targets whose place is beyond the end of the journal: its end was cut off."""
    if not (data_dir / DELIVERY).is_file():
        return
    outbox = Outbox.open_readonly(data_dir, clock)
    try:
        ahead = [place for place in outbox.places() if place.configured and place.seq > last_seq]
    finally:
        outbox.close()
    for place in ahead:
        yield Finding(
            name,
            Level.PROBLEM,
            f"It ends with record {last_seq}, but {place.name} was sent record {place.seq}: "
            "its end was lost or cut off, unless it was begun anew.",
        )


def _erasures(data_dir: Path) -> Iterator[Finding]:
    if unfinished(data_dir):
        yield Finding(
            "erasure", Level.PROBLEM, "An erasure was interrupted. Finish it: `edged forget --finish`."
        )


def _set_aside(data_dir: Path) -> Iterator[Finding]:
    folders = sorted(path for path in (data_dir / ASIDE).glob("*") if path.is_dir())
    for folder in folders:
        yield Finding(
            "set aside",
            Level.WARNING,
            f"Former databases are kept in {folder}. Remove them when you do not need them any more.",
        )


def _backups(folders: Iterable[Path], now: datetime, expected: bool) -> Iterator[Finding]:
    backups: list[Backup] = []
    for path in (path for folder in distinct(folders) for path in sorted(folder.glob(f"{PREFIX}*"))):
        try:
            backups.append(read_backup(path))
            check_backup(backups[-1])
        except EdgedError as error:
            yield Finding("backups", Level.PROBLEM, str(error))
    backups.sort(key=lambda backup: backup.made_at, reverse=True)
    if not expected:
        return
    if not backups:
        yield Finding("backups", Level.WARNING, "There is no backup. Make one: `edged backup DIR`.")
    elif now - backups[0].made_at > BACKUP_OVERDUE:
        hours = (now - backups[0].made_at).total_seconds() / 3600
        yield Finding("backups", Level.WARNING, f"The newest backup is {hours:.0f} hours old.")
    else:
        yield Finding("backups", Level.FINE, f"{len(backups)}, the newest of {backups[0].made_at:%F %R} UTC")
