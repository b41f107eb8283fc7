"""Upkeep: pictures, clock, age and daily backups of the records."""

from __future__ import annotations

from collections.abc import Sequence

from edged.app.part import PartHealth, PartState, TimedJob
from edged.app.site_part import SitePart
from edged.clock import iso
from edged.upkeep.backup import BACKUP_OVERDUE, list_backups
from edged.upkeep.backup_places import backup_folder


class UpkeepPart(SitePart):
    """Looks after the records once journal and delivery run: it must not remove what delivery still needs."""

    name = "upkeep"

    def start(self) -> None:
        """Raises EdgedError when the records cannot be looked after."""
        upkeep, delivery = self._site.upkeep, self._site.delivery
        if delivery is not None:
            upkeep.follow_delivery(delivery.undelivered_from)
        upkeep.attach()
        self._stack.callback(upkeep.stop)

    def jobs(self) -> Sequence[TimedJob]:
        """A look at a large journal, removal of what is old, backups."""
        return self._site.upkeep.jobs()

    def health(self) -> PartHealth:
        """`keep_backups`, `backups` (how many there are), `newest_backup_at` (ISO 8601 or None), `problems`
        (see `Upkeep.problems`).

        The state is degraded while there are problems, and while the newest backup is overdue.
        """
        config, now, problems = self._site.config, self._site.clock.now(), self._site.upkeep.problems
        backups = list_backups(backup_folder(config))
        newest = backups[0].made_at if backups else None
        state, summary = PartState.OK, "The records are looked after."
        if problems:
            errors = "; ".join(f"{name}: {error}" for name, error in problems.items())
            state, summary = PartState.DEGRADED, f"The newest attempt failed: {errors}"
        elif not config.journal.keep_backups:
            summary = "The records are looked after; the configuration wants no backups."
        elif newest is not None and now - newest > BACKUP_OVERDUE:
            state, summary = PartState.DEGRADED, f"The newest backup is of {iso(newest)}."
        return self._is(
            state,
            summary,
            keep_backups=config.journal.keep_backups,
            backups=len(backups),
            newest_backup_at=iso(newest) if newest else None,
            problems=problems,
        )
