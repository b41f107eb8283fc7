"""A library on disk, closed after the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edged.clock import ManualClock
from edged.library.store import LibraryStore


@pytest.fixture
def store(tmp_path: Path, clock: ManualClock) -> Iterator[LibraryStore]:
    store = LibraryStore.open(tmp_path, clock)
    yield store
    store.close()
