"""Content of a data directory: its databases, the packages that migrate them, its folders. Opens nothing."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

JOURNAL = "journal.sqlite3"
LIBRARY = "library.db"
ATTENDANCE = "attendance.db"
DELIVERY = "delivery.db"

DATABASES = {
    JOURNAL: "edged.journal",
    LIBRARY: "edged.library",
    ATTENDANCE: "edged.attendance",
    "cloud.db": "edged.faceapi.governor",
    DELIVERY: "edged.delivery",
}
"""Every SQLite file of the daemon and the package with its migrations."""

PHOTOS = "photos"
SNAPSHOTS = "snapshots"
BACKUPS = "backups"
ASIDE = "set-aside"
"""Folder for damaged or replaced files."""

INCOMING = ".restoring"
"""Folder in which a restore prepares databases; only a crash leaves it behind."""

_CHUNK = 1 << 20


def present(data_dir: Path) -> dict[str, str]:
    """The databases that exist there, with their packages."""
    return {name: package for name, package in DATABASES.items() if (data_dir / name).is_file()}


def parts_of(path: Path) -> tuple[Path, ...]:
    """A database file, its log and the index of its log."""
    return (path, *(path.with_name(path.name + suffix) for suffix in ("-wal", "-shm")))


def sha256_of(path: Path) -> str:
    """SHA-256 of the content of a file, hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def make_private(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for their owner only."""
    for missing in reversed([path for path in (folder, *folder.parents) if not path.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)


def sync(path: Path) -> None:
    """Wait until a file's content, or a folder's list of files, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
