"""The token in use: cached, renewed early, fetched once for all waiting threads.

`token_source.py` requests it, `token_file.py` keeps it between runs.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Protocol

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.base import BaseScheduler

from edged.backoff import Backoff, PauseRule
from edged.clock import Clock
from edged.errors import EdgedError, RetryLater
from edged.faceapi.client.deadline import timed_out
from edged.faceapi.client.token_source import TokenGrant, TokenSource
from edged.faceapi.inconclusive import Hurried
from edged.secret_files import Secret

CHECK_S = 600
"""Interval of the check whether the token is due for renewal, seconds."""

EARLY_SHARE = 0.1
EARLY_S = 86_400.0
"""The token is renewed when less than this share of its life, or less than this time, is left.
Life of a token: docs/reference/face-api.md 2.3."""

FORCED_GAP_S = 10.0
"""Shortest time between two replacements of a refused token, however many calls it fails."""

HOLD_BUSY_S = 1.0
HOLD_WRONG_S = 120.0
"""Pause after a failed request for a token: the first if the other side is busy (it doubles with each
failure, up to the longer one), the longer one if a person must act (docs/reference/face-api.md 2.2)."""

_log = structlog.get_logger(__name__)


class TokenStore(Protocol):
    """Keeps a token between runs."""

    def load(self) -> TokenGrant | None:
        """The kept token with its remaining life; None: there is no usable one."""
        ...

    def save(self, grant: TokenGrant) -> None:
        """Keep `grant` instead of any earlier one."""
        ...


@dataclass(frozen=True)
class _Held:
    token: Secret
    life_s: float | None
    until_s: float | None  # monotonic: setting the clock does not touch it

    def left_s(self, now_s: float) -> float:
        return float("inf") if self.until_s is None else self.until_s - now_s

    def is_due(self, now_s: float) -> bool:
        if self.life_s is None:
            return False
        early_s = max(EARLY_SHARE * self.life_s, min(EARLY_S, self.life_s / 2))
        return self.left_s(now_s) < early_s


class _Fetch:
    """One request for a token, for which any number of threads may wait."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.held: _Held | None = None
        self.error: EdgedError = RetryLater("The token could not be fetched.", code="cloud_token_refused")


class TokenKeeper:
    """Gives the token to every caller. Safe to use from several threads.

    A thread of its own fetches the token: a caller whose deadline comes leaves, the token still arrives, and
    the next caller gets it.
    """

    def __init__(self, source: TokenSource, clock: Clock, store: TokenStore | None = None) -> None:
        self._source = source
        self._clock = clock
        self._store = store
        self._lock = threading.Lock()
        self._held: _Held | None = None
        self._fetch: _Fetch | None = None
        self._asked_store = store is None
        self._failure: EdgedError | None = None
        self._pauses = Backoff(PauseRule(HOLD_BUSY_S, HOLD_WRONG_S))
        self._forced_s: float | None = None
        self._scheduler: BaseScheduler | None = None
        self._job_id = f"cloud-token-{id(self):x}"
        self._own_scheduler = False

    def token(self, deadline_s: float | None = None) -> Secret:
        """The token; fetches one if there is none or its life is over.

        Raises:
            EdgedError: see `TokenSource.fetch`; RetryLater: `cloud_timeout` when the deadline comes first.
        """
        with self._lock:
            held = self._held or self._kept()
            if held is not None and held.left_s(self._clock.monotonic()) > 0:
                return held.token
            fetch = self._begin()
        return self._wait_for(fetch, deadline_s).token

    def replace(self, refused: Secret, deadline_s: float | None = None) -> Secret | None:
        """Another token instead of `refused`, which the server did not accept.

        Returns:
            None: there is no other one, or this just replaced another refused one.

        Raises:
            EdgedError: as `token`.
        """
        with self._lock:
            if self._held is not None and self._held.token != refused:
                return self._held.token
            now_s = self._clock.monotonic()
            if self._fetch is None:
                if self._replaced_just_now(now_s):
                    return None
                self._forced_s = now_s
            fetch = self._begin()
        fresh = self._wait_for(fetch, deadline_s).token
        return fresh if fresh != refused else None

    def renew_if_due(self) -> None:
        """Fetch another token if the present one nears its end. Only logs a failure: the present one still
        serves."""
        try:
            with self._lock:
                if self._held is None or not self._held.is_due(self._clock.monotonic()):
                    return
                fetch = self._begin()
            self._wait_for(fetch, None)
        except EdgedError as error:
            _log.warning(
                "cloud token not renewed yet", code=error.code, reason=error.message, hint=error.hint
            )

    def start(self, scheduler: BaseScheduler | None = None) -> None:
        """Renew early from now on.

        Args:
            scheduler: runs the job; None: one of our own, which `close` ends.
        """
        if self._scheduler is not None:
            return
        self._own_scheduler = scheduler is None
        self._scheduler = scheduler or BackgroundScheduler(timezone="UTC")
        self._scheduler.add_job(
            self.renew_if_due,
            "interval",
            seconds=CHECK_S,
            id=self._job_id,
            coalesce=True,
            misfire_grace_time=None,
        )
        if self._own_scheduler:
            self._scheduler.start()

    def close(self) -> None:
        """Stop renewing. Waits for a renewal in progress."""
        scheduler, self._scheduler = self._scheduler, None
        if scheduler is None:
            return
        if self._own_scheduler:
            scheduler.shutdown(wait=True)
        else:
            scheduler.remove_job(self._job_id)

    def _replaced_just_now(self, now_s: float) -> bool:
        """Whether the service refused a fresh token like the one before. False if the request for one failed:
        `_begin` decides when to ask again."""
        recently = self._forced_s is not None and now_s - self._forced_s < FORCED_GAP_S
        return recently and self._failure is None

    def _begin(self) -> _Fetch:
        """The request in progress, or a new one. Needs the lock."""
        if self._fetch is None:
            if self._failure is not None and self._pauses.left_s(self._clock.monotonic()) > 0:
                raise _again(self._failure)
            self._fetch = _Fetch()
            threading.Thread(target=self._run, args=(self._fetch,), name="cloud-token", daemon=True).start()
        return self._fetch

    def _run(self, fetch: _Fetch) -> None:
        try:
            grant = self._source.fetch()
            with self._lock:
                fetch.held = self._hold(grant)
                self._failure = None
                self._pauses.reset()
            if self._store is not None:
                self._store.save(grant)
        except EdgedError as error:
            with self._lock:
                fetch.error = error
                self._failed(error)
        finally:
            with self._lock:
                self._fetch = None
            fetch.done.set()

    def _wait_for(self, fetch: _Fetch, deadline_s: float | None) -> _Held:
        wait_s = None if deadline_s is None else max(0.0, deadline_s - self._clock.monotonic())
        if not fetch.done.wait(wait_s):
            # the request for the token goes on; the next caller gets its result
            raise timed_out("waiting for a token", Hurried)
        if fetch.held is None:
            raise _again(fetch.error)
        return fetch.held

    def _failed(self, error: EdgedError) -> None:
        self._failure = error
        at_least_s = 0.0 if isinstance(error, RetryLater) else HOLD_WRONG_S
        self._pauses.failed(self._clock.monotonic(), at_least_s=at_least_s)

    def _kept(self) -> _Held | None:
        """The token of an earlier run; reads the store once."""
        if self._store is None or self._asked_store:
            return None
        self._asked_store = True
        grant = self._store.load()
        return self._hold(grant) if grant is not None else None

    def _hold(self, grant: TokenGrant) -> _Held:
        now_s = self._clock.monotonic()
        until_s = None if grant.life_s is None else now_s + grant.life_s
        self._held = _Held(grant.token, grant.life_s, until_s)
        return self._held


def _again(error: EdgedError) -> EdgedError:
    """The same error for another thread: an exception that is raised twice collects both histories."""
    return type(error)(error.message, code=error.code, hint=error.hint)
