"""Jobs: runs the timed jobs that the parts above bring."""

from __future__ import annotations

from datetime import UTC

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED, JobExecutionEvent
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
        self._failed: dict[str, str] = {}

    def start(self) -> None:
        """Schedule every job the parts above have brought."""
        self._scheduler.add_listener(self._note_result, EVENT_JOB_ERROR | EVENT_JOB_EXECUTED)
        self._scheduler.start()
        self._stack.callback(self._scheduler.shutdown, wait=False)
        for job in self._site.jobs:
            self._scheduler.add_job(**job)

    def health(self) -> PartHealth:
        """`next_runs`: by job, when it runs next (ISO 8601). `failed`: by job, what its newest run raised.

        The state is degraded while there are such jobs.
        """
        runs = {job.id: job.next_run_time for job in self._scheduler.get_jobs()}
        next_runs = {name: iso(at) if at else None for name, at in runs.items()}
        failed = dict(self._failed)
        state, summary = PartState.OK, f"{len(runs)} timed jobs wait for their time."
        if failed:
            errors = ", ".join(f"{name} ({error})" for name, error in failed.items())
            state, summary = PartState.DEGRADED, f"Jobs whose newest run failed: {errors}."
        return self._is(state, summary, next_runs=next_runs, failed=failed)

    def _note_result(self, event: JobExecutionEvent) -> None:
        """In the thread of a job."""
        if event.exception is None:
            self._failed.pop(event.job_id, None)
        else:
            self._failed[event.job_id] = f"{type(event.exception).__name__}: {event.exception}"
