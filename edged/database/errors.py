"""Turns the errors of SQLite and of the system into errors that name the reaction."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edged.errors import EdgedError, NeedsOperator, RetryLater

_DISK_FULL_ERRNOS = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def plain_errors(path: Path) -> Iterator[None]:
    """Raise an `EdgedError` in place of an error of SQLite; `IntegrityError` passes, callers handle it."""
    try:
        yield
    except sqlite3.IntegrityError:
        raise
    except sqlite3.Error as error:
        raise _translate(error, path) from error


def from_os_error(error: OSError, path: Path) -> NeedsOperator:
    """The `NeedsOperator` for an error of the system over `path`: `disk_full` or `data_dir_read_only`."""
    return _disk_full(path) if error.errno in _DISK_FULL_ERRNOS else _not_writable(path, str(error))


def _translate(error: sqlite3.Error, path: Path) -> EdgedError:
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF  # the low byte is the primary code
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return RetryLater(f"{path} is being written by another process.", code="database_busy")
    if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _no_space_left(path)):
        return _disk_full(path)
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return corrupt(path, str(error))
    if code in (
        sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH
    ):  # fmt: skip
        return _not_writable(path, str(error))
    if code != sqlite3.SQLITE_IOERR:
        return EdgedError(
            f"{path}: {error}.", code="database_fault", hint="This is a fault of edged; please report it."
        )
    return NeedsOperator(
        f"{path}: {error}.",
        code="database_io_error",
        hint="Look for disk errors in `dmesg`; a worn SD card answers like this before it dies.",
    )


def _no_space_left(path: Path) -> bool:
    try:
        free = os.statvfs(path.parent)
    except OSError:
        return False
    return free.f_bavail * free.f_frsize < 64 * 1024  # less than one growth of the log's index


def _disk_full(path: Path) -> NeedsOperator:
    return NeedsOperator(
        f"{path}: the disk is full.",
        code="disk_full",
        hint=f"Free space on the file system of {path.parent} (`df -h {path.parent}`).",
    )


def _not_writable(path: Path, detail: str) -> NeedsOperator:
    return NeedsOperator(
        f"{path} cannot be opened or written ({detail}).",
        code="data_dir_read_only",
        hint=f"{path.parent} must belong to the user that runs edged and be mounted read-write; a disk "
        "with errors is mounted read-only by the kernel (see `dmesg`). To only read it, copy the folder, and "
        "name the copy with --data-dir.",
    )


def corrupt(path: Path, detail: str) -> NeedsOperator:
    """The `NeedsOperator` for a file that cannot be trusted and stays as it is."""
    return NeedsOperator(
        f"{path} is damaged ({detail}); nothing in it was changed.",
        code="database_corrupt",
        hint=f"Stop edged, move {path.name} and {path.name}-wal aside together, and restore a backup or "
        "start with a new file; `sqlite3 FILE .recover` saves what is readable.",
    )
