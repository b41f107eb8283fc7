"""Texts for client-side failures: network, credentials, local rate limits.

The other files have the codes of the API itself. Each text is a meaning, a clause, and advice, a sentence.
"""

from __future__ import annotations

from typing import Final

WAY_TEXTS: Final[dict[str, tuple[str, str]]] = {
    "cloud_rate_limited": (
        "the calls a second that the cloud allows were all taken",
        "Nothing needs doing once; if it happens often, buy a higher rate and raise recognition.cloud.qps.",
    ),
    "cloud_overdue": (
        "the picture was too old before the cloud could be asked",
        "Look for earlier requests that took long, or an overloaded box; access.max_age_s is the limit.",
    ),
    "cloud_backing_off": (
        "the cloud had asked for a pause",
        "Nothing needs doing once; the records of the cloud (cloud_degraded) say why.",
    ),
    "cloud_circuit_open": (
        "the cloud had not answered before, and is tried again after a pause",
        "Check the network and recognition.cloud.url.",
    ),
    "cloud_throttled": (
        "the cloud refuses this call for its rate, again and again",
        "Lower recognition.cloud.qps or buy a higher rate; after minutes, look at allowance and balance.",
    ),
    "cloud_daily_quota": (
        "the calls of this day to the cloud are used up",
        "Buy calls, or wait for the next day of the cloud (midnight UTC+8).",
    ),
    "cloud_total_quota": (
        "the calls to the cloud are used up",
        "Buy calls in the console of the cloud, and raise recognition.cloud.total_calls.",
    ),
    "cloud_engine_error": (
        "asking the cloud failed inside edged",
        "Please report it with the log of the daemon.",
    ),
    "cloud_closed": ("the program was stopping", ""),
    "cloud_timeout": (
        "the cloud did not answer in time",
        "Look at the line to the cloud; recognition.cloud.read_timeout_s is how long it is waited for.",
    ),
    "cloud_http": (
        "the cloud, or something on the way to it, failed to handle the request",
        "Nothing needs doing once; with a number from 400 to 428, check recognition.cloud.url and dialect.",
    ),
    "cloud_unreachable": (
        "the cloud could not be reached",
        "Check the network, recognition.cloud.url, and that the server runs.",
    ),
    "cloud_dns": (
        "the address of the cloud could not be found",
        "Check the name servers of the box and recognition.cloud.url.",
    ),
    "cloud_bad_answer": (
        "the cloud gave an answer that could not be used",
        "Look for a sign-in page or a proxy in the network, and at recognition.cloud.url.",
    ),
    "cloud_certificate": (
        "the certificate of the cloud's server was not accepted",
        "Check the clock of the box, recognition.cloud.url and ca_file; never ignore it.",
    ),
    "cloud_tls": (
        "the cloud's server did not speak TLS",
        "Check whether recognition.cloud.url should begin with http:// and which port it names.",
    ),
    "cloud_api_key": ("the cloud did not know the API key", "Copy the API Key of the application again."),
    "cloud_secret_key": (
        "the cloud did not accept the secret key",
        "Copy the Secret Key again; both keys must be of the same application.",
    ),
    "cloud_token_url": (
        "there was no token where one should be given",
        "Check recognition.cloud.url or token_url letter by letter.",
    ),
    "cloud_token_refused": (
        "the cloud gave no token",
        "Check in the console that the application exists and may use the face API.",
    ),
    "cloud_secret": (
        "a key or token for the cloud was missing or damaged",
        "Look at the log of the daemon, which names it.",
    ),
    "cloud_secrets_file": (
        "the file with the keys for the cloud could not be used",
        "It must be private: `chmod 600`; the log of the daemon says what was found.",
    ),
    "cloud_request_picture": (
        "the picture was in no format that the cloud takes",
        "Use a JPEG, PNG or BMP picture.",
    ),
    "cloud_request_picture_size": (
        "the picture was too large for the cloud",
        "Cut out the face, or make the picture smaller.",
    ),
}
