"""`edged forget`: erase a person everywhere edged keeps anything of them, backups included, and prove it.

What the law wants counted stays countable: records and punches keep their times under a pseudonym. The order
is: library first, so that nobody recognises them any more; then records, punches and backups; then the proof.
"""

from __future__ import annotations

import json
import secrets
import shutil
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edged.attendance.store import PunchLedger
from edged.clock import Clock
from edged.database import Database
from edged.errors import EdgedError, NotFound, RetryLater
from edged.journal.chain import ERASED
from edged.journal.clockwatch import quality_now
from edged.journal.redaction import erase
from edged.journal.snapshots import SnapshotFolder
from edged.journal.writer import Journal
from edged.library import cloud_ledger
from edged.library.store import LibraryStore
from edged.upkeep.backup import (
    Backup,
    broken_backups,
    list_backups,
    referred_pictures,
    remove_backup,
    write_manifest,
)
from edged.upkeep.backup_places import distinct
from edged.upkeep.erasure import marker as begun
from edged.upkeep.erasure import traces as tracing
from edged.upkeep.erasure.marker import Begun
from edged.upkeep.erasure.mentions import erase_mentions
from edged.upkeep.erasure.scan import Hit, scan
from edged.upkeep.erasure.traces import Traces
from edged.upkeep.files import ASIDE, ATTENDANCE, DATABASES, INCOMING, JOURNAL, LIBRARY, present

PASSES = 5
"""A daemon may write down once more whom it had just recognised; each pass waits a second for that."""

_PSEUDONYM_CHARS = "0123456789abcdefghjkmnpqrstvwxyz"


@dataclass
class Forgotten:
    """What an erasure did.

    Attributes:
        pseudonym: stands for the person from now on.
        records, decisions, snapshots, punches, photographs: how many were anonymised or erased.
        backups: how many were written anew without the person.
        removed: backups and former databases that could not be, and what was left of unfinished ones: removed
            as a whole.
        cloud_id: whose erasure the cloud has still to confirm; None when it has nothing of them.
        left: where something of them is still found; empty is the proof.
    """

    pseudonym: str
    in_library: bool = False
    records: int = 0
    decisions: int = 0
    snapshots: int = 0
    punches: int = 0
    photographs: int = 0
    backups: int = 0
    removed: list[str] = field(default_factory=list)
    cloud_id: str | None = None
    left: list[Hit] = field(default_factory=list)
    searched_for: Traces | None = field(default=None, repr=False)
    searched_in: list[Path] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        """JSON-ready, without anything of the person but the cloud's id."""
        hidden = ("left", "searched_for", "searched_in")
        fields = {name: value for name, value in vars(self).items() if name not in hidden}
        return {**fields, "left": [f"{hit.what} in {hit.file}" for hit in self.left]}


def unfinished(data_dir: Path) -> str | None:
    """Id of a person whose erasure was interrupted; None when there is none."""
    started = begun.read(data_dir)
    return None if started is None else started.person_id


def forget(data_dir: Path, person_id: str, clock: Clock, *, backup_dirs: Iterable[Path] = ()) -> Forgotten:
    """Erase a person. May run beside the daemon, and again after an interruption.

    Args:
        backup_dirs: folders of backups.

    Raises:
        NotFound: `person_unknown`: nothing here knows them.
        NeedsOperator, RetryLater: the disk, or a database in use (see `Database.open`). To be repeated.
    """
    if not person_id.strip():  # stands in every text
        raise _unknown(person_id)
    started = begun.read(data_dir)
    resumed = started is not None and started.person_id == person_id
    folders = distinct(backup_dirs)
    backups = [backup for folder in folders for backup in list_backups(folder)]
    remnants = [path for folder in folders for path in broken_backups(folder) if _knows(path, person_id)]
    # one that was being written anew when it was interrupted may not know the person any more
    concerned = [backup for backup in backups if resumed or _knows(backup.path, person_id)]
    if not (resumed or concerned or remnants or _knows(data_dir, person_id)):
        raise _unknown(person_id)
    traces = _collect(data_dir, Traces(person_id), clock)
    done = Forgotten("", traces.in_library, photographs=traces.photographs)
    for backup in concerned:
        with suppress(EdgedError):  # it will be removed
            _collect(backup.path, traces, clock)
    done.pseudonym = _begin(data_dir, traces, started)
    _erase_here(data_dir, traces, clock, done)
    for backup in concerned:
        _erase_in_backup(backup, traces, clock, done)
    for remnant in (data_dir / ASIDE, data_dir / INCOMING, *remnants):
        if remnant.is_dir():
            shutil.rmtree(remnant)
            done.removed.append(str(remnant))
    done.searched_for = traces
    done.searched_in = [data_dir, *(backup.path for backup in concerned if backup.path.exists())]
    done.left = _prove(data_dir, traces, clock, done)
    begun.remove(data_dir)
    return done


def _unknown(person_id: str) -> NotFound:
    return NotFound(
        f"Nobody here has the id {person_id!r}.",
        code="person_unknown",
        hint="`edged people list` and `edged records list` show ids.",
    )


def look_again(data_dir: Path, done: Forgotten, clock: Clock) -> None:
    """After the cloud has confirmed: nothing needs the id any more, so it must be gone, too."""
    done.cloud_id = None
    if done.searched_for is not None:
        done.left = _prove(data_dir, done.searched_for, clock, done)


# -- one data directory, or a backup, which is laid out like one


def _knows(folder: Path, person_id: str) -> bool:
    """Whether any database there names the person. One that cannot be read is taken to."""
    needle = json.dumps(person_id, ensure_ascii=False)[1:-1]
    for name, sql, values in (
        (LIBRARY, "SELECT 1 FROM people WHERE person_id = ?", [person_id]),
        (JOURNAL, "SELECT 1 FROM records WHERE instr(payload, ?) > 0 LIMIT 1", [needle]),
        (ATTENDANCE, "SELECT 1 FROM punches WHERE person_id = ? LIMIT 1", [person_id]),
    ):
        if not (folder / name).is_file():
            continue
        try:
            with closing(sqlite3.connect(f"{(folder / name).as_uri()}?mode=ro", uri=True)) as connection:
                if connection.execute(sql, values).fetchone():
                    return True
        except sqlite3.Error:
            return True
    return False


def _collect(folder: Path, traces: Traces, clock: Clock) -> Traces:
    names = present(folder)
    if LIBRARY in names:
        with _library(folder, clock) as store:
            tracing.of_library(store, traces)
    if JOURNAL in names:
        with _journal(folder, clock) as journal:
            tracing.of_journal(journal, folder, traces)
    return traces


def _erase_here(data_dir: Path, traces: Traces, clock: Clock, done: Forgotten) -> None:
    names = present(data_dir)
    if LIBRARY in names:
        with _library(data_dir, clock) as store:
            with suppress(NotFound):
                store.remove_person(traces.person_id)
            done.cloud_id = store.cloud_id_of(traces.person_id)
    _anonymise(data_dir, traces, clock, done)


def _anonymise(data_dir: Path, traces: Traces, clock: Clock, done: Forgotten) -> None:
    """Punches, records, and what the rows of others say of the person. May be repeated."""
    names = present(data_dir)
    if ATTENDANCE in names:
        done.punches += _punches(data_dir, traces.person_id, done.pseudonym, clock)
    erase_mentions(data_dir, traces.identity.cleaner(done.pseudonym))
    if JOURNAL in names:
        with _journal(data_dir, clock) as journal:
            snapshots = SnapshotFolder(data_dir, journal.database, clock)
            event = erase(journal, snapshots, clock, traces.identity, done.pseudonym, traces.consents)
        done.records += event.records
        done.decisions += event.decisions
        done.snapshots += event.snapshots


def _erase_in_backup(backup: Backup, traces: Traces, clock: Clock, done: Forgotten) -> None:
    """Write a backup anew without the person; one that cannot be is removed."""
    aside = Forgotten(done.pseudonym)
    try:
        _erase_here(backup.path, traces, clock, aside)
        if aside.cloud_id is not None:
            with _library(backup.path, clock) as store, store.database.transaction() as connection:
                cloud_ledger.forget(connection, aside.cloud_id)
        for name, package in present(backup.path).items():
            database = Database.open(backup.path / name, package=package)
            try:
                database.rewrite()
            finally:
                database.close()
        pictures = sum(1 for picture in referred_pictures(backup.path) if (backup.path / picture).is_file())
        write_manifest(backup.path, backup.made_at, pictures)
        done.backups += 1
    except EdgedError:
        remove_backup(backup)
        done.removed.append(str(backup.path))


def _punches(data_dir: Path, person_id: str, pseudonym: str, clock: Clock) -> int:
    ledger = PunchLedger.open(data_dir, clock)
    try:
        return ledger.anonymise(person_id, pseudonym)
    finally:
        ledger.close()


# -- the proof


def _prove(data_dir: Path, traces: Traces, clock: Clock, done: Forgotten) -> list[Hit]:
    """Look for the person in every file; empty logs, rewrite databases and look again while there is any."""
    needles, hits = list(traces.all_needles()), []
    for attempt in range(PASSES):
        _empty_logs(data_dir)
        hits = [hit for hit in scan(done.searched_in, needles) if not _is_expected(hit, done)]
        if not hits:
            return []
        if attempt:
            _pause(clock, 1.0)
        _anonymise(data_dir, traces, clock, done)
        _rewrite(
            {hit.file.name.removesuffix("-wal") for hit in hits if hit.file.parent == data_dir}, data_dir
        )
    return hits


def _is_expected(hit: Hit, done: Forgotten) -> bool:
    """Two places hold the id for a while: what is being done, and the queue until the cloud has confirmed."""
    if begun.belongs(hit.file):
        return True
    return done.cloud_id is not None and hit.what == "id" and hit.file.name.startswith(LIBRARY)


def _empty_logs(data_dir: Path) -> None:
    for name, package in present(data_dir).items():
        database = Database.open(data_dir / name, package=package)
        try:
            database.empty_log()
        finally:
            database.close()


def _rewrite(names: set[str], data_dir: Path) -> None:
    """Build databases anew: pages from before they were overwritten on removal may hold anything."""
    for name in names & set(DATABASES):
        database = Database.open(data_dir / name, package=DATABASES[name])
        try:
            database.rewrite()
        finally:
            database.close()


def _pause(clock: Clock, seconds: float) -> None:
    changed, until_s = threading.Condition(), clock.monotonic() + seconds
    with changed:
        while clock.monotonic() < until_s:
            clock.wait_until(changed, until_s)


# -- what has been begun


def _begin(data_dir: Path, traces: Traces, started: Begun | None) -> str:
    """The pseudonym: that of an interrupted erasure of the same person, or a new one, written down first."""
    if started is None:
        pseudonym = ERASED + "".join(secrets.choice(_PSEUDONYM_CHARS) for _ in range(10))
        begun.write(data_dir, Begun(traces.person_id, pseudonym, sorted(traces.names), traces.consents))
        return pseudonym
    if started.person_id != traces.person_id:
        raise RetryLater(
            "Another erasure was interrupted.",
            code="erasure_unfinished",
            hint="Finish it first: `edged forget --finish`.",
        )
    traces.names.update(started.names)
    traces.consents = started.consents or traces.consents
    return started.pseudonym


@contextmanager
def _library(folder: Path, clock: Clock) -> Iterator[LibraryStore]:
    store = LibraryStore.open(folder, clock)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def _journal(folder: Path, clock: Clock) -> Iterator[Journal]:
    journal = Journal.open(folder / JOURNAL, clock, clock_quality=lambda: quality_now(clock.now()))
    try:
        yield journal
    finally:
        journal.close()
