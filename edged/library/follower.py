"""Keeps a gallery in memory equal to the library on disk, after changes by any process."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

import numpy as np
import structlog

from edged.bus import EventBus
from edged.clock import Clock
from edged.errors import EdgedError
from edged.events import LibraryChanged
from edged.gallery.templates import Gallery
from edged.library.store import LibraryStore

POLL_S: Final = 1.0

_log = structlog.get_logger(__name__)


def refresh(store: LibraryStore, gallery: Gallery) -> None:
    """Make `gallery` equal to the faces of its model in `store`.

    Faces never change and their ids are never used twice, so comparing ids is enough; this reads only new
    templates. One query fills an empty gallery (50,000 faces in a fraction of a second).

    Raises:
        NeedsOperator: `gallery_full`, or the database (see `Database.open`).
    """
    with gallery.updating:
        if gallery.faces == 0:
            gallery.apply(add=store.load(gallery.model_id))
            return
        have = gallery.face_ids()
        newer = store.face_ids(gallery.model_id, above=int(have.max()))
        if store.count_faces(gallery.model_id) == have.size + newer.size:  # no face was removed
            gallery.apply(add=store.load(gallery.model_id, newer.tolist()))
            return
        wanted = store.face_ids(gallery.model_id)
        new = np.setdiff1d(wanted, have, assume_unique=True)
        gone = np.setdiff1d(have, wanted, assume_unique=True)
        if new.size or gone.size:
            gallery.apply(add=store.load(gallery.model_id, new.tolist()), remove=gone.tolist())


class LibraryFollower:
    """Polls the library for changes and publishes `LibraryChanged`.

    Args:
        store: the library.
        gallery: kept equal to the library.
        bus, clock: for the event.
        on_beat: called after every poll.
    """

    def __init__(
        self,
        store: LibraryStore,
        gallery: Gallery,
        bus: EventBus,
        clock: Clock,
        *,
        on_beat: Callable[[], None] | None = None,
    ) -> None:
        self._store = store
        self._gallery = gallery
        self._bus = bus
        self._clock = clock
        self._on_beat = on_beat
        self._problem: EdgedError | None = None
        self._seen: int | None = None
        self._left_out = 0
        self._polling = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def poll(self) -> bool:
        """Poll once. The first poll fills the gallery and publishes nothing.

        Returns:
            True if the library had changed.

        Raises:
            EdgedError: the library cannot be read, or does not fit into the gallery; poll again.
        """
        with self._polling:
            counter = self._store.change_counter()
            if counter == self._seen:
                return False
            first = self._seen is None
            refresh(self._store, self._gallery)
            self._seen = counter
            self._note_left_out(self._store.left_out(self._gallery.model_id))
            if not first:
                count = self._store.count()
                self._bus.publish(
                    LibraryChanged(at=self._clock.now(), people=count.people, faces=count.faces)
                )
            return True

    @property
    def left_out(self) -> int:
        """Number of people who have only templates of another model, as of the last poll."""
        return self._left_out

    @property
    def problem(self) -> EdgedError | None:
        """Error of the thread's last poll; None if it succeeded."""
        return self._problem

    def start(self, interval_s: float = POLL_S) -> None:
        """Poll once now, which may raise, then every `interval_s` seconds in a thread."""
        self.poll()
        self._thread = threading.Thread(
            target=self._run, args=(interval_s,), name="library-follower", daemon=True
        )
        self._thread.start()

    def stop(self, timeout_s: float = 2.0) -> bool:
        """End the thread. True: it ended within `timeout_s`."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout_s)
            return not self._thread.is_alive()
        return True

    def _note_left_out(self, people: int) -> None:
        if people and people != self._left_out:
            _log.warning(
                "people left out of recognition",
                people=people,
                reason="their templates were made by another model",
                hint="Enrol them again from their photographs.",
            )
        self._left_out = people

    def _run(self, interval_s: float) -> None:
        while not self._stopping.wait(interval_s):
            self._look()
            if self._on_beat is not None:
                self._on_beat()

    def _look(self) -> None:
        """Poll. Logs a problem once while it lasts; the next poll tries again."""
        try:
            self.poll()
        except EdgedError as error:
            if self._problem is None or self._problem.code != error.code:
                _log.warning("library not followed", code=error.code, reason=error.message, hint=error.hint)
            self._problem = error
        else:
            self._problem = None
