"""Identifiers of passages and events: unique without coordination, and sorted by time of creation."""

from __future__ import annotations

import secrets
from datetime import datetime

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford base 32: no i, l, o, u to misread aloud


def new_id(prefix: str, at: datetime) -> str:
    """`prefix` + `_` + 9 characters of time (milliseconds) + 7 random ones, e.g. `p_1k3b9vq2g4x7w0mc`."""
    milliseconds = int(at.timestamp() * 1000)
    return f"{prefix}_{_encode(milliseconds, 9)}{_encode(secrets.randbits(35), 7)}"


def _encode(value: int, length: int) -> str:
    characters = []
    for _ in range(length):
        value, digit = divmod(value, 32)
        characters.append(_ALPHABET[digit])
    return "".join(reversed(characters))
