"""Opens, migrates and safely writes one SQLite file; its owner decides on the content.

The rules: write-ahead log, full sync for what must survive a power cut, numbered migrations that happen
entirely or not at all, and no repair by deletion: a damaged file stays as it is for a person to look at.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Literal

from edged.clock import SystemClock
from edged.database.errors import corrupt, from_os_error, plain_errors
from edged.database.migrate import migrate, migrations, require_version, transaction
from edged.errors import NeedsOperator, RetryLater

BUSY_TIMEOUT_MS = 2000
BUSY_RETRY_S = 0.01
QUICK_CHECK_BYTES = 64 * 1024 * 1024  # read in well under a second even from an SD card
CHECKPOINT_BYTES = 4 * 1024 * 1024  # SQLite's own default of 1000 pages


class Database:
    """One open SQLite file. Safe to use from any thread; one thread at a time is inside it."""

    def __init__(self, connection: sqlite3.Connection, path: Path, *, checked: bool = False) -> None:
        """Use `open()` or `open_readonly()`."""
        self.path = path
        self.checked = checked
        """`open` has checked its pages; it does not for a large file that was closed cleanly."""
        self._connection = connection
        self._lock = threading.RLock()
        self._closed = False

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        package: str,
        synchronous: Literal["FULL", "NORMAL"] = "FULL",
        auto_checkpoint: bool = True,
    ) -> Database:
        """Open `path` for writing, create it when absent, and bring it to the newest schema.

        Args:
            path: the database file; its folder is created when absent, both for the owner only (0700, 0600).
            package: the Python package with the folder `migrations` of `NNNN_name.sql` files.
            synchronous: FULL survives a power cut; NORMAL may lose the last transactions, never the file.
            auto_checkpoint: False when the owner calls `checkpoint()` where a pause does no harm.

        Raises:
            NeedsOperator: `database_corrupt`, `data_dir_read_only`, `disk_full`, `database_io_error`.
            Misconfigured: `database_newer`, a newer edged has written the file.
            RetryLater: `database_busy`, another process writes for longer than 2 s.
        """
        path = path.absolute()
        _create_private(path)
        with plain_errors(path):
            suspect = _left_unclean(path) or path.stat().st_size <= QUICK_CHECK_BYTES
            connection = _connect(path.as_uri() + "?mode=rw")
            try:
                _configure(connection, path, synchronous, auto_checkpoint)
                if suspect:
                    _check(connection, path)
                migrate(connection, path, migrations(package))
            except BaseException:
                connection.close()
                raise
        return cls(connection, path, checked=suspect)

    @classmethod
    def open_readonly(cls, path: Path, *, package: str) -> Database:
        """Open an existing `path` for reading only; works while another process writes it.

        Raises:
            NeedsOperator, RetryLater: as `open()`.
            Misconfigured: `database_newer`, or `database_older` before its migration.
        """
        path = path.absolute()
        with plain_errors(path):
            connection = _connect(readonly_uri(path))
            try:
                connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
                connection.execute("PRAGMA query_only = ON")
                require_version(connection, path, migrations(package))
            except BaseException:
                connection.close()
                raise
        return cls(connection, path)

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[sqlite3.Connection]:
        """Everything done inside happens, or nothing does. Transactions do not nest.

        Args:
            durable: wait for the disk. False costs no flush: the transaction survives the end of the process
                at once, and a power cut after the next durable transaction or about half a minute.

        Raises:
            NeedsOperator, RetryLater: as `open()`, `database_closed` after `close()`.
            sqlite3.IntegrityError: a broken constraint; callers handle it.
        """
        with self._lock, plain_errors(self.path):
            self._require_open()
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            with transaction(self._connection):
                yield self._connection

    def query(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> list[sqlite3.Row]:
        """All rows of a reading statement; columns by name or number."""
        with self._lock, plain_errors(self.path):
            self._require_open()
            return self._connection.execute(sql, parameters).fetchall()

    def checkpoint(self) -> bool:
        """Move a long write-ahead log into the file, beside writers and readers. True when it was long."""
        with plain_errors(self.path):
            if _wal_bytes(self.path) < CHECKPOINT_BYTES:
                return False
            with closing(_connect(self.path.as_uri() + "?mode=rw")) as connection:
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
            return True

    def settle(self) -> None:
        """Wait until everything that can be read here is on the disk, also the transactions of other
        processes: a power cut must not take away what a receiver has. SQLite holds no locks on the log, so
        it may be opened.
        """
        log = self.path.with_name(self.path.name + "-wal")
        try:
            descriptor = os.open(log, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return  # SQLite has moved it into the file, and never does so without waiting for the disk
        except OSError as error:
            raise from_os_error(error, log) from error
        try:
            os.fdatasync(descriptor)
        except OSError as error:
            raise from_os_error(error, log) from error
        finally:
            os.close(descriptor)

    def damage(self) -> list[str]:
        """Faults of the pages of the file, at most three; takes a minute for a large file."""
        with self._lock, plain_errors(self.path):
            self._require_open()
            return _damage(self._connection)

    def used_bytes(self) -> int:
        """Bytes of content; free pages, which SQLite uses again, do not count."""
        with self._lock, plain_errors(self.path):
            self._require_open()
            pages, free, size = (
                int(self._connection.execute(f"PRAGMA {name}").fetchone()[0])
                for name in ("page_count", "freelist_count", "page_size")
            )
        return (pages - free) * size

    def empty_log(self) -> bool:
        """Move the whole log into the file and cut it to nothing, so that no former content is left in it.

        Returns:
            False when somebody still reads or writes; the caller tries again.
        """
        with self._lock, plain_errors(self.path):
            self._require_open()
            return not self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]

    def rewrite(self) -> None:
        """Build the file anew (VACUUM), without a trace of removed content. Needs its size once more on the
        disk; other writers wait for it."""
        with self._lock, plain_errors(self.path):
            self._require_open()
            self._connection.execute("VACUUM")

    def close(self) -> None:
        """Write everything into the one file and remove the log beside it: the mark of a clean end."""
        with self._lock, plain_errors(self.path):
            self._closed = True
            self._connection.close()

    def _require_open(self) -> None:
        if self._closed:
            raise RetryLater(f"{self.path} is closed; edged is stopping.", code="database_closed")


def _connect(uri: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        uri, uri=True, isolation_level=None, check_same_thread=False, timeout=BUSY_TIMEOUT_MS / 1000
    )
    connection.row_factory = sqlite3.Row
    connection.text_factory = _text
    return connection


def _text(content: bytes) -> str:
    """Text with replacements: one byte that a worn card has changed must not make the row unreadable."""
    return content.decode("utf-8", "replace")


def _create_private(path: Path) -> None:
    """Make the file for its owner only; SQLite gives its log and index the mode of the file."""
    try:
        if not path.parent.is_dir():
            path.parent.parent.mkdir(parents=True, exist_ok=True)
            path.parent.mkdir(mode=0o700, exist_ok=True)
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise from_os_error(error, path) from error


def _configure(connection: sqlite3.Connection, path: Path, synchronous: str, auto_checkpoint: bool) -> None:
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    mode = _ask_for_log(connection)
    if mode != "wal":
        raise NeedsOperator(
            f"{path}: this file system cannot hold a write-ahead log (journal mode stays {mode}).",
            code="data_dir_unsuitable",
            hint="Set data_dir to a folder on a local disk, not on a network share.",
        )
    connection.execute(f"PRAGMA synchronous = {synchronous}")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")  # SQLite overwrites removed content: it is about people
    if not auto_checkpoint:
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("PRAGMA journal_size_limit = 0")  # so that the size of the log says what it holds


def _ask_for_log(connection: sqlite3.Connection) -> str:
    """Switch a new file to a write-ahead log; returns the mode it has then.

    The switch takes a lock for which SQLite does not wait, whatever its busy_timeout: when two processes
    open a new file at once, it refuses one of them, which asks again here.
    """
    clock = SystemClock()  # the other process knows no other clock
    give_up_s = clock.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            return str(connection.execute("PRAGMA journal_mode = WAL").fetchone()[0])
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or clock.monotonic() > give_up_s:
                raise
            clock.sleep(BUSY_RETRY_S)


def _wal_bytes(path: Path) -> int:
    try:
        return path.with_name(path.name + "-wal").stat().st_size
    except FileNotFoundError:
        return 0


def _left_unclean(path: Path) -> bool:
    """Whether the log has content: the last user was killed, lost power, or is another process of now."""
    return _wal_bytes(path) > 0


def readonly_uri(path: Path) -> str:
    """The URI to read `path`. A log needs its index beside it; where nothing can be created (a card mounted
    read-only) SQLite can still read a file that was closed cleanly as it is."""
    as_it_is = not os.access(path.parent, os.W_OK) and not _left_unclean(path)
    return path.as_uri() + ("?mode=ro&immutable=1" if as_it_is else "?mode=ro")


def _check(connection: sqlite3.Connection, path: Path) -> None:
    if problems := _damage(connection):
        raise corrupt(path, "; ".join(problems))


def _damage(connection: sqlite3.Connection) -> list[str]:
    answers = [row[0] for row in connection.execute("PRAGMA quick_check(3)")]
    return [] if answers == ["ok"] else answers
