"""Changes of the library."""

from __future__ import annotations

from dataclasses import dataclass

from edged.events.base import Event


@dataclass(frozen=True, kw_only=True, eq=False)
class LibraryChanged(Event):
    """People or faces of the library changed; the gallery in memory follows. The counts are the new ones."""

    people: int
    faces: int
