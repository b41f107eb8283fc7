"""What the governor says when it refuses a call: what stands against it, for how long, and what to do."""

from __future__ import annotations

from edged.errors import EdgedError, NeedsOperator, RetryLater
from edged.faceapi.calls import Call
from edged.faceapi.governor.call_backoff import Hold


class NotAsked(RetryLater):
    """The service is not asked for a while because of an earlier failure; `cause` is the code of that one."""

    def __init__(self, message: str, *, code: str, cause: str, hint: str) -> None:
        super().__init__(message, code=code, hint=hint)
        self.cause = cause


SPENT = {
    "day": (
        "cloud_daily_quota",
        "Cloud, {call}: the calls of this day (recognition.cloud.daily_calls) are used up.",
        "The service's next day begins at midnight UTC+8; raise recognition.cloud.daily_calls if you may.",
    ),
    "total": (
        "cloud_total_quota",
        "Cloud, {call}: all calls (recognition.cloud.total_calls) are used up.",
        "Buy calls in the console and raise recognition.cloud.total_calls.",
    ),
}


def spent_hold(call: Call, spent: str, until_s: float) -> Hold:
    """Our own allowance of `call` is used up; `spent` is `day` or `total`."""
    code, message, hint = SPENT[spent]
    return Hold(until_s, code, message.format(call=call.title), hint, needs_operator=True, notable=True)


def held_back(call: Call, hold: Hold, now: float) -> EdgedError:
    """A hold is in force."""
    message = f"Cloud, {call.title}: held back for another {_span(hold.until_s - now)}. {hold.reason}"
    if hold.needs_operator:
        return NeedsOperator(message, code=hold.code, hint=hold.hint)
    return NotAsked(message, code="cloud_backing_off", hint=hold.hint, cause=hold.cause)


def circuit_open(wait_s: float, last_failure: str, cause: str) -> NotAsked:
    """The service does not answer, as `last_failure` with the code `cause` has shown."""
    return NotAsked(
        f"Cloud: it does not answer; the next trial is in {_span(wait_s)}. {last_failure}".rstrip(),
        code="cloud_circuit_open",
        cause=cause,
        hint="Check the network and recognition.cloud.url.",
    )


def overdue(call: Call) -> RetryLater:
    """The deadline of this call has passed before it was its turn to ask for one."""
    return RetryLater(
        f"Cloud, {call.title}: the picture was too old before the cloud could be asked.",
        code="cloud_overdue",
        hint="Look for earlier requests that took long, or an overloaded box.",
    )


def too_late(call: Call, wait_s: float) -> RetryLater:
    """The turn of this call comes after its deadline."""
    return RetryLater(
        f"Cloud, {call.title}: the next turn is in {_span(wait_s)}, when the answer is of no more use.",
        code="cloud_rate_limited",
        hint="If it happens often, buy a higher rate and raise recognition.cloud.qps.",
    )


def closed() -> RetryLater:
    """edged is stopping."""
    return RetryLater("The way to the cloud is closed; edged is stopping.", code="cloud_closed")


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
