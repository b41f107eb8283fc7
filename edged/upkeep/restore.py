"""Puts a backup back: all of it on request, or one damaged database. Sets the former files aside."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from datetime import UTC
from pathlib import Path

from edged.clock import Clock, iso
from edged.database.device import read_device_id, write_device_id
from edged.database.errors import from_os_error
from edged.errors import EdgedError, Misconfigured
from edged.events import JournalRestored
from edged.journal.numbers import issued_by, resume
from edged.ops.lock import lock_data_dir
from edged.upkeep.backup import (
    Backup,
    check_backup,
    link_or_copy,
    list_backups,
    read_backup,
    referred_pictures,
)
from edged.upkeep.backup_places import distinct
from edged.upkeep.files import (
    ASIDE,
    DATABASES,
    INCOMING,
    JOURNAL,
    LIBRARY,
    make_private,
    parts_of,
    sync,
)


def restore(source: Path, data_dir: Path, clock: Clock, *, force: bool = False) -> JournalRestored | None:
    """Replace every database of `data_dir` that the backup `source` holds, and put back its pictures.

    Args:
        force: accept a backup of another box; this one keeps its own id.

    Returns:
        The event in the journal about it; None when the backup holds no journal.

    Raises:
        NeedsOperator: `data_dir_in_use` (a daemon runs there), `backup_damaged`, the disk.
        Misconfigured: `backup_of_other_device`, `database_newer`, `backup_newer`.
        NotFound: `backup_missing`.
    """
    backup = read_backup(source)
    check_backup(backup)
    with lock_data_dir(data_dir, clock=clock):
        own = read_device_id(data_dir)
        if own not in (None, backup.device) and not force:
            raise Misconfigured(
                f"{source} is a backup of the box {backup.device}; this one is {own}.",
                code="backup_of_other_device",
                hint="Restore a backup of this box. With --force its records, people and punches replace "
                "those of this box, which keeps its own id.",
            )
        issued = issued_by(data_dir / JOURNAL) if (data_dir / JOURNAL).is_file() else None
        for picture in referred_pictures(source):
            if (source / picture).is_file() and not (data_dir / picture).exists():
                link_or_copy(source / picture, data_dir / picture)
        names = [name for name in backup.databases if name in DATABASES]
        event = _replace(backup, names, data_dir, clock, "restored", issued)
        if own is None:
            write_device_id(data_dir, backup.device)
        return event if JOURNAL in names else None


def repair(data_dir: Path, name: str, backup_dirs: Iterable[Path], clock: Clock) -> JournalRestored | None:
    """Put a damaged database back from the newest good backup of this box. For the start of the daemon.

    The library stays as it is: people removed since the backup would be let in again.

    Args:
        name: file name of the database.
        backup_dirs: folders of backups.

    Returns:
        What happened; it is in the journal already when that is the database. None: there is no good backup,
        and nothing has changed.

    Raises:
        NeedsOperator: the disk.
    """
    if name == LIBRARY:
        return None
    backup = _newest_good(data_dir, name, backup_dirs)
    if backup is None:
        return None
    issued = issued_by(data_dir / name) if name == JOURNAL else None
    return _replace(backup, [name], data_dir, clock, "database_corrupt", issued)


def _newest_good(data_dir: Path, name: str, backup_dirs: Iterable[Path]) -> Backup | None:
    found = [backup for folder in distinct(backup_dirs) for backup in list_backups(folder)]
    own = read_device_id(data_dir)
    for backup in sorted(found, key=lambda backup: backup.made_at, reverse=True):
        if name not in backup.databases or own not in (None, backup.device):
            continue
        try:
            check_backup(backup, only=name)
        except EdgedError:
            continue
        return backup
    return None


def _replace(
    backup: Backup, names: list[str], data_dir: Path, clock: Clock, code: str, issued: int | None
) -> JournalRestored:
    """Set the databases aside, with their logs, and put those of the backup in their place. The journal of
    the backup skips its numbers before that, so that at no moment a journal lies there that would give them
    again."""
    incoming, aside = data_dir / INCOMING, _free_name(data_dir / ASIDE, clock)
    event = _event(backup, JOURNAL if JOURNAL in names else names[0], code, aside, clock)
    try:
        shutil.rmtree(incoming, ignore_errors=True)
        incoming.mkdir(mode=0o700)
        for name in names:
            shutil.copyfile(backup.path / name, incoming / name)
            (incoming / name).chmod(0o600)
        if JOURNAL in names:
            device = read_device_id(data_dir) or backup.device
            event = resume(incoming / JOURNAL, clock, event, issued, device)
        make_private(aside)
        for name in names:
            sync(incoming / name)
            for part in parts_of(data_dir / name):
                if part.exists():
                    os.replace(part, aside / part.name)
            os.replace(incoming / name, data_dir / name)
        sync(data_dir)
        shutil.rmtree(incoming)
    except OSError as error:
        raise from_os_error(error, data_dir) from error
    return event


def _free_name(folder: Path, clock: Clock) -> Path:
    name = f"{clock.now().astimezone(UTC):%Y%m%dT%H%M%SZ}"
    names = (name, *(f"{name}-{number}" for number in range(2, 1000)))
    return next(folder / candidate for candidate in names if not (folder / candidate).exists())


def _event(backup: Backup, file: str, code: str, kept_in: Path, clock: Clock) -> JournalRestored:
    what = f"{file} was damaged and" if code == "database_corrupt" else file
    foreign = "" if code == "database_corrupt" else f" (of the box {backup.device})"
    return JournalRestored(
        at=clock.now(),
        file=file,
        code=code,
        reason=f"{what} was put back from the backup of {iso(backup.made_at)}{foreign}. What was written to "
        f"it after that is not in it; the former file is kept in {kept_in}.",
        backup_at=iso(backup.made_at),
        kept_in=str(kept_in),
    )
