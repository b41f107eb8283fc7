"""Makes the signature of a webhook, and checks it at the other end. Sends nothing."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping

TIMESTAMP_HEADER = "X-Edged-Timestamp"
SIGNATURE_HEADER = "X-Edged-Signature"
REPLAY_WINDOW_S = 300
"""A receiver refuses a signature that is older than this, or ahead of its clock by more, seconds."""


def sign(secret: str, timestamp_s: int, body: bytes) -> str:
    """HMAC-SHA256 over the timestamp, a full stop and the body, as `sha256=` and 64 hexadecimal digits.

    Args:
        timestamp_s: time of sending, seconds since 1970, UTC.
    """
    digest = hmac.new(secret.encode(), f"{timestamp_s}.".encode() + body, hashlib.sha256)
    return f"sha256={digest.hexdigest()}"


def verify(
    secret: str,
    headers: Mapping[str, str],
    body: bytes,
    now_s: float,
    window_s: float = REPLAY_WINDOW_S,
) -> bool:
    """Whether `secret` has signed this body not too long ago. For receivers.

    Args:
        headers: headers of the request, with their usual capitals.
        body: the bytes as they came, before any parsing.
        now_s: present time, seconds since 1970, UTC.
        window_s: longest age of the signature, seconds.
    """
    timestamp = headers.get(TIMESTAMP_HEADER, "")
    if not re.fullmatch(r"[0-9]{1,12}", timestamp) or abs(now_s - int(timestamp)) > window_s:
        return False
    given = headers.get(SIGNATURE_HEADER, "")
    return hmac.compare_digest(sign(secret, int(timestamp), body).encode(), given.encode())
