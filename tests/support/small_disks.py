"""Small file systems of their own, to fill up or to make read-only. Only root may mount them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path | None]:
    """A file system of that size at `folder`, which is made; None where nothing may be mounted."""
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0700", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path, leave: int = 0) -> Path:
    """Take all the room of a disk but `leave` bytes. Returns the file to remove when there shall be room."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for piece in (65536, 512):  # large ones first: what is left must not hold a small write either
            try:
                while file.write(b"\0" * piece):
                    pass
            except OSError:
                continue
        file.truncate(max(0, file.tell() - leave))
    return filler
