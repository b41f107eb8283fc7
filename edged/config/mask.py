"""Hiding credentials inside addresses before they are shown. Does not know any secret by its value."""

from __future__ import annotations

import re

# rtsp://user:password@camera/…  and  …?user=admin&password=secret (also with `_` between, as some cameras do)
_USER_INFO = re.compile(r"(?P<scheme>\b[a-zA-Z][a-zA-Z0-9+.-]*://)[^/?#\s]*@")
_PARAMETER = re.compile(r"(?i)((?:password|passwd|pwd|pass|token|secret|api_?key|key)=)[^&\s_]+")

MASK = "***"


def mask_address(text: str) -> str:
    """`text` with user and password of every URL in it replaced: `rtsp://***@camera/stream`."""
    return _PARAMETER.sub(rf"\g<1>{MASK}", _USER_INFO.sub(rf"\g<scheme>{MASK}@", text))
