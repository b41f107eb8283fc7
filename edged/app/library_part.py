"""Library: the people of this box. Who follows its changes into memory is the recognition part's business."""

from __future__ import annotations

from edged.app.part import PartHealth, PartState
from edged.app.site_part import SitePart
from edged.library.store import LibraryStore


class LibraryPart(SitePart):
    """Provides `library`."""

    name = "library"

    def start(self) -> None:
        """Raises EdgedError when the library cannot be opened; nothing puts it back by itself."""
        self._site.library = LibraryStore.open(self._site.config.data_dir, self._site.clock)
        self._stack.callback(self._site.library.close)

    def health(self) -> PartHealth:
        """`people`, `faces`."""
        counts = self._site.library.count()
        summary = f"The library holds {counts.people} people with {counts.faces} faces."
        return self._is(PartState.OK, summary, people=counts.people, faces=counts.faces)
