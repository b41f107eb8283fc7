"""Journal: opens the records, closes what a crash left open, and writes down what happens from now on."""

from __future__ import annotations

from edged.app.part import PartHealth, PartState
from edged.app.site_part import SitePart
from edged.journal.room import LIMITS, MB
from edged.upkeep.service import Upkeep


class JournalPart(SitePart):
    """Provides `journal`, and `upkeep`, which puts a damaged journal back from a backup when it opens it."""

    name = "journal"

    def start(self) -> None:
        """Raises EdgedError when the journal cannot be opened and no backup replaces it."""
        site = self._site
        site.upkeep = Upkeep(site.config, site.bus, site.clock)
        site.journal = site.upkeep.open_journal()
        self._stack.callback(site.journal.close)
        site.journal.close_unfinished()  # before anything of this run is in it
        site.journal.attach(site.bus)

    def health(self) -> PartHealth:
        """`used_mb`, `max_mb`, `used_percent`, `last_seq`, and the counters of the subscription.

        The state is degraded from the first alarm limit on (`LIMITS`, percent), and failed from 100 percent
        on: nobody can be let in.
        """
        room = self._site.journal.room
        percent = round(100 * room.use.share, 1)
        state, summary = PartState.OK, f"The records take {percent:g} percent of their room."
        if room.full:
            state, summary = PartState.FAILED, "The room for records is used up: nobody can be let in."
        elif percent >= LIMITS[0]:
            state, summary = PartState.DEGRADED, f"The room for records is filling: {percent:g} percent."
        return self._is(
            state,
            summary,
            used_mb=round(room.use.used_bytes / MB, 1),
            max_mb=self._site.config.journal.max_mb,
            used_percent=percent,
            last_seq=self._site.journal.last_seq(),
            **self._subscriber("journal"),
        )
