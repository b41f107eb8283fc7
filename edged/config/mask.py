"""Hiding credentials inside addresses before they are shown. Does not know any secret by its value."""

from __future__ import annotations

import re

MASK = "***"

_WORD = re.compile(r"\S+")
# Some cameras carry the password in the path or the query: /user=admin_password=x_channel=1, ?pwd=x&token=y
# One attempt a word: an attempt at each letter takes time by the square of the length of a word.
_NAMED_SECRET = re.compile(
    r"(?i)(?<![a-z0-9_-])([a-z0-9_-]*(?:user|usr|login|pass(?:word|wd)?|pwd|token|auth|secret|key))=([^&;/\s'\"]*)"
)


def mask_url(text: str) -> str:
    """`text` (an address, or any message with addresses in it) without user names and passwords."""
    return _NAMED_SECRET.sub(rf"\1={MASK}", _WORD.sub(_without_user, text) if "://" in text else text)


def _without_user(word: re.Match[str]) -> str:
    # up to the last @: passwords may hold an unescaped @ or /; a host may get lost, a password must not
    scheme, _, rest = word[0].partition("://")
    return f"{scheme}://{MASK}@{rest.rpartition('@')[2]}" if "@" in rest else word[0]
