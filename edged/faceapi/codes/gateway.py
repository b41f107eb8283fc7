"""Codes of the gateway: authentication, rate, allowance (docs/reference/face-api.md 7.1)."""

from __future__ import annotations

from edged.faceapi.codes.row import CodeRow, Reaction

_PERMISSION = (
    "Tick the API for this application in the console, finish the verification of the account, "
    "and check that the keys are those of this application."
)

GATEWAY = (
    CodeRow(1, "Unknown error", "the service had an internal fault", Reaction.RETRY),
    CodeRow(
        2,
        "Service temporarily unavailable",
        "the service was unavailable for the moment",
        Reaction.RETRY,
    ),
    CodeRow(
        3,
        "Unsupported openapi method",
        "the service does not know this address",
        Reaction.CONFIG,
        "Check recognition.cloud.url and dialect: no path, no blank, plain hyphens.",
    ),
    CodeRow(
        4,
        "Open api request limit reached",
        "the whole service was overloaded",
        Reaction.RATE,
        "Nothing needs doing; this is not your own limit, and edged waits longer than for that.",
    ),
    CodeRow(
        6,
        "No permission to access data",
        "this application may not use this call",
        Reaction.CONFIG,
        _PERMISSION,
    ),
    CodeRow(13, "Get service token failed", "the service could not check the token", Reaction.RETRY),
    CodeRow(
        14,
        "IAM Certification failed",
        "the signature of the request was refused",
        Reaction.CONFIG,
        "Check the keys and the clock of the box.",
    ),
    CodeRow(
        15,
        "app not exsits or create failed",
        "the application does not exist",
        Reaction.CONFIG,
        "Check in the console whether the application of these keys was deleted.",
    ),
    CodeRow(
        17,
        "Open api daily request limit reached",
        "the day's or the free allowance of this call is used up, or the balance is empty",
        Reaction.QUOTA,
        "Buy calls or top up the balance in the console, then restart edged; else it waits for the next day "
        "of the service (UTC+8).",
    ),
    CodeRow(
        18,
        "Open api qps request limit reached",
        "there were too many calls within one second",
        Reaction.RATE,
        "All devices of the account share the rate: lower recognition.cloud.qps, or buy a higher rate. If it "
        "stays for minutes, the call has no allowance or the account is in arrears.",
    ),
    CodeRow(
        19,
        "Open api total request limit reached",
        "the total allowance of this call is used up",
        Reaction.QUOTA,
        "Buy calls in the console; edged tries again every 10 to 30 minutes, and at once after a restart.",
    ),
    CodeRow(100, "Invalid parameter", "the token was not a valid one", Reaction.REAUTH),
    CodeRow(
        110, "Access token invalid or no longer valid", "the token is not valid any more", Reaction.REAUTH
    ),
    CodeRow(111, "Access token expired", "the token has expired", Reaction.REAUTH),
    CodeRow("SDK100", "", "the picture has too many or too few bytes", Reaction.FRAME),
    CodeRow("SDK101", "", "a side of the picture is too long or too short", Reaction.FRAME),
    CodeRow("SDK102", "", "the picture file could not be read", Reaction.FRAME),
    CodeRow("SDK108", "connection or read data timeout", "the answer did not come in time", Reaction.RETRY),
    CodeRow("SDK109", "", "the format of the picture is not supported", Reaction.FRAME),
)
