"""Folders of backups: that of the daily ones, and those of backups by hand, for an erasure to find."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from edged.upkeep.files import BACKUPS

if TYPE_CHECKING:
    from edged.config import Config

FILE_NAME = "backup-folders"


def backup_folder(config: Config) -> Path:
    """Folder of the daily backups."""
    return config.journal.backup_dir or config.data_dir / BACKUPS


def remember_place(data_dir: Path, folder: Path) -> None:
    """Add `folder` to those with backups of `data_dir`. Raises OSError when it cannot be written."""
    places = remembered_places(data_dir)
    if folder in places:
        return
    fresh = data_dir / f"{FILE_NAME}.new"
    text = "".join(f"{place}\n" for place in (*places, folder))
    with os.fdopen(
        os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb"
    ) as stream:
        stream.write(os.fsencode(text))
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(data_dir / FILE_NAME)


def remembered_places(data_dir: Path) -> list[Path]:
    """Folders of backups by hand, in the order of their first use; empty when there are none."""
    try:
        content = (data_dir / FILE_NAME).read_bytes()
    except FileNotFoundError:
        return []
    return [Path(os.fsdecode(line)) for line in content.split(b"\n") if line]


def distinct(folders: Iterable[Path]) -> list[Path]:
    """The folders, absolute, each once however it is spelled."""
    return list(dict.fromkeys(folder.resolve() for folder in folders))


def missing_places(data_dir: Path) -> list[Path]:
    """Remembered folders that are absent now: on a detached disk, or removed."""
    return [place for place in remembered_places(data_dir) if not place.is_dir()]
