"""One daemon per data directory: an exclusive lock, which the kernel releases however the process ends.

Commands that only read do not take it.
"""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from types import TracebackType

from edged.clock import Clock, iso
from edged.errors import NeedsOperator

FILE_NAME = "edged.lock"


class DataDirLock:
    """The data directory belongs to this process until `release()` or its end. Made by `lock_data_dir`."""

    def __init__(self, descriptor: int, path: Path) -> None:
        self._descriptor: int | None = descriptor
        self._path = path

    @property
    def keeps_others_out(self) -> bool:
        """Whether the locked file is the one a second daemon would try. Safe from any thread."""
        if self._descriptor is None:
            return False
        try:
            return os.path.samestat(os.fstat(self._descriptor), os.stat(self._path))
        except OSError:
            return False

    def release(self) -> None:
        """Release the lock. The file stays: without it two daemons could lock two files of the same name."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            # closing is not enough: a child between fork and exec still shares the descriptor
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> DataDirLock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def lock_data_dir(data_dir: Path, *, clock: Clock) -> DataDirLock:
    """Make `data_dir` if it is missing and lock it for this process.

    Raises:
        NeedsOperator: another daemon has it (`data_dir_in_use`), or it is not writable (`data_dir_unusable`).
    """
    path = data_dir / FILE_NAME
    try:
        data_dir.mkdir(mode=0o750, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as error:
        raise NeedsOperator(
            f"The data directory {data_dir} cannot be used ({error.strerror}).",
            code="data_dir_unusable",
            hint="Give it to the user that runs edged, or name another one with data_dir or EDGED_DATA_DIR.",
        ) from error
    try:
        _take(descriptor, path, clock)
    except BaseException:
        os.close(descriptor)
        raise
    return DataDirLock(descriptor, path)


def _take(descriptor: int, path: Path, clock: Clock) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise NeedsOperator(
            f"Another edged{_holder(descriptor)} uses the data directory {path.parent}.",
            code="data_dir_in_use",
            hint="Stop that one first (systemctl stop edged), or give this one its own data directory.",
        ) from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "started": iso(clock.now())}).encode(), 0)


def _holder(descriptor: int) -> str:
    """` (pid 4711, since …)`, or nothing while the holder has not written that down yet."""
    try:
        holder = json.loads(os.pread(descriptor, 1000, 0))
        return f" (pid {int(holder['pid'])}, since {holder['started']})"
    except (ValueError, KeyError, TypeError):
        return ""
