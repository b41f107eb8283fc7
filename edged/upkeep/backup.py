"""Backups: a folder with a copy of every database, the pictures they refer to, and a manifest.

A backup is made beside a running daemon; it appears under its name only when it is complete and checked.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from edged import __version__
from edged.clock import Clock, iso
from edged.database.device import device_id, write_device_id
from edged.database.errors import from_os_error, plain_errors
from edged.database.file import readonly_uri
from edged.database.migrate import migrations
from edged.errors import EdgedError, Misconfigured, NeedsOperator, NotFound, RetryLater
from edged.upkeep.files import (
    DATABASES,
    JOURNAL,
    LIBRARY,
    PHOTOS,
    SNAPSHOTS,
    make_private,
    present,
    sha256_of,
    sync,
)

MANIFEST = "manifest.json"
FORMAT = 1
PREFIX = "edged-"
BACKUP_AFTER = timedelta(hours=24)
"""Age of the newest backup from which the daemon makes another."""

BACKUP_OVERDUE = timedelta(hours=36)
"""Age of the newest backup from which a daily one is missing."""

SPARE_BYTES = 16 * 1024 * 1024
"""Room that a backup leaves on its disk, so that the daemon can go on writing."""

_PARTIAL = ".partial-"
_PAGES = 1000
"""Pages copied between two questions whether to stop: 4 MB."""


@dataclass(frozen=True)
class CopiedFile:
    """One database of a backup: SHA-256 of the copy, its size, its schema version."""

    sha256: str
    bytes: int
    schema: int


@dataclass(frozen=True)
class Backup:
    """A backup as its manifest describes it.

    Attributes:
        path: the folder.
        device: id of the box.
        made_at: wall time, aware.
        edged: version that made it.
        databases: file name -> its copy.
        pictures: number of photographs and snapshots.
    """

    path: Path
    device: str
    made_at: datetime
    edged: str
    databases: dict[str, CopiedFile]
    pictures: int

    @property
    def bytes(self) -> int:
        """Size of the databases together."""
        return sum(file.bytes for file in self.databases.values())


def make_backup(
    data_dir: Path, target: Path, clock: Clock, *, stopped: Callable[[], bool] = lambda: False
) -> Backup:
    """Copy everything in `data_dir` into a new folder in `target`; create `target` when absent.

    Args:
        stopped: asked every 4 MB; True ends the backup at once and leaves nothing.

    Raises:
        RetryLater: `backup_stopped`, or `backup_exists`: one of this very second.
        NotFound: `backup_nothing`: there is no database in `data_dir`.
        NeedsOperator: the disk (`disk_full`, …), or `database_corrupt`: a damaged database is not backed up.
    """
    names = present(data_dir)
    if not names:
        raise NotFound(
            f"There is nothing to back up in {data_dir}.",
            code="backup_nothing",
            hint="Is this the data directory of the daemon?",
        )
    made_at = datetime.fromisoformat(iso(clock.now()))  # as precise as the manifest
    final = target / f"{PREFIX}{made_at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    partial = target / f"{_PARTIAL}{final.name}"
    if final.exists():
        raise RetryLater(f"A backup of this second exists already: {final}.", code="backup_exists")
    try:
        make_private(target)
        _remove_partial(target)
        _require_room(data_dir, names, target)
        partial.mkdir(mode=0o700)
        try:
            for name in names:
                copy_database(data_dir / name, partial / name, stopped)
            pictures = _copy_pictures(data_dir, partial)
            write_device_id(partial, device_id(data_dir))
            backup = write_manifest(partial, made_at, pictures)
            os.rename(partial, final)
            sync(target)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
    except OSError as error:
        raise from_os_error(error, target) from error
    return _moved(backup, final)


def write_manifest(folder: Path, made_at: datetime, pictures: int) -> Backup:
    """Write the manifest of the backup in `folder`; again after an erasure has changed its content."""
    databases = {name: _describe(folder / name) for name in present(folder)}
    backup = Backup(folder, device_id(folder), made_at, __version__, databases, pictures)
    content: dict[str, Any] = {"format": FORMAT, **asdict(backup), "made_at": iso(made_at)}
    del content["path"]
    file = folder / MANIFEST
    incoming = file.with_suffix(".new")
    incoming.write_text(json.dumps(content, indent=1), encoding="utf-8")
    incoming.chmod(0o600)
    sync(incoming)
    os.replace(incoming, file)
    sync(folder)
    return backup


def read_backup(path: Path) -> Backup:
    """The backup in `path` as its manifest describes it.

    Raises:
        NotFound: `backup_missing`: there is none.
        NeedsOperator: `backup_damaged`.
        Misconfigured: `backup_newer`: a newer edged has made it.
    """
    file = path / MANIFEST
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        if content["format"] > FORMAT:
            raise Misconfigured(
                f"{path} was made by edged {content.get('edged')}, which is newer than this one.",
                code="backup_newer",
                hint="Install that version, then restore.",
            )
        databases = {name: CopiedFile(**values) for name, values in content["databases"].items()}
        made_at = datetime.fromisoformat(content["made_at"])
        return Backup(path, content["device"], made_at, content["edged"], databases, content["pictures"])
    except FileNotFoundError as error:
        raise NotFound(
            f"There is no backup in {path}.",
            code="backup_missing",
            hint=f"Name the folder {PREFIX}… itself; it holds a {MANIFEST}.",
        ) from error
    except OSError as error:
        raise from_os_error(error, file) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(path, f"{MANIFEST} cannot be read") from error


def check_backup(backup: Backup, only: str | None = None) -> None:
    """Check that a backup can be restored.

    Args:
        only: check this database alone.

    Raises:
        NeedsOperator: `backup_damaged`.
        Misconfigured: `database_newer`: a newer edged has written a database.
    """
    for name, listed in backup.databases.items():
        if only not in (None, name):
            continue
        file = backup.path / name
        if not file.is_file() or file.stat().st_size != listed.bytes or sha256_of(file) != listed.sha256:
            raise _damaged(backup.path, f"{name} is not what was written")
        known = len(migrations(DATABASES[name])) if name in DATABASES else 0
        if listed.schema > known:
            raise Misconfigured(
                f"{file} has schema version {listed.schema}, this edged knows {known} at most.",
                code="database_newer",
                hint=f"Install edged {backup.edged} or newer, then restore.",
            )


def list_backups(folder: Path) -> list[Backup]:
    """All backups in a folder that can be read, the newest first."""
    found = []
    for path in sorted(folder.glob(f"{PREFIX}*"), reverse=True) if folder.is_dir() else ():
        try:
            found.append(read_backup(path))
        except EdgedError:  # `edged verify` reports it; an unreadable backup is none
            continue
    return sorted(found, key=lambda backup: backup.made_at, reverse=True)


def broken_backups(folder: Path) -> list[Path]:
    """Folders with the databases of a backup that have no readable manifest, or are not finished."""
    found = []
    for path in (*folder.glob(f"{PREFIX}*"), *folder.glob(f"{_PARTIAL}*")):
        try:
            read_backup(path)
        except EdgedError:
            found += [path] if present(path) else []
        else:
            found += [path] if path.name.startswith(_PARTIAL) else []
    return found


def remove_backup(backup: Backup) -> None:
    """Remove a backup. Raises NeedsOperator."""
    try:
        shutil.rmtree(backup.path)
    except OSError as error:
        raise from_os_error(error, backup.path) from error


def copy_database(source: Path, target: Path, stopped: Callable[[], bool] = lambda: False) -> None:
    """Copy one database as it is now, beside its writers, and check the copy.

    Raises:
        EdgedError: as `make_backup`.
    """

    def go_on(status: int, remaining: int, total: int) -> None:
        if stopped():
            raise RetryLater("The backup was stopped before it was complete.", code="backup_stopped")

    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    with (
        plain_errors(source),
        closing(sqlite3.connect(readonly_uri(source), uri=True)) as reading,
        closing(sqlite3.connect(target)) as writing,
    ):
        reading.execute("BEGIN")  # one state from the first page to the last, whatever is written meanwhile
        reading.execute("SELECT 1 FROM sqlite_schema").fetchone()
        reading.backup(writing, pages=_PAGES, progress=go_on)
        writing.execute("PRAGMA journal_mode = DELETE")  # one file, readable where nothing may be written
        answer = writing.execute("PRAGMA quick_check(1)").fetchone()[0]
    if answer != "ok":
        raise NeedsOperator(
            f"{source} is damaged ({answer}); no backup of it was made.",
            code="database_corrupt",
            hint="Keep the last good backup, and see `edged verify`.",
        )
    sync(target)


def link_or_copy(source: Path, target: Path) -> None:
    """Give a file that never changes another name; copy it where the file system has no links."""
    make_private(target.parent)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
        target.chmod(0o600)
        sync(target)


def referred_pictures(folder: Path) -> Iterator[Path]:
    """The pictures that the databases in `folder` refer to, as paths below it."""
    yield from (Path(PHOTOS, photo) for photo in _distinct(folder / LIBRARY, "faces", "photo"))
    for digest in _distinct(folder / JOURNAL, "snapshots", "hash"):
        yield Path(SNAPSHOTS, digest[:2], f"{digest}.jpg")


def _distinct(file: Path, table: str, column: str) -> Iterator[str]:
    """The values of a column; none where the file or the table is absent."""
    if not file.is_file():
        return
    uri = f"{file.as_uri()}?mode=ro&immutable=1"  # nobody writes a finished backup
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        if _has_table(connection, table):
            yield from (row[0] for row in connection.execute(f"SELECT DISTINCT {column} FROM {table}"))


def _copy_pictures(data_dir: Path, folder: Path) -> int:
    copied = 0
    for picture in referred_pictures(folder):
        try:
            link_or_copy(data_dir / picture, folder / picture)
        except FileNotFoundError:
            continue  # erased while the backup was made
        copied += 1
    return copied


def _has_table(connection: sqlite3.Connection, table: str) -> bool:
    return bool(connection.execute("SELECT 1 FROM sqlite_schema WHERE name = ?", (table,)).fetchone())


def _describe(file: Path) -> CopiedFile:
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
        schema = int(connection.execute("PRAGMA user_version").fetchone()[0])
    return CopiedFile(sha256_of(file), file.stat().st_size, schema)


def _require_room(data_dir: Path, names: dict[str, str], target: Path) -> None:
    needed = sum((data_dir / name).stat().st_size for name in names) + SPARE_BYTES
    disk = os.statvfs(target)
    if disk.f_bavail * disk.f_frsize < needed:
        raise NeedsOperator(
            f"{target}: a backup needs {needed / 1e6:.0f} MB, only "
            f"{disk.f_bavail * disk.f_frsize / 1e6:.0f} MB are free.",
            code="disk_full",
            hint="Free space there, set journal.backup_dir to another disk, or keep fewer backups.",
        )


def _remove_partial(target: Path) -> None:
    for path in target.glob(f"{_PARTIAL}*"):
        shutil.rmtree(path)


def _moved(backup: Backup, path: Path) -> Backup:
    return Backup(path, backup.device, backup.made_at, backup.edged, backup.databases, backup.pictures)


def _damaged(path: Path, what: str) -> NeedsOperator:
    return NeedsOperator(
        f"The backup {path} is damaged: {what}.",
        code="backup_damaged",
        hint="Use another backup; nothing was changed.",
    )
