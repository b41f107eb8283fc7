"""Keeps a gallery in memory equal to the library on disk, whoever changed it: this process or another one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

import numpy as np

from edged.bus import EventBus
from edged.clock import Clock
from edged.errors import EdgedError
from edged.events import LibraryChanged
from edged.library.store import LibraryStore
from edged.recognition.local.gallery import Gallery

POLL_S: Final = 1.0


def refresh(store: LibraryStore, gallery: Gallery) -> None:
    """Bring `gallery` to what `store` holds for its model.

    Faces never change and their ids are never used twice, so comparing ids is enough; only new templates are
    read. An empty gallery is filled by one query (50,000 faces in a fraction of a second).

    Raises:
        NeedsOperator: `gallery_full`, or the database (see `Database.open`).
    """
    with gallery.updating:
        if gallery.faces == 0:
            gallery.apply(add=store.load(gallery.model_id))
            return
        have, wanted = gallery.face_ids(), store.face_ids(gallery.model_id)
        new = np.setdiff1d(wanted, have, assume_unique=True)
        gone = np.setdiff1d(have, wanted, assume_unique=True)
        if new.size or gone.size:
            gallery.apply(add=store.load(gallery.model_id, new.tolist()), remove=gone.tolist())


class LibraryFollower:
    """Looks once a second whether the library was changed, and publishes `LibraryChanged`.

    Args:
        store: the library.
        gallery: is kept equal to it.
        bus, clock: for the event.
        on_problem: told, in the follower's thread, of an error; the next look tries again.
        interval_s: time between two looks.
        on_beat: called after every look.
    """

    def __init__(
        self,
        store: LibraryStore,
        gallery: Gallery,
        bus: EventBus,
        clock: Clock,
        *,
        on_problem: Callable[[EdgedError], None],
        interval_s: float = POLL_S,
        on_beat: Callable[[], None] | None = None,
    ) -> None:
        self._store = store
        self._gallery = gallery
        self._bus = bus
        self._clock = clock
        self._interval_s = interval_s
        self._on_beat = on_beat
        self._on_problem = on_problem
        self._seen: int | None = None
        self._polling = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def poll(self) -> bool:
        """Look once. The first look fills the gallery and publishes nothing.

        Returns:
            True when the library had changed.

        Raises:
            EdgedError: the library could not be read, or does not fit; nothing is lost, look again.
        """
        with self._polling:
            counter = self._store.change_counter()
            if counter == self._seen:
                return False
            first = self._seen is None
            refresh(self._store, self._gallery)
            self._seen = counter
            if not first:
                count = self._store.count()
                self._bus.publish(
                    LibraryChanged(at=self._clock.now(), people=count.people, faces=count.faces)
                )
            return True

    def start(self) -> None:
        """Look once now (errors are raised here), then go on in a thread."""
        self.poll()
        self._thread = threading.Thread(target=self._run, name="library-follower", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 2.0) -> bool:
        """End the thread. True when it ended within `timeout_s`."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout_s)
            return not self._thread.is_alive()
        return True

    def _run(self) -> None:
        while not self._stopping.wait(self._interval_s):
            try:
                self.poll()
            except EdgedError as error:
                self._on_problem(error)
            if self._on_beat is not None:
                self._on_beat()
