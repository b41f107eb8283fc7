"""`edged forget`: erase a person everywhere in edged, backups included, and prove it.

Records and punches keep their times under a pseudonym, because the law wants them counted. The library comes
first, so that no engine recognises the person any more; then records, punches and backups; then the proof.
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
from edged.journal import Journal
from edged.journal.chain import ERASED
from edged.journal.clockwatch import quality_now
from edged.journal.redaction import erase
from edged.journal.snapshots import SnapshotFolder
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
from edged.upkeep.erasure import marker
from edged.upkeep.erasure.marker import ErasureMarker
from edged.upkeep.erasure.mentions import erase_mentions
from edged.upkeep.erasure.scan import Hit, scan
from edged.upkeep.erasure.traces import Traces, journal_traces, library_traces
from edged.upkeep.files import ASIDE, ATTENDANCE, DATABASES, INCOMING, JOURNAL, LIBRARY, present

PASSES = 5
"""Searches before the erasure gives up: a daemon may still write a person it has just recognised, so each
pass after the first waits a second."""

_PSEUDONYM_CHARS = "0123456789abcdefghjkmnpqrstvwxyz"


@dataclass
class Forgotten:
    """The result of an erasure.

    Attributes:
        pseudonym: stands for the person from now on.
        records, decisions, snapshots, punches, photographs: number anonymised or erased.
        backups: number written anew without the person.
        removed: backups and former databases that could not be written anew, and remains of unfinished ones:
            removed as a whole.
        cloud_id: id whose erasure the cloud has still to confirm; None when it has nothing of the person.
        left: places where something of the person is still found; empty is the proof.
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
        """The result, JSON-ready; the id in the cloud is all it holds of the person."""
        hidden = ("left", "searched_for", "searched_in")
        fields = {name: value for name, value in vars(self).items() if name not in hidden}
        return {**fields, "left": [f"{hit.what} in {hit.file}" for hit in self.left]}


def unfinished(data_dir: Path) -> str | None:
    """Id of a person whose erasure was interrupted; None when there is none."""
    started = marker.read(data_dir)
    return None if started is None else started.person_id


def forget(data_dir: Path, person_id: str, clock: Clock, *, backup_dirs: Iterable[Path] = ()) -> Forgotten:
    """Erase a person. Works beside the daemon, and once more after an interruption.

    Args:
        backup_dirs: folders of backups.

    Raises:
        NotFound: `person_unknown`: nothing here names them.
        NeedsOperator, RetryLater: the disk, or a database in use (see `Database.open`). Call it again later.
    """
    if not person_id.strip():  # it would be found in every text
        raise _unknown(person_id)
    started = marker.read(data_dir)
    resumed = started is not None and started.person_id == person_id
    concerned, remnants = _concerned(distinct(backup_dirs), person_id, resumed)
    if not (resumed or concerned or remnants or _knows(data_dir, person_id)):
        raise _unknown(person_id)
    traces = _collect(data_dir, Traces(person_id), clock)
    done = Forgotten("", traces.in_library, photographs=traces.photographs)
    for backup in concerned:
        with suppress(EdgedError):  # the erasure will remove it
            _collect(backup.path, traces, clock)
    done.pseudonym = _begin(data_dir, traces, started)
    _erase_here(data_dir, traces, clock, done)
    for backup in concerned:
        _erase_in_backup(backup, traces, clock, done)
    _remove_folders((data_dir / ASIDE, data_dir / INCOMING, *remnants), done)
    done.searched_for = traces
    done.searched_in = [data_dir, *(backup.path for backup in concerned if backup.path.exists())]
    done.left = _prove(data_dir, traces, clock, done)
    marker.remove(data_dir)
    return done


def _concerned(folders: Iterable[Path], person_id: str, resumed: bool) -> tuple[list[Backup], list[Path]]:
    """Backups that may name the person, and folders of broken or unfinished ones that do."""
    backups, remnants = [], []
    for folder in folders:
        # a backup half written anew at the interruption may not name the person any more
        backups += [backup for backup in list_backups(folder) if resumed or _knows(backup.path, person_id)]
        remnants += [path for path in broken_backups(folder) if _knows(path, person_id)]
    return backups, remnants


def _remove_folders(folders: Iterable[Path], done: Forgotten) -> None:
    for folder in folders:
        if folder.is_dir():
            shutil.rmtree(folder)
            done.removed.append(str(folder))


def _unknown(person_id: str) -> NotFound:
    return NotFound(
        f"Nobody here has the id {person_id!r}.",
        code="person_unknown",
        hint="`edged people list` and `edged records list` show ids.",
    )


def look_again(data_dir: Path, done: Forgotten, clock: Clock) -> None:
    """Search again after the cloud has confirmed: nothing needs the id any more, so it must be gone, too."""
    done.cloud_id = None
    if done.searched_for is not None:
        done.left = _prove(data_dir, done.searched_for, clock, done)


# -- one data directory, or a backup, which has the same layout


def _knows(folder: Path, person_id: str) -> bool:
    """Whether a database there names the person, or cannot be read and might."""
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
            library_traces(store, traces)
    if JOURNAL in names:
        with _journal(folder, clock) as journal:
            journal_traces(journal, folder, traces)
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
    """Put the pseudonym into punches, records and the rows of others. A second call does no harm."""
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
    """Write a backup anew without the person; remove it where that fails."""
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
    """Search every file for the person; while there is a hit, erase, rewrite databases and search again."""
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
    """Whether the hit may be there: the marker, or the queue of an erasure the cloud has not confirmed."""
    if marker.belongs(hit.file):
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
    """Build databases anew: pages of an older edged, which did not overwrite removed content, may hold it."""
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


# -- the marker of an unfinished erasure


def _begin(data_dir: Path, traces: Traces, started: ErasureMarker | None) -> str:
    """The pseudonym: that of an interrupted erasure of the same person, or a new one, in the marker first."""
    if started is None:
        pseudonym = ERASED + "".join(secrets.choice(_PSEUDONYM_CHARS) for _ in range(10))
        marker.write(
            data_dir, ErasureMarker(traces.person_id, pseudonym, sorted(traces.names), traces.consents)
        )
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
