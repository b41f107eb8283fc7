"""Local engine and cloud together: chooses the engines to ask and the answer that counts.

Both policies ask the local engine first, which costs some milliseconds. So there is an answer if the cloud
gives none, and the picture of a recognised person without consent to the cloud never leaves the box.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Final

import structlog

from edged.clock import Clock
from edged.config import HybridConfig
from edged.errors import EdgedError
from edged.gallery.match import Match
from edged.recognition.consensus import ConsensusRules, margin_of, threshold_of
from edged.recognition.protocol import (
    HYBRID,
    Answer,
    EngineUnavailable,
    Identification,
    Question,
    Recognizer,
)

LOCAL_SURE: Final = "local_sure"
LOCAL_UNSURE: Final = "local_unsure"
CLOUD_FIRST: Final = "cloud_first"
CLOUD_LATE: Final = "cloud_late"
CLOUD_DOWN: Final = "cloud_down"
CLOUD_NO_CONSENT: Final = "cloud_no_consent"

_log = structlog.get_logger(__name__)

DECIDE_S: Final = 0.1
"""Time kept for the decision: waiting for the cloud ends so long before the picture is too old, seconds."""

_LATE: Final = frozenset({CLOUD_LATE, "cloud_timeout", "cloud_overdue"})


class HybridEngine:
    """Asks the box, the cloud, or both. Safe to use from several threads.

    Args:
        config: the policy.
        local: the local engine; used by one thread at a time.
        cloud: the cloud; safe to use from several threads.
        rules: rules for answers of the local engine.
        may_leave: whether pictures of this person may be sent to the cloud.
        calls: most requests to the cloud at once; an abandoned call counts until it ends.
        max_age_s: age up to which a shot can open the door.
    """

    engine = HYBRID

    def __init__(
        self,
        config: HybridConfig,
        local: Recognizer,
        cloud: Recognizer,
        clock: Clock,
        *,
        rules: ConsensusRules,
        may_leave: Callable[[str], bool],
        calls: int,
        max_age_s: float,
    ) -> None:
        self._config = config
        self._local = local
        self._local_turn = threading.Lock()
        self._cloud = cloud
        self._calls = _BoundedCalls(calls)
        self._clock = clock
        self._rules = rules
        self._may_leave = may_leave
        self._max_age_s = max_age_s

    @property
    def max_batch(self) -> int:
        """The cloud's limit with `cloud_first`. 1 with `local_first`: a sure match must not wait for an
        unsure one."""
        return self._cloud.max_batch if self._config.policy == "cloud_first" else 1

    def warm_up(self) -> None:
        """Warm up both engines."""
        with self._local_turn:
            self._local.warm_up()
        self._cloud.warm_up()

    def close(self, timeout_s: float) -> bool:
        """Wait for abandoned calls. True: none is left."""
        return self._calls.close(timeout_s)

    def identify_batch(self, questions: Sequence[Question]) -> list[Answer]:
        """See `Recognizer.identify_batch`."""
        with self._local_turn:
            here = self._local.identify_batch(questions)
        reasons = [self._reason_to_stay(answer) for answer in here]
        asked = [n for n, reason in enumerate(reasons) if not reason]
        answers = [_because(answer, reason) for answer, reason in zip(here, reasons, strict=True)]
        if not asked:
            return answers
        there = self._ask_cloud([questions[n] for n in asked])
        for n, answer in zip(asked, there, strict=True):
            answers[n] = self._choose(here[n], answer)
        return answers

    # -- before the cloud

    def _reason_to_stay(self, answer: Answer) -> str:
        """Reason not to ask the cloud about this shot; empty: ask it."""
        if isinstance(answer, EdgedError):
            return ""
        matches = answer.fused_matches or answer.matches
        if any(not self._may_leave(match.person_id) for match in self._likely(matches)):
            return CLOUD_NO_CONSENT
        if self._config.policy == "cloud_first":
            return ""
        return "" if self._unsure(answer, matches) else LOCAL_SURE

    def _likely(self, matches: Sequence[Match]) -> list[Match]:
        """Matches that are likely enough to matter for consent."""
        return [match for match in matches if match.score >= self._config.unsure_from]

    def _unsure(self, answer: Identification, matches: Sequence[Match]) -> bool:
        """Whether the best match is likely, but below the threshold or too close to the second."""
        if not self._likely(matches):
            return False
        below = matches[0].score < threshold_of(answer, self._rules)
        return below or margin_of(tuple(matches)) < self._rules.margin

    # -- asking the cloud

    def _ask_cloud(self, questions: Sequence[Question]) -> list[Answer]:
        """The cloud's answers. Never waits longer than the policy allows, whatever the network does."""
        failure: EdgedError
        try:
            if (wait_s := self._wait_s(questions)) <= 0:
                raise EngineUnavailable("The pictures are too old to ask the cloud.", code=CLOUD_LATE)
            return self._calls.run(lambda: self._cloud.identify_batch(questions), wait_s)
        except EdgedError as error:
            failure = error
        except Exception as error:  # noqa: BLE001 - supervises the cloud: this box's answer must not be lost
            failure = _defect(error)
        return [failure] * len(questions)

    def _wait_s(self, questions: Sequence[Question]) -> float:
        last_s = max(question.shot.captured_s for question in questions) + self._max_age_s
        left_s = last_s - DECIDE_S - self._clock.monotonic()
        return min(self._config.cloud_wait_s, left_s) if self._config.policy == "cloud_first" else left_s

    def _choose(self, here: Answer, there: Answer) -> Answer:
        if isinstance(there, Identification):
            first = self._config.policy == "cloud_first" or isinstance(here, EdgedError)
            return replace(there, reason=CLOUD_FIRST if first else LOCAL_UNSURE)
        if not isinstance(there, EngineUnavailable) or self._config.when_cloud_down == "deny":
            return there
        return _because(here, CLOUD_LATE if there.code in _LATE else CLOUD_DOWN)


class _BoundedCalls:
    """Runs calls in threads of their own and limits the wait for each. For example, nothing can interrupt the
    lookup of a name, and the person at the door must not wait for it."""

    def __init__(self, calls: int) -> None:
        self._free = threading.Semaphore(calls)
        self._threads: set[threading.Thread] = set()
        self._lock = threading.Lock()

    def run(self, call: Callable[[], list[Answer]], wait_s: float) -> list[Answer]:
        """Result of `call`; raises what it raises.

        Raises:
            EngineUnavailable: `cloud_late`: it takes longer, or too many earlier calls still run.
        """
        if not self._free.acquire(blocking=False):
            raise EngineUnavailable("Earlier requests to the cloud are still unanswered.", code=CLOUD_LATE)
        future: Future[list[Answer]] = Future()
        thread = threading.Thread(target=self._run, args=(call, future), name="cloud-call", daemon=True)
        with self._lock:
            self._threads.add(thread)
        thread.start()
        try:
            return future.result(wait_s)
        except TimeoutError as error:
            raise EngineUnavailable(
                f"The cloud did not answer within {wait_s:.2f} s.", code=CLOUD_LATE
            ) from error

    def close(self, timeout_s: float) -> bool:
        """Wait for the calls that still run, `timeout_s` for each. True: none is left."""
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join(timeout_s)
        return not any(thread.is_alive() for thread in threads)

    def _run(self, call: Callable[[], list[Answer]], future: Future[list[Answer]]) -> None:
        result: list[Answer] | Exception
        try:
            result = call()
        except Exception as error:  # noqa: BLE001 - goes to the waiting thread, if it still waits
            result = error
        with self._lock:
            self._threads.discard(threading.current_thread())
        self._free.release()  # before the result: its receiver may ask again at once
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)


def _defect(error: Exception) -> EngineUnavailable:
    """A defect of edged itself. Leaves out its text, which could hold an address with a token."""
    _log.error(
        "the way to the cloud has a defect",
        error=type(error).__name__,
        where="".join(traceback.format_tb(error.__traceback__)),
    )
    return EngineUnavailable(
        f"Asking the cloud failed inside edged ({type(error).__name__}).",
        code="cloud_engine_error",
        hint="Please report it with the log of the daemon.",
    )


def _because(answer: Answer, reason: str) -> Answer:
    return replace(answer, reason=reason) if isinstance(answer, Identification) else answer
