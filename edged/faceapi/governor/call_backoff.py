"""How long one call is held back after which answers. Callers pass times and chance in; publishes nothing.

Rules: docs/reference/face-api.md 7: short and growing pauses for a rate that was exceeded,
the rest of the day for a daily allowance, slow trials for what a person has to correct.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edged.backoff import Backoff, PauseRule
from edged.errors import EdgedError
from edged.faceapi.calls import Call
from edged.faceapi.codes import Reaction
from edged.faceapi.faults import CloudFault, CloudUnknown, unknown_again

OVERLOADED = 4
"""The service as a whole is over its limit; its pauses are longer than those for the caller's own limit."""
DAILY = 17
GATEWAY_BELOW = 1000
LICENCE = (222290, 222292, 222293)
NOTABLE_PAUSES = 3
"""So many pauses in a row make an exceeded rate worth an event."""

CHANCE = 0.5
"""Share of a pause that chance may add."""

PUT_RIGHT = frozenset((Reaction.CONFIG, Reaction.BUG))
HELD_BACK = frozenset((Reaction.RATE, Reaction.QUOTA, Reaction.REAUTH)) | PUT_RIGHT


@dataclass(frozen=True)
class Pauses:
    """Lengths of all pauses, seconds.

    Attributes:
        rate_s: after code 18: first and longest pause.
        overload_s: the same after code 4.
        probe_s: the same for a total allowance, and for a rate that is exceeded all the time.
        put_right_s: the same for settings, keys and permissions.
        rate_is_quota_after_s: code 18 for this long without a success means that no allowance is left.
        rate_is_quota_after: and so many in a row, so that two at a quiet door are not enough.
        put_right_after: so many answers in a row that call a picture request wrong hold the call back.
    """

    rate_s: tuple[float, float] = (1.0, 30.0)
    overload_s: tuple[float, float] = (5.0, 120.0)
    probe_s: tuple[float, float] = (600.0, 1800.0)
    put_right_s: tuple[float, float] = (60.0, 600.0)
    rate_is_quota_after_s: float = 180.0
    rate_is_quota_after: int = 6
    put_right_after: int = 3


@dataclass(frozen=True)
class Hold:
    """A call must not be sent before a monotonic time.

    Attributes:
        code: why, e.g. `cloud_throttled`.
        reason, hint: for people.
        needs_operator: it does not end without the operator.
        notable: worth an event; a single short pause is not.
        cause: the code of the answer it follows from.
    """

    until_s: float
    code: str
    reason: str
    hint: str
    needs_operator: bool
    notable: bool
    cause: str = ""


class CallHold:
    """Hold on one call, from the answers to it. Not thread-safe: its owner has a lock."""

    def __init__(self, call: Call, pauses: Pauses, random: Callable[[], float]) -> None:
        """`random` gives 0 up to 1: devices of one account must not come back at the same moment."""
        self._call = call
        self._pauses = pauses
        self._random = random
        self._hold: Hold | None = None
        self._in_a_row = 0
        self._backoff = Backoff(_rule(pauses.rate_s), random)
        self._rate_since_s: float | None = None
        self._wrong_in_a_row = 0
        self._unknown: set[str] = set()

    def held(self, now: float) -> Hold | None:
        """The hold that is in force."""
        return self._hold if self._hold is not None and now < self._hold.until_s else None

    def answered_well(self, now: float) -> bool:
        """The service answered the call. False: the call was sent before the present hold, which stays."""
        if self.held(now):
            return False
        self._hold = None
        self._in_a_row = self._wrong_in_a_row = 0
        self._backoff.reset()
        self._rate_since_s = None
        self._unknown.clear()
        return True

    def known_error(self, error: EdgedError) -> EdgedError:
        """`error`, or its operator form if the same undocumented code comes again without a success in
        between."""
        if not isinstance(error, CloudUnknown):
            return error
        if error.code in self._unknown:
            return unknown_again(error)
        self._unknown.add(error.code)
        return error

    def answered_badly(self, error: CloudFault, now: float, day_left_s: float) -> Hold | None:
        """Hold the call back as `error` demands.

        Args:
            error: with one of the reactions `HELD_BACK`.
            now: monotonic time.
            day_left_s: time until the cloud's day ends.

        Returns:
            The hold that begins now; None: nothing changes, e.g. because one is in force.
        """
        if self.held(now):
            return None
        if error.reaction in PUT_RIGHT and not self._stays_wrong(error):
            return None
        self._in_a_row += 1
        if error.reaction is Reaction.RATE:
            self._hold = self._for_rate(error, now)
        elif error.reaction is Reaction.QUOTA:
            self._hold = self._for_quota(error, now, day_left_s)
        else:
            pause_s = self._longer_s(self._pauses.put_right_s, now)
            self._hold = _operator_hold(error.code, error, now + pause_s)
        return self._hold

    def _for_rate(self, error: CloudFault, now: float) -> Hold:
        if self._rate_since_s is None:
            self._rate_since_s = now
        own = error.api_code != OVERLOADED
        since_s = now - self._rate_since_s
        if own and since_s >= self._pauses.rate_is_quota_after_s and self._is_lasting:
            return _operator_hold("cloud_throttled", error, now + self._longer_s(self._pauses.probe_s, now))
        pause_s = self._longer_s(self._pauses.rate_s if own else self._pauses.overload_s, now)
        notable = self._in_a_row >= NOTABLE_PAUSES
        return Hold(now + pause_s, "cloud_throttled", error.message, error.hint, False, notable, error.code)

    @property
    def _is_lasting(self) -> bool:
        return self._in_a_row >= self._pauses.rate_is_quota_after

    def _for_quota(self, error: CloudFault, now: float, day_left_s: float) -> Hold:
        if error.api_code == DAILY:
            # the devices of an account must not all come back at midnight
            until_s = now + day_left_s + self._pauses.rate_s[1] * self._random()
            return _operator_hold("cloud_daily_quota", error, until_s)
        return _operator_hold("cloud_total_quota", error, now + self._longer_s(self._pauses.probe_s, now))

    def _stays_wrong(self, error: CloudFault) -> bool:
        """Keys and permissions stay wrong at once; a wrong request may be about one person only."""
        if error.api_code in LICENCE or (isinstance(error.api_code, int) and error.api_code < GATEWAY_BELOW):
            return True
        if self._call.value.family == "faceset":
            return False
        self._wrong_in_a_row += 1
        return self._wrong_in_a_row >= self._pauses.put_right_after

    def _longer_s(self, first_and_longest: tuple[float, float], now: float) -> float:
        """The next pause, seconds; pauses grow while the same kind of pause repeats."""
        rule = _rule(first_and_longest)
        if self._backoff.rule != rule:
            self._backoff = Backoff(rule, self._random)
        return self._backoff.failed(now)


def _rule(first_and_longest: tuple[float, float]) -> PauseRule:
    first_s, longest_s = first_and_longest
    return PauseRule(first_s, longest_s / (1 + CHANCE), spread=(1.0, 1.0 + CHANCE))


def _operator_hold(code: str, error: CloudFault, until_s: float) -> Hold:
    return Hold(until_s, code, error.message, error.hint, needs_operator=True, notable=True)
