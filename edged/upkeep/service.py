"""Upkeep in a running daemon: repair, clock, age of records, pictures, daily backups."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from edged.bus import EventBus
from edged.clock import Clock
from edged.config import Config
from edged.database import Database
from edged.database.device import device_id
from edged.errors import EdgedError, NeedsOperator
from edged.events import BackupFailed, BackupMade, ComponentFailed, JournalRestored
from edged.journal import Journal, journal_path
from edged.journal.clockwatch import ClockWatch
from edged.journal.retention import KeepDays, Retention
from edged.journal.room import MB
from edged.journal.snapshots import SnapshotFolder, SnapshotService
from edged.upkeep.backup import BACKUP_AFTER, list_backups, make_backup, remove_backup
from edged.upkeep.backup_places import backup_folder
from edged.upkeep.files import DATABASES, JOURNAL
from edged.upkeep.restore import repair

if TYPE_CHECKING:
    import numpy as np

Opened = TypeVar("Opened")

_JPEG_QUALITY = 85


class Upkeep:
    """Looks after the data directory of one daemon, which must have been locked before.

    Where delivery has targets, it removes no record before `follow_delivery()`.
    """

    def __init__(self, config: Config, bus: EventBus, clock: Clock) -> None:
        self._config = config
        self._bus = bus
        self._clock = clock
        before = 0 if config.delivery.targets else None
        self._undelivered_from: Callable[[], int | None] = lambda: before
        self._watch = ClockWatch(clock, bus.publish)
        self._restored: list[JournalRestored] = []
        self._backup_lock = threading.Lock()
        self._stopping = threading.Event()
        self._problems: dict[str, str] = {}

    # -- opening

    def opened(self, name: str, opener: Callable[[], Opened]) -> Opened:
        """The result of `opener`; a damaged file comes back from the newest good backup first, if there is
        one.

        Args:
            name: database file, see `edged.upkeep.files`.

        Raises:
            NeedsOperator: `database_corrupt`: there is no good backup, or the file is the library, which
                only an operator may put back. Nothing has changed then.
        """
        try:
            return opener()
        except NeedsOperator as error:
            if error.code != "database_corrupt":
                raise
            restored = repair(self._config.data_dir, name, (backup_folder(self._config),), self._clock)
            if restored is None:
                raise
            self._restored.append(restored)
            return opener()

    def open_journal(self) -> Journal:
        """The journal as the configuration describes it. Raises as `opened()`."""
        data_dir, settings = self._config.data_dir, self._config.journal
        self._journal = self.opened(
            JOURNAL,
            lambda: Journal.open(
                journal_path(data_dir),
                self._clock,
                clock_quality=lambda: self._watch.quality,
                max_bytes=settings.max_mb * MB,
                undelivered_from=lambda: self._undelivered_from(),
                device=device_id(data_dir),
            ),
        )
        self._snapshots = SnapshotFolder(data_dir, self._journal.database, self._clock)
        self._retention = Retention(
            self._journal,
            self._journal.room,
            self._snapshots,
            KeepDays(settings.keep_days, settings.keep_details_days, settings.keep_snapshot_days),
        )
        return self._journal

    # -- while it runs

    @property
    def problems(self) -> Mapping[str, str]:
        """By `journal`, `retention` and `backup`, why the newest attempt at it failed; no key: it did not."""
        return dict(self._problems)

    def attach(self) -> None:
        """Announce repairs, remove pictures that a crash left, keep pictures from now on. Call it after the
        journal's own `attach()`, which writes the announcements down."""
        for restored in self._restored:
            if restored.file != JOURNAL:
                self._bus.publish(restored)
            self._bus.publish(
                ComponentFailed(
                    at=self._clock.now(),
                    component=restored.file,
                    error=restored.reason,
                    hint="Look for disk errors in `dmesg`; `edged verify` tells whether the rest is whole.",
                )
            )
        self._snapshots.sweep()
        SnapshotService(self._config.journal.snapshots, self._snapshots, _jpeg).attach(self._bus)
        self._journal.look_after_room()
        self._watch.start()

    def follow_delivery(self, undelivered_from: Callable[[], int | None]) -> None:
        """From now on keep the records that delivery still needs.

        Args:
            undelivered_from: gives the lowest seq that a target still has to get; None: none waits.
        """
        self._undelivered_from = undelivered_from

    def stop(self) -> None:
        """End a backup under way and the watch over the clock."""
        self._stopping.set()
        self._watch.stop()

    def jobs(self) -> list[dict[str, Any]]:
        """Arguments for the scheduler's `add_job`, one dict per job. After `open_journal()`."""
        late: dict[str, Any] = {"misfire_grace_time": None}  # better than never
        often = {"trigger": "interval", "coalesce": True, "max_instances": 1, **late}
        soon, later = (self._clock.now() + timedelta(minutes=minutes) for minutes in (2, 10))
        once = {"trigger": "date", "func": self.check_journal, "run_date": soon, "id": "check", **late}
        return [
            *([] if self._journal.database.checked else [once]),
            {**often, "func": self.remove_old, "hours": 1, "id": "retention", "next_run_time": soon},
            {**often, "func": self.back_up_if_due, "hours": 1, "id": "backup", "next_run_time": later},
        ]

    def check_journal(self) -> None:
        """Check every page of a journal that was too large for that at the start, beside its users."""
        path = journal_path(self._config.data_dir)
        try:
            database = Database.open_readonly(path, package=DATABASES[JOURNAL])
            try:
                damage = database.damage()
            finally:
                database.close()
        except EdgedError as error:
            damage = [error.message]
        if damage:
            self._problems["journal"] = "; ".join(damage)
            self._bus.publish(
                ComponentFailed(
                    at=self._clock.now(),
                    component=JOURNAL,
                    error=f"The file is damaged: {'; '.join(damage)}.",
                    hint="Stop edged and put the newest backup back (`edged restore`); see `dmesg`.",
                )
            )

    def remove_old(self) -> None:
        """Remove records whose time is over. Publishes a failure; the next run tries again."""
        try:
            self._retention.run(self._clock.now())
            self._journal.look_after_room()
            self._problems.pop("retention", None)
        except EdgedError as error:
            self._problems["retention"] = error.message
            self._bus.publish(
                ComponentFailed(
                    at=self._clock.now(), component="retention", error=error.message, hint=error.hint
                )
            )

    def back_up_if_due(self) -> None:
        """Make a backup when the newest is a day old, and remove the oldest. Publishes how it ended."""
        keep = self._config.journal.keep_backups
        if not keep:
            return
        with self._backup_lock:
            folder = backup_folder(self._config)
            try:
                backups = list_backups(folder)
                if backups and abs(self._clock.now() - backups[0].made_at) < BACKUP_AFTER:
                    self._problems.pop("backup", None)
                    return
                made = make_backup(self._config.data_dir, folder, self._clock, stopped=self._stopping.is_set)
                for old in list_backups(folder)[keep:]:
                    remove_backup(old)
            except EdgedError as error:
                if self._stopping.is_set():
                    return
                self._problems["backup"] = error.message
                self._bus.publish(
                    BackupFailed(at=self._clock.now(), code=error.code, reason=error.message, hint=error.hint)
                )
                return
        self._problems.pop("backup", None)
        self._bus.publish(BackupMade(at=made.made_at, path=str(made.path), size_mb=round(made.bytes / MB, 1)))


def _jpeg(picture: np.ndarray) -> bytes:
    import cv2  # erasing and verifying share this package and do without

    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1].tobytes()
