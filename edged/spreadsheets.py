"""Texts that are safe in a table a spreadsheet will open. Writes no files."""

from __future__ import annotations

import re

_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
_FORMULA = ("=", "+", "-", "@")


def plain(text: str) -> str:
    """`text` without control characters: they end lines in CSV, and XLSX cannot hold them."""
    return _CONTROL.sub(" ", text)


def disarmed(text: str) -> str:
    """`plain(text)` for CSV: a spreadsheet runs a formula in a cell; an apostrophe keeps it text."""
    line = plain(text)
    return f"'{line}" if line.lstrip().startswith(_FORMULA) else line
