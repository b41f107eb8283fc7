"""Enrolment photographs: private files named by their content, kept byte for byte.

The store writes a file before the transaction that refers to it and moves it to its place afterwards; it
erases a file after the transaction that forgets it. `recover()` completes either after a crash.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from edged.database.errors import from_os_error

_INCOMING: Final = ".incoming"


def photo_name(content: bytes, suffix: str) -> str:
    """Name of a photograph: the SHA-256 of its bytes and `suffix`."""
    return hashlib.sha256(content).hexdigest() + suffix


class PhotoFolder:
    """The folder of photographs.

    Args:
        folder: made if missing, for its owner only (0700; files 0600).
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._incoming = folder / _INCOMING
        try:
            self._incoming.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)
        except OSError as error:
            raise from_os_error(error, folder) from error

    def path(self, photo: str) -> Path:
        """Path of the photograph of that name."""
        return self.folder / photo

    def receive(self, content: bytes, suffix: str) -> str:
        """Write a photograph beside its place; it is on the disk when this returns.

        Returns:
            Its name, for the database and for `settle()`.

        Raises:
            NeedsOperator: the disk is full or not writable.
        """
        photo = photo_name(content, suffix)
        if self.path(photo).exists():
            return photo
        target = self._incoming / photo
        try:
            descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with open(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            _sync_folder(self._incoming)
        except OSError as error:
            target.unlink(missing_ok=True)
            raise from_os_error(error, target) from error
        return photo

    def settle(self, photo: str) -> None:
        """Move a received photograph to its place, after the database has committed its name."""
        # another process may have recovered it
        with contextlib.suppress(FileNotFoundError):
            os.replace(self._incoming / photo, self.path(photo))

    def erase(self, photo: str) -> None:
        """Erase a photograph that no face refers to, wherever it is."""
        self.path(photo).unlink(missing_ok=True)
        (self._incoming / photo).unlink(missing_ok=True)

    def has_unsettled(self) -> bool:
        """True if photographs are beside their places, after a crash or while another process enrols."""
        return any(self._incoming.iterdir())

    def recover(self, is_referred_to: Callable[[str], bool]) -> None:
        """Settle or erase the photographs beside their places. Call while no other process can enrol."""
        for file in self._incoming.iterdir():
            if is_referred_to(file.name):
                self.settle(file.name)
            else:
                file.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Make the entries of a folder survive a power cut; writers sync the files themselves."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
