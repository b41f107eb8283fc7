"""Hiding credentials inside addresses before they are shown. Does not know any secret by its value."""

from __future__ import annotations

import re

MASK = "***"

# Everything up to the last @ of the word: passwords may hold an unescaped @ or /. A host may get lost; a
# password must not.
_USER_INFO = re.compile(r"(?<=://)\S*@")
# Some cameras carry the password in the path or the query: /user=admin_password=x_channel=1, ?pwd=x&token=y
_NAMED_SECRET = re.compile(
    r"(?i)([a-z0-9_-]*(?:user|usr|login|pass(?:word|wd)?|pwd|token|auth|secret|key))=([^&;/\s'\"]*)"
)


def mask_url(text: str) -> str:
    """`text` (an address, or any message with addresses in it) without user names and passwords."""
    return _NAMED_SECRET.sub(rf"\1={MASK}", _USER_INFO.sub(f"{MASK}@", text))
