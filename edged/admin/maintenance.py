"""Care for what the box has written down: back up, restore, verify, forget a person. Works beside the daemon,
but for `restore`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edged.admin.actor import Actor
from edged.admin.box import Box
from edged.admin.cloud_people import wait_for_erasure
from edged.admin.rights import Right, needs
from edged.errors import Misconfigured
from edged.events import JournalRestored
from edged.upkeep.backup import Backup, make_backup, read_backup
from edged.upkeep.backup_places import backup_folder, missing_places, remember_place, remembered_places
from edged.upkeep.erasure.forget import Forgotten, look_again, unfinished
from edged.upkeep.erasure.forget import forget as erase
from edged.upkeep.files import BACKUPS
from edged.upkeep.restore import restore as put_back
from edged.upkeep.verify import Finding, Level
from edged.upkeep.verify import verify as look

__all__ = [
    "BackupResult",
    "Finding",
    "Forgotten",
    "Level",
    "Verification",
    "back_up",
    "forget",
    "look_at_backup",
    "person_to_forget",
    "restore",
    "unreachable_backups",
    "verify",
]


@dataclass(frozen=True)
class BackupResult:
    """A backup that was made. `not_noted`: why its place cannot be remembered; empty when it is."""

    backup: Backup
    not_noted: str


@dataclass(frozen=True)
class Verification:
    """What was looked at, and the worst level among it."""

    findings: tuple[Finding, ...]
    worst: Level


@needs(Right.BOX_CHANGE)
def back_up(actor: Actor, box: Box, target: Path) -> BackupResult:
    """Copy databases, photographs and snapshots into a new folder in `target` (absolute), checked.

    The box remembers the place, so an erasure finds the backup again. A data directory that cannot be written
    does not keep a backup from being made.

    Raises:
        EdgedError: see `edged.upkeep.backup.make_backup`.
    """
    made = make_backup(box.data_dir, target, box.clock)
    try:
        remember_place(box.data_dir, target)
    except OSError as error:
        return BackupResult(made, error.strerror or str(error))
    return BackupResult(made, "")


@needs(Right.BOX_SEE)
def look_at_backup(actor: Actor, box: Box, source: Path) -> Backup:
    """What a backup holds and when it was made. Raises as `edged.upkeep.backup.read_backup`."""
    return read_backup(source)


@needs(Right.BOX_CHANGE)
def restore(actor: Actor, box: Box, source: Path, *, force: bool = False) -> JournalRestored | None:
    """Replace people, records and punches by those of a backup; what is there now is set aside.

    Args:
        source: the folder of the backup, absolute.
        force: also a backup of another box.

    Returns:
        What was put back of the journal; None when the backup holds no journal.

    Raises:
        EdgedError: the daemon runs, the backup is damaged, or it is of another box.
    """
    return put_back(source, box.data_dir, box.clock, force=force)


@needs(Right.BOX_SEE)
def verify(actor: Actor, box: Box, *, backups: Sequence[Path] = ()) -> Verification:
    """Check databases, numbers, the chain over decisions, pictures and backups. Reads only.

    Args:
        backups: further folders of backups.
    """
    expected = box.is_named or bool(box.config.journal.keep_backups or backups)
    places = _backup_places(box, backups)
    findings = tuple(look(box.data_dir, box.clock, backup_dirs=places, expect_backup=expected))
    levels = {finding.level for finding in findings}
    worst = next((level for level in (Level.PROBLEM, Level.WARNING) if level in levels), Level.FINE)
    return Verification(findings, worst)


@needs(Right.PEOPLE_ERASE)
def person_to_forget(actor: Actor, box: Box, person_id: str | None, *, finish: bool = False) -> str:
    """The person to erase: the one named, or with `finish` the one of an interrupted erasure.

    Raises:
        Misconfigured: `nobody_to_forget`.
    """
    folder = box.data_dir
    person = unfinished(folder) if finish else person_id
    if person is None:
        raise Misconfigured(
            "No erasure was interrupted." if finish else "Whom?",
            code="nobody_to_forget",
            hint="Give the id of the person; `edged people list` shows them.",
        )
    return person


@needs(Right.PEOPLE_ERASE)
def forget(
    actor: Actor, box: Box, person_id: str, *, backups: Sequence[Path] = (), wait_s: float = 0.0
) -> Forgotten:
    """Erase a person everywhere, backups included, and look for traces afterwards.

    Args:
        backups: further folders of backups.
        wait_s: wait so many seconds for the cloud to confirm its part.

    Returns:
        What was erased, and in `left` what is still found.

    Raises:
        NotFound: `person_unknown`.
        RetryLater: `cloud_erasure_unconfirmed`; everything here is erased then.
    """
    done = erase(box.data_dir, person_id, box.clock, backup_dirs=_backup_places(box, backups))
    if done.cloud_id is not None and wait_s:
        wait_for_erasure(actor, box, done.cloud_id, wait_s)
        look_again(box.data_dir, done, box.clock)
    return done


@needs(Right.BOX_SEE)
def unreachable_backups(actor: Actor, box: Box) -> list[Path]:
    """Folders in which backups were made and which are not there now: a disk that is not attached."""
    return missing_places(box.data_dir)


def _backup_places(box: Box, also: Sequence[Path]) -> list[Path]:
    """Folders that may hold backups. A named data directory asks no configuration for its folder."""
    configured = [] if box.is_named else [backup_folder(box.config)]
    return [*configured, box.data_dir / BACKUPS, *remembered_places(box.data_dir), *also]
