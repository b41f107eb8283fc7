"""The box that something is done to: its data directory, its configuration, its clock. No decisions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from edged.clock import Clock

if TYPE_CHECKING:
    from edged.config import Config
    from edged.library.store import LibraryStore


class Box:
    """What every function of admin gets beside the actor.

    Args:
        clock: wall time of what is done.
        load_config: reads the configuration; called at most once, and only when something needs it.
        data_dir: the data directory, absolute, when it is named. No configuration is read for it then, so
            records can be read and people exported on a box whose configuration is broken.
    """

    def __init__(self, clock: Clock, load_config: Callable[[], Config], data_dir: Path | None = None) -> None:
        self.clock = clock
        self._load_config = load_config
        self._data_dir = data_dir

    @cached_property
    def config(self) -> Config:
        """The configuration. Errors: see `edged.config.load.load`."""
        return self._load_config()

    @property
    def data_dir(self) -> Path:
        """The data directory. Raises as `config` unless it is named."""
        return self.config.data_dir if self._data_dir is None else self._data_dir

    @property
    def is_named(self) -> bool:
        """Whether the data directory is named, so that nothing of the configuration may be needed."""
        return self._data_dir is not None


@contextmanager
def opened_library(box: Box) -> Iterator[LibraryStore]:
    """The library of `box`, closed at the end. Raises as `LibraryStore.open`."""
    from edged.library.store import LibraryStore  # orders to a door do without

    store = LibraryStore.open(box.data_dir, box.clock)
    try:
        yield store
    finally:
        store.close()
