"""The worker that synchronises people with the cloud: order, repetition, keeping the library alive.

`alignment.py` has the steps for one person; `cloud_people.py` decides whether a picture may be sent.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import structlog

from edged.backoff import Backoff, PauseRule
from edged.bus import EventBus
from edged.clock import Clock
from edged.cloudsync.alignment import Aligner, NotSettled
from edged.cloudsync.cloud_people import CloudPeople, NotPermitted, PersonTrouble, kind_of
from edged.cloudsync.queue import LONGEST_WAIT_S, CloudQueue, Entry
from edged.config import CloudConfig
from edged.errors import EdgedError, RetryLater, TryAnotherShot
from edged.events import LibraryChanged
from edged.faceapi.client.face_cloud import FaceCloud
from edged.faceapi.faults import CloudFault, CloudQuota, CloudRate, CloudReauth, CloudWait
from edged.library.cloud_desired import CloudBook
from edged.library.store import LibraryStore

ENTRY_PAUSES: Final = PauseRule(5.0, LONGEST_WAIT_S, spread=(0.5, 1.0))
"""For one person who cannot be brought into line yet. Chance keeps boxes from marching in step."""

TROUBLE_PAUSES: Final = PauseRule(5.0, 300.0, spread=(0.5, 1.0))
"""For everybody, while the cloud is in trouble."""

OPERATOR_PAUSE_S: Final = 600.0
LOOK_S: Final = 0.5
"""Interval of `finish`, seconds. The daemon may work on the same entries, and only their file shows it."""

IDLE_S: Final = 30.0
"""Interval of the check for people whose validity has ended, seconds."""

KEEP_ALIVE_DAYS: Final = 30  # the cloud releases a library unused for a year (docs/reference/face-api.md 6.2)

_ABOUT_EVERYBODY = frozenset(
    {222006, 222201, 222205, 222206, 222290, 222291, 222292, 222293, 223100, 223107, 223118, 223119, 223201}
    | {223202, *range(222901, 222917)}
)
"""Codes of the library calls about the group, the settings or the service, not about one person."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Pass:
    """Result of one pass through the queue.

    Attributes:
        done: people aligned.
        failed: people with an error of their own.
        trouble: the error that ended the pass early, which concerns everybody; None: the pass is complete.
    """

    done: int = 0
    failed: int = 0
    trouble: EdgedError | None = None


class CloudSync:
    """Works the queue of one library. `start()` for the daemon, `run_once()` for commands.

    Args:
        store: the library.
        cloud: the client; its governor keeps the rates and allowances.
        config: `recognition.cloud`.
        clock: wall and monotonic time.
        data_dir: folder of the library.
        enabled: False: recognition runs on this box alone, so the cloud should hold nobody.
        bus: a `LibraryChanged` on it wakes the worker; None: the worker only polls.
        rng: for the jitter.
    """

    def __init__(
        self,
        store: LibraryStore,
        cloud: FaceCloud,
        config: CloudConfig,
        clock: Clock,
        *,
        data_dir: Path,
        enabled: bool = True,
        bus: EventBus | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._bus = bus
        self._chance = (rng or random.Random()).random
        self.queue = CloudQueue(store.database, clock)
        groups = config.groups if enabled else ()
        self.book = CloudBook(store.database, clock, groups)
        self.people = CloudPeople(store, self.book, cloud, config, clock, data_dir)
        self.aligner = Aligner(self.book, self.people, cloud, config, clock)
        self._library = f"{config.url} {config.appid} {kind_of(config)} {','.join(groups)}"
        self._trouble_pauses = Backoff(TROUBLE_PAUSES, self._chance)
        self._paused_until_s = 0.0
        self._trouble_code = ""
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._close: Callable[[], Any] = lambda: None

    # -- life

    def start(self) -> None:
        """Work in a thread from now on. Needs no network: the worker repeats what fails."""
        if self._bus is not None:
            subscription = self._bus.subscribe(LibraryChanged, lambda _: self._wake.set(), name="cloud-sync")
            self._close = subscription.close
        self._thread = threading.Thread(target=self._run, name="cloud-sync", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 2.0) -> bool:
        """End the thread, which may still finish a request in flight. True: it ended in time."""
        self._stopping.set()
        self._wake.set()
        self._close()
        if self._thread is not None:
            self._thread.join(timeout_s)
            return not self._thread.is_alive()
        return True

    # -- work

    def finish(self, cloud_ids: Iterable[str], timeout_s: float) -> tuple[str, ...]:
        """For commands: work on some entries until they are done; the first attempt is at once.

        Args:
            cloud_ids: ids of the entries; ids that are not queued count as done.
            timeout_s: give up after this time.

        Returns:
            The ids that are still queued: set aside, or not done in time.

        Raises:
            EdgedError: an error that concerns everybody.
        """
        until_s = self._clock.monotonic() + timeout_s
        asked = tuple(cloud_ids)
        waiting = tuple(filter(self._is_waiting, asked))
        while waiting and (left_s := until_s - self._clock.monotonic()) > 0:
            self._clock.sleep(min(LOOK_S, left_s))
            waiting = tuple(one for one in waiting if not self._is_due(one) or self._is_waiting(one))
        return tuple(one for one in asked if self.queue.entry(one) is not None)

    def _is_due(self, cloud_id: str) -> bool:
        entry = self.queue.entry(cloud_id)
        return entry is None or entry.next_at <= self._clock.now()

    def _is_waiting(self, cloud_id: str) -> bool:
        """Try one entry now. False: it is done or set aside."""
        entry = self.queue.entry(cloud_id)
        if entry is None or entry.set_aside:
            return False
        try:
            self._work(entry)
        except EdgedError as error:
            if is_about_one(error):
                self._note_failure(entry, error)
            elif error.code != "cloud_sync_busy":
                raise
        entry = self.queue.entry(cloud_id)
        return entry is not None and not entry.set_aside

    def run_once(self) -> Pass:
        """Try every due entry once. Errors of the cloud are in the result.

        Raises:
            EdgedError: the library cannot be read or written.
        """
        self._queue_by_time()
        done = failed = 0
        for entry in self.queue.due():
            if self._stopping.is_set():
                break
            try:
                done += self._work(entry)
            except EdgedError as error:
                if not is_about_one(error):
                    self._note_trouble(entry, error)
                    return Pass(done, failed, error)
                self._note_failure(entry, error)
                failed += 1
            else:
                self._trouble_pauses.reset()
        return Pass(done, failed)

    def _work(self, entry: Entry) -> bool:
        with self.people.exclusive():
            current = self.queue.entry(entry.cloud_id)  # another process may have been quicker
            if current is None or current.set_aside:
                return False
            try:
                again_s = self.aligner.align(entry.cloud_id)
            except NotPermitted:
                return False  # the desired state changed meanwhile, and that queued the entry again
            if again_s:
                self.queue.postpone(current, again_s)
                return False
            self.queue.done(current)
            return True

    def _queue_by_time(self) -> None:
        """Queue people after a change of the settings, or when their validity ends."""
        if self.queue.library() != self._library:
            self._store.queue_for_cloud(self.book.everybody())
            self.queue.set_library(self._library)
        elif expired := self.book.expired():
            self._store.queue_for_cloud(expired)

    def _note_failure(self, entry: Entry, error: EdgedError) -> None:
        if isinstance(error, RetryLater):
            self.queue.postpone(entry, ENTRY_PAUSES.pause_s(entry.attempts, self._chance()), error)
        else:
            self.queue.set_aside(entry, error)
            _log.warning(
                "not brought into line with the cloud", cloud_id=entry.cloud_id, code=error.code,
                reason=error.message, hint=error.hint,
            )  # fmt: skip

    def _note_trouble(self, entry: Entry, error: EdgedError) -> None:
        """The error concerns everybody: this entry goes behind the others, and all wait."""
        if error.code == "cloud_sync_busy":
            self._paused_until_s = self._clock.monotonic() + 1.0
            return
        self.queue.postpone(entry, TROUBLE_PAUSES.pause_s(entry.attempts, self._chance()), error)
        now_s = self._clock.monotonic()
        at_least_s = 0.0 if isinstance(error, RetryLater) else OPERATOR_PAUSE_S
        pause_s = self._trouble_pauses.failed(now_s, at_least_s=at_least_s)
        self._paused_until_s = now_s + pause_s
        if error.code != self._trouble_code:
            _log.warning("people not synchronised with the cloud", code=error.code, reason=error.message,
                         hint=error.hint, pause_s=round(pause_s))  # fmt: skip
            self._trouble_code = error.code

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait(self._pass())
            self._wake.clear()

    def _pass(self) -> float:
        """One pass through the queue; returns the seconds until the next."""
        pause_s = self._paused_until_s - self._clock.monotonic()
        if pause_s > 0:
            return min(pause_s, IDLE_S)
        try:
            result = self.run_once()
        except Exception as error:  # noqa: BLE001 - the supervisor of this thread: it must not end unseen
            code = getattr(error, "code", type(error).__name__)
            _log.error("synchronising with the cloud failed", code=code, reason=str(error))
            self._paused_until_s = self._clock.monotonic() + IDLE_S
            return IDLE_S
        if result.trouble is None:
            self._trouble_code = ""
        return self._next_look_s(result)

    def _next_look_s(self, result: Pass) -> float:
        if result.trouble is not None:
            return max(0.1, min(IDLE_S, self._paused_until_s - self._clock.monotonic()))
        next_at = self.queue.next_at()
        if next_at is None:
            return IDLE_S
        return max(0.1, min(IDLE_S, (next_at - self._clock.now()).total_seconds()))

    # -- keeping alive

    def keep_alive(self) -> bool:
        """Use the library in the cloud once if nobody was enrolled for 30 days. True: it was used now.

        Raises:
            EdgedError: the cloud did not answer; the next call tries again.
        """
        last = self.queue.status().last_use_at
        now = self._clock.now()
        if last is not None and timedelta(0) <= now - last < timedelta(days=KEEP_ALIVE_DAYS):
            return False
        with self.people.exclusive():
            return self.people.use_library()

    def keep_alive_job(self) -> dict[str, Any]:
        """Arguments for APScheduler's `add_job`: once a day, and soon after every start."""
        return {
            "func": self._keep_alive_quietly,
            "trigger": "interval",
            "days": 1,
            "id": "cloud-keep-alive",
            "next_run_time": self._clock.now() + timedelta(minutes=10),
            "coalesce": True,
            "max_instances": 1,
            "misfire_grace_time": None,
        }

    def _keep_alive_quietly(self) -> None:
        try:
            self.keep_alive()
        except EdgedError as error:
            _log.warning("library in the cloud not kept alive", code=error.code, reason=error.message)


def is_about_one(error: EdgedError) -> bool:
    """Whether an error concerns only the person it came for, not everybody."""
    if isinstance(error, TryAnotherShot | PersonTrouble | NotSettled):
        return True
    if not isinstance(error, CloudFault) or isinstance(
        error, CloudRate | CloudQuota | CloudReauth | CloudWait
    ):
        return False
    return (
        isinstance(error.api_code, int)
        and error.api_code > 200_000
        and error.api_code not in _ABOUT_EVERYBODY
    )
