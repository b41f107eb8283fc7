"""Exceptions for the error codes of the face API; the class names the reaction. No requests here.

`edged.faceapi.codes` has the table of codes.
"""

from __future__ import annotations

import re
from dataclasses import replace

from edged.errors import EdgedError, Misconfigured, NeedsOperator, NotFound, RetryLater, TryAnotherShot
from edged.faceapi.calls import Call
from edged.faceapi.codes import CodeRow, Reaction, lookup
from edged.faceapi.codes.row import HINTS

__all__ = [
    "CloudAbsent",
    "CloudBug",
    "CloudDeny",
    "CloudExists",
    "CloudFault",
    "CloudFrame",
    "CloudIdem",
    "CloudMisconfigured",
    "CloudQuota",
    "CloudRate",
    "CloudReauth",
    "CloudRetry",
    "CloudSpoof",
    "CloudUnknown",
    "CloudUnknownAgain",
    "CloudWait",
    "CodeRow",
    "Reaction",
    "clean",
    "error_for",
    "row_for",
    "unknown_again",
]

LONGEST_MESSAGE = 120
LONGEST_ID = 40


class CloudFault(EdgedError):
    """The service answered with an error code. Errors on the way to it (no answer) have other classes.

    Attributes:
        row: the row of the table.
        api_code: the code as the service gave it.
        log_id: the service's number of the request, `""` if it gave none; quote it in tickets.
    """

    def __init__(
        self, row: CodeRow, message: str, *, call: Call, api_code: int | str, log_id: str = ""
    ) -> None:
        said = f"{api_code} {clean(message)}".rstrip()
        ticket = f", log id {log_id}" if log_id else ""
        super().__init__(
            f"Cloud, {call.title}: {row.meaning} ({said}{ticket}).", code=stable_code(api_code), hint=row.hint
        )
        self.row = row
        self.call = call
        self.api_code = api_code
        self.log_id = log_id

    @property
    def reaction(self) -> Reaction:
        """What to do about it."""
        return self.row.reaction


class CloudRetry(CloudFault, RetryLater):
    """A passing fault of the service; the same request may be repeated with back-off."""


class CloudReauth(CloudFault, NeedsOperator):
    """The service refused the token, also the fresh one with which the client repeated the call."""


class CloudRate(CloudFault, RetryLater):
    """Too many calls within a second."""


class CloudQuota(CloudFault, NeedsOperator):
    """The allowance is used up."""


class CloudFrame(CloudFault, TryAnotherShot):
    """This picture cannot be used."""


class CloudSpoof(CloudFrame):
    """This picture looked like an attempt to deceive."""


class CloudDeny(CloudFault, NotFound):
    """Nobody in the library resembles this face."""


class CloudMisconfigured(CloudFault, Misconfigured):
    """A setting, a permission or a group is wrong."""


class CloudBug(CloudFault, NeedsOperator):
    """The request was malformed."""


class CloudIdem(CloudFault):
    """The library already has the requested state, or does not hold the item named."""


class CloudAbsent(CloudIdem, NotFound):
    """The item named is absent; a deletion counts that as success."""


class CloudExists(CloudIdem, NeedsOperator):
    """The item to add exists already; a caller that only wants it to exist counts that as success."""


class CloudWait(CloudFault, RetryLater):
    """The service is still deleting; repeat after minutes."""


class CloudUnknown(CloudRetry):
    """An undocumented code, for the first time: the fault may pass."""


class CloudUnknownAgain(CloudFault, NeedsOperator):
    """The same undocumented code again for the same call, without a success in between."""


_CLASSES: dict[Reaction, type[CloudFault]] = {
    Reaction.RETRY: CloudRetry,
    Reaction.REAUTH: CloudReauth,
    Reaction.RATE: CloudRate,
    Reaction.QUOTA: CloudQuota,
    Reaction.FRAME: CloudFrame,
    Reaction.SPOOF: CloudSpoof,
    Reaction.DENY: CloudDeny,
    Reaction.CONFIG: CloudMisconfigured,
    Reaction.BUG: CloudBug,
    Reaction.IDEM: CloudAbsent,
    Reaction.WAIT: CloudWait,
}


def row_for(code: int | str, call: Call) -> CodeRow:
    """What `code` means as an answer to `call`; for an undocumented code a row that says so."""
    return lookup(code, call.title, call.value.family) or _unknown(code)


def error_for(code: int | str, message: str, *, call: Call, log_id: str = "") -> CloudFault:
    """The error to raise for an answer with `code`.

    Args:
        code: `error_code` of the answer, a number or a text.
        message: `error_msg`; not trusted: shortened, without control characters, never matched on.
        call: which call was answered.
        log_id: the one in the answer, as text (it can exceed 2^53).

    Returns:
        An instance of the class for the reaction, with `code` `cloud_<number>`.
    """
    row = row_for(code, call)
    given = _number_or_text(code)
    return class_of(row)(row, message, call=call, api_code=given, log_id=clean(log_id)[:LONGEST_ID])


def class_of(row: CodeRow) -> type[CloudFault]:
    """The exception class for a row."""
    if row.message == _UNDOCUMENTED:
        return CloudUnknown
    return CloudExists if row.exists else _CLASSES[row.reaction]


def unknown_again(error: CloudUnknown) -> CloudUnknownAgain:
    """The error for an undocumented code that comes again: needs the operator, no repetition."""
    row = replace(error.row, reaction=Reaction.BUG, hint=HINTS[Reaction.BUG])
    again = CloudUnknownAgain(row, "", call=error.call, api_code=error.api_code, log_id=error.log_id)
    again.message = f"{error.message} It came again."
    return again


def stable_code(api_code: int | str) -> str:
    """`222207` -> `cloud_222207`, for counters, logs and `edged.reasons`."""
    return "cloud_" + (re.sub(r"[^a-z0-9]", "", str(api_code).lower())[:LONGEST_ID] or "unnamed")


def clean(text: str) -> str:
    """`text` of the service made fit for a log line: one line, printable characters, shortened."""
    printable = "".join(c if c.isprintable() else " " for c in str(text)[: 4 * LONGEST_MESSAGE])
    line = " ".join(printable.split())
    return line if len(line) <= LONGEST_MESSAGE else line[: LONGEST_MESSAGE - 1] + "…"


_UNDOCUMENTED = "(not documented)"


def _unknown(code: int | str) -> CodeRow:
    return CodeRow(
        _number_or_text(code),
        _UNDOCUMENTED,
        "the service gave a code that is not documented",
        Reaction.RETRY,
        "Nothing needs doing once; if it goes on, ask the operator of the service with the log id.",
    )


def _number_or_text(code: int | str) -> int | str:
    if isinstance(code, int):
        return code
    text = clean(code)[:LONGEST_ID]
    return int(text) if re.fullmatch(r"-?[0-9]{1,18}", text) else text
