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
        """`people`, `faces`.

        The state is degraded where recognition on this box has no face to compare with.
        """
        counts = self._site.library.count()
        state = PartState.OK
        summary = f"The library holds {counts.people} people with {counts.faces} faces."
        if not counts.faces and self._site.config.recognition.engine != "cloud":
            state, summary = PartState.DEGRADED, "The library holds no face: this box recognises nobody."
        return self._is(state, summary, people=counts.people, faces=counts.faces)
