"""Which parameters of a case belong to the short tier, and which only to the whole suite."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def slow_but(values: Iterable[Any], *always: Any) -> list[Any]:
    """All values as parameters; those that are not named after them are for the whole suite only."""
    return [pytest.param(value, marks=() if value in always else pytest.mark.slow) for value in values]
