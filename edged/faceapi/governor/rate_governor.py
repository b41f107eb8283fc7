"""Decides when a request may be sent, for all threads of the process. Sends nothing itself.

Four things can stand against a request: the rate (wait for a turn, first come first served), the allowance, a
hold that an earlier answer has put on this call, and the circuit breaker of the whole service.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path
from random import random as chance
from typing import Any

from edged.clock import Clock
from edged.config import CloudConfig
from edged.errors import EdgedError, RetryLater
from edged.events import Event
from edged.faceapi.calls import Call
from edged.faceapi.codes import Reaction
from edged.faceapi.faults import CloudFault, CloudUnknown
from edged.faceapi.governor import refusals
from edged.faceapi.governor.allowance import AllowanceStore, Used
from edged.faceapi.governor.announcements import ALL_CALLS, Announcements
from edged.faceapi.governor.breaker import Breaker, Circuit
from edged.faceapi.governor.call_backoff import HELD_BACK, CallHold, Hold
from edged.faceapi.governor.call_limits import GovernorLimits, service_of
from edged.faceapi.inconclusive import Inconclusive

__all__ = ["Governor", "GovernorLimits", "open_governor"]


def open_governor(
    config: CloudConfig,
    data_dir: Path,
    clock: Clock,
    *,
    publish: Callable[[Event], object] = lambda event: None,
) -> Governor:
    """The governor for `recognition.cloud`, with its counters in `data_dir`.

    Raises:
        NeedsOperator, Misconfigured, RetryLater: the counters cannot be opened, see `Database.open`.
    """
    allowance = AllowanceStore.open(data_dir, clock, service=service_of(config))
    return Governor(GovernorLimits.of(config), allowance, clock, publish=publish)


class _Line:
    """Threads that wait for a turn of one call, and the state of that call."""

    def __init__(self, hold: CallHold) -> None:
        self.hold = hold
        self.waiting: deque[object] = deque()
        self.next_at: float = 0.0
        self.refused: Counter[str] = Counter()


class Governor:
    """One per process, shared by all its threads. Implements `admission.Admission`."""

    def __init__(
        self,
        limits: GovernorLimits,
        allowance: AllowanceStore,
        clock: Clock,
        *,
        publish: Callable[[Event], object] = lambda event: None,
        random: Callable[[], float] = chance,
    ) -> None:
        """
        Args:
            limits: what may be sent.
            allowance: the counters, shared with other processes; closed by `close()`.
            clock: for every wait and pause.
            publish: gets one event when a call is held back and one when it works again.
            random: gives 0 up to 1, so that the devices of one account do not come back at the same moment.
        """
        self._limits = limits
        self._allowance = allowance
        self._clock = clock
        self._changed = threading.Condition()
        self._lines = {call: _Line(CallHold(call, limits.pauses, random)) for call in Call}
        self._breaker = Breaker(failures_to_open=limits.failures_to_open)
        self._last_failure = self._last_code = ""
        self._announcements = Announcements(clock, publish)
        self._saved_calls = 0
        self._used: dict[Call, Used] = {}
        self._closed = False

    def admit(self, call: Call, deadline_s: float | None) -> None:
        """Wait for a turn of `call`, and count the call. Threads get their turns in the order they came.

        Args:
            call: the call to send; send it at once after this returns.
            deadline_s: monotonic time; None: wait as long as it takes.

        Raises:
            RetryLater: `cloud_rate_limited`, the turn cannot come before the deadline (raised at once, not
                after waiting); `cloud_overdue`, the deadline has passed; `cloud_closed`. `NotAsked`:
                `cloud_backing_off`, the service asked for a pause; `cloud_circuit_open`, it does not answer.
            NeedsOperator: `cloud_daily_quota`, `cloud_total_quota`, `cloud_throttled`, or the code of the
                answer that holds this call back; `disk_full` and the like when the count cannot be written.
        """
        line = self._lines[call]
        try:
            with self._changed:
                try:
                    self._wait_for_turn(call, line, deadline_s)
                except EdgedError as error:
                    line.refused[error.code] += 1
                    raise
        finally:
            self._announcements.publish()

    def succeeded(self, call: Call) -> None:
        """The service answered `call` with success."""
        with self._changed:
            self._answered_well(call)
        self._announcements.publish()

    def failed(self, call: Call, error: EdgedError) -> EdgedError:
        """The request failed, or the service answered it with `error`.

        Returns:
            The error to raise: `error`, or `CloudUnknownAgain` if it is an undocumented code that came for
            this call before, without a success in between.
        """
        with self._changed:
            error = self._lines[call].hold.known_error(error)
            if isinstance(error, Inconclusive):
                self._breaker.inconclusive()
            elif isinstance(error, CloudUnknown):
                self._service_answers()
            elif not isinstance(error, CloudFault) or error.reaction is Reaction.RETRY:
                self._not_answered(error)
            elif error.reaction in HELD_BACK:
                self._answered_badly(call, error)
            else:
                self._answered_well(call)
            self._changed.notify_all()
        self._announcements.publish()
        return error

    def saved(self, count: int = 1) -> None:
        """Note calls that were not needed: one best shot for many frames, one search for many faces."""
        with self._changed:
            self._saved_calls += count

    def health(self) -> dict[str, Any]:
        """Counters and holds, ready for JSON: `circuit`, `saved_calls`, `allowance`, and `calls` by name.

        `allowance` is `ok`, or the code of what keeps the counters from being read; then `today` and `total`
        are those read last. Calls that nobody used are left out.
        """
        with self._changed:
            now = self._clock.monotonic()
            state = self._read_counters()
            return {
                "circuit": {
                    "state": self._breaker.state(now).value,
                    "retry_s": round(self._breaker.refused_for_s(now), 1),
                    "last_failure": self._last_failure,
                },
                "saved_calls": self._saved_calls,
                "allowance": state,
                "calls": {
                    call.title: self._call_health(call, line, now)
                    for call, line in self._lines.items()
                    if call in self._used or line.refused
                },
            }

    def close(self) -> None:
        """Release the waiting threads with an error and close the counters. Call it once."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._allowance.close()

    # --- waiting; all below holds the lock ---

    def _wait_for_turn(self, call: Call, line: _Line, deadline_s: float | None) -> None:
        ticket = object()
        line.waiting.append(ticket)
        try:
            while True:
                self._require_fresh(call, deadline_s)
                self._require_open(call, line)
                ahead = line.waiting.index(ticket)
                if ahead == 0 and line.next_at <= self._clock.monotonic() and self._take(call, line):
                    return
                self._require_in_time(call, line, ahead, deadline_s)
                self._clock.wait_until(self._changed, deadline_s if ahead else line.next_at)
        finally:
            line.waiting.remove(ticket)
            self._changed.notify_all()

    def _take(self, call: Call, line: _Line) -> bool:
        most_today, most_total = self._limits.allowance(call)
        bucket = self._limits.bucket(call)
        turn = self._allowance.take(call, bucket, most_today=most_today, most_total=most_total)
        now = self._clock.monotonic()
        if turn.spent:
            retry_s = turn.day_left_s if turn.spent == "day" else self._limits.pauses.probe_s[0]
            hold = refusals.spent_hold(call, turn.spent, now + retry_s)
            self._announcements.held_back(call.title, hold, by_us=True)
            raise refusals.held_back(call, hold, now)
        if not turn.taken:
            line.next_at = now + turn.wait_s
            return False
        line.next_at = bucket.after(now)
        self._breaker.sent(now)
        self._announcements.allowance_is_back(call.title)
        return True

    def _require_fresh(self, call: Call, deadline_s: float | None) -> None:
        if deadline_s is not None and self._clock.monotonic() > deadline_s:
            raise refusals.overdue(call)

    def _require_open(self, call: Call, line: _Line) -> None:
        if self._closed:
            raise refusals.closed()
        now = self._clock.monotonic()
        if hold := line.hold.held(now):
            raise refusals.held_back(call, hold, now)
        if (wait_s := self._breaker.refused_for_s(now)) > 0:
            raise refusals.circuit_open(wait_s, self._last_failure, self._last_code)

    def _require_in_time(self, call: Call, line: _Line, ahead: int, deadline_s: float | None) -> None:
        if deadline_s is None:
            return
        now = self._clock.monotonic()
        turn_at = max(now, line.next_at) + ahead * self._limits.bucket(call).interval_s
        if turn_at > deadline_s:
            raise refusals.too_late(call, turn_at - now)

    # --- answers ---

    def _answered_well(self, call: Call) -> None:
        self._service_answers()
        if self._lines[call].hold.answered_well(self._clock.monotonic()):
            self._announcements.works_again(call.title)

    def _answered_badly(self, call: Call, error: CloudFault) -> None:
        self._service_answers()
        now = self._clock.monotonic()
        day_left_s = self._day_left_s() if error.reaction is Reaction.QUOTA else 0.0
        hold = self._lines[call].hold.answered_badly(error, now, day_left_s)
        if hold is not None and hold.notable:
            self._announcements.held_back(call.title, hold)

    def _service_answers(self) -> None:
        self._breaker.success()
        self._announcements.works_again(ALL_CALLS)

    def _not_answered(self, error: EdgedError) -> None:
        now = self._clock.monotonic()
        self._last_failure, self._last_code = error.message, error.code
        if self._breaker.state(now) is Circuit.OPEN:
            return
        lasting = not isinstance(error, RetryLater)
        self._breaker.failure(now, at_once=lasting)
        if self._breaker.state(now) is Circuit.OPEN:
            until_s = now + self._breaker.refused_for_s(now)
            hold = Hold(until_s, error.code, error.message, error.hint, needs_operator=lasting, notable=True)
            self._announcements.held_back(ALL_CALLS, hold)

    def _day_left_s(self) -> float:
        try:
            return self._allowance.day_left_s()
        except EdgedError:  # unreadable counters must not lose the hold
            return self._limits.pauses.probe_s[1]

    # --- health ---

    def _read_counters(self) -> str:
        try:
            self._used = self._allowance.used()
        except EdgedError as error:
            return error.code
        return "ok"

    def _call_health(self, call: Call, line: _Line, now: float) -> dict[str, Any]:
        used, hold = self._used.get(call, Used()), line.hold.held(now)
        held_back = hold and {
            "code": hold.code,
            "for_s": round(hold.until_s - now, 1),
            "needs_operator": hold.needs_operator,
        }
        return {
            "today": used.today,
            "total": used.total,
            "waiting": len(line.waiting),
            "refused": dict(line.refused),
            "held_back": held_back,
        }
