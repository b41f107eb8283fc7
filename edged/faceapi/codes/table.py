"""All rows in one table, and the lookup. Knows no calls; callers pass them as scopes."""

from __future__ import annotations

from types import MappingProxyType

from edged.faceapi.codes.business import OCCLUSION, PEOPLE, PICTURE, SERVICE
from edged.faceapi.codes.gateway import GATEWAY
from edged.faceapi.codes.parameters import PARAMETERS
from edged.faceapi.codes.row import CodeRow
from edged.faceapi.codes.unused_calls import EFFECTS, IDENTITY, OLDER, PRIVATE, V4, VIDEO

ROWS: tuple[CodeRow, ...] = (
    *GATEWAY,
    *PARAMETERS,
    *PICTURE,
    *OCCLUSION,
    *PEOPLE,
    *SERVICE,
    *EFFECTS,
    *IDENTITY,
    *PRIVATE,
    *V4,
    *VIDEO,
    *OLDER,
)

_BY_SCOPE = MappingProxyType({(row.scope, str(row.code)): row for row in ROWS})

_LAST_RESORT = ("", "video")
"""Scopes to try after those of the call: numbers of the video family have no other meaning."""


def lookup(code: int | str, *scopes: str) -> CodeRow | None:
    """The row of `code`; None for a code that is not documented.

    Args:
        code: as it came; a number in text (`"18"`) is the same as the number.
        scopes: narrowest first, e.g. `("group_delete", "faceset")`; rows for every call come last.
    """
    text = str(code).strip().upper()
    for scope in (*scopes, *_LAST_RESORT):
        if row := _BY_SCOPE.get((scope, text)):
            return row
    return None
