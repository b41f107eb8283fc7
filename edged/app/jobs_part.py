"""Jobs: runs the timed jobs that the parts above bring."""

from __future__ import annotations

from datetime import UTC

from apscheduler.schedulers.background import BackgroundScheduler

from edged.app.part import PartHealth, PartState
from edged.app.site import Site
from edged.app.site_part import SitePart
from edged.clock import iso


class JobsPart(SitePart):
    """One scheduler for the whole daemon."""

    name = "jobs"

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self._scheduler = BackgroundScheduler(timezone=UTC)

    def start(self) -> None:
        """Schedule every job the parts above have brought."""
        self._scheduler.start()
        self._stack.callback(self._scheduler.shutdown, wait=False)
        for job in self._site.jobs:
            self._scheduler.add_job(**job)

    def health(self) -> PartHealth:
        """`next_runs`: by job, when it runs next (ISO 8601)."""
        runs = {job.id: job.next_run_time for job in self._scheduler.get_jobs()}
        next_runs = {name: iso(at) if at else None for name, at in runs.items()}
        return self._is(PartState.OK, f"{len(runs)} timed jobs wait for their time.", next_runs=next_runs)
