"""All enrolled templates in memory, with exact search. The library keeps them on disk.

Searching never waits for a change: a search works on one immutable snapshot, a change prepares the next one
and swaps it in. Rows are only ever appended behind those a snapshot can see. A removed face is blanked in
place, so that an erased template does not linger; a search that met that on an older snapshot is repeated.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from edged.errors import NeedsOperator
from edged.gallery.match import Match
from edged.gallery.score import score_of
from edged.gallery.sizes import DEFAULT_CAPACITY, MAX_CAPACITY, TEMPLATE_SIZE

_SPARE_ROWS: Final = 1024
_GONE: Final = -1
_EXCLUDED: Final = np.float32(-2.0)  # below every cosine


@dataclass(frozen=True, eq=False)
class FaceTable:
    """Templates of one model, a row per face.

    Attributes:
        model_id: the embedding model that made them.
        face_ids: int64 (n,).
        person_ids: n identifiers.
        templates: unit vectors, float32 (n, 128).
    """

    model_id: str
    face_ids: np.ndarray
    person_ids: Sequence[str]
    templates: np.ndarray


@dataclass(frozen=True, eq=False)
class _Snapshot:
    """Data of one search: views of the first rows of the current buffers."""

    templates: np.ndarray
    row_people: np.ndarray
    row_faces: np.ndarray
    person_ids: list[str]
    people: int
    faces: int
    blank_round: int


class Gallery:
    """An exact 1:N search over at most `capacity` faces. Safe to use from any thread.

    Args:
        model_id: the only embedding model whose templates are accepted.
        capacity: most faces held, up to 100,000.
    """

    def __init__(self, model_id: str, *, capacity: int = DEFAULT_CAPACITY) -> None:
        if not 1 <= capacity <= MAX_CAPACITY:
            raise ValueError(f"capacity must be 1..{MAX_CAPACITY}")
        self.model_id = model_id
        self.capacity = capacity
        self.updating = threading.Lock()
        """Hold it while comparing the gallery with the library and changing it accordingly."""
        self._lock = threading.Lock()
        self._blank_round = 0
        self._start_empty()
        self._publish(self._blank_round)

    @property
    def people(self) -> int:
        """Number of people with at least one face."""
        return self._snapshot.people

    @property
    def faces(self) -> int:
        """Number of faces searched."""
        return self._snapshot.faces

    def face_ids(self) -> np.ndarray:
        """Ids of all faces held, int64, in no particular order."""
        snapshot = self._snapshot
        held: np.ndarray = snapshot.row_faces[snapshot.row_people != _GONE]
        return held

    # -- search

    def search(self, embedding: np.ndarray, top: int = 2) -> list[Match]:
        """The `top` people who resemble the probe most, best first, each person once.

        Args:
            embedding: unit vector, float32 (128,).
            top: how many people; two are enough for a margin.

        Raises:
            ValueError: not a finite vector of 128 numbers.
        """
        if embedding.shape != (TEMPLATE_SIZE,) or not np.isfinite(embedding).all():
            raise ValueError(f"embedding must be {TEMPLATE_SIZE} finite numbers")
        embedding = embedding.astype(np.float32, copy=False)
        while True:
            snapshot = self._snapshot
            matches = _search(snapshot, embedding, top)
            if snapshot.blank_round == self._blank_round:
                return matches

    # -- changes

    def add(self, person_id: str, face_id: int, template: np.ndarray, model_id: str) -> None:
        """Add one face. Raises as `apply` does."""
        self.apply(add=_table(model_id, person_id, [(face_id, template)]))

    def replace_person(self, person_id: str, faces: Sequence[tuple[int, np.ndarray]], model_id: str) -> None:
        """Exchange all faces of one person for `faces` (id, template), as one step for every search."""
        with self._lock:
            rows = self._rows_of_person(person_id)
            self._apply(_table(model_id, person_id, faces), rows)

    def remove_person(self, person_id: str) -> None:
        """Remove all faces of one person; an unknown person is no error."""
        with self._lock:
            self._apply(None, self._rows_of_person(person_id))

    def apply(self, add: FaceTable | None = None, remove: Iterable[int] = ()) -> None:
        """Add faces (ids not held yet) and remove faces by id, as one step for every search that follows.

        Raises:
            NeedsOperator: templates of another model (code `template_model_mismatch`), or more faces than the
                capacity (code `gallery_full`). Nothing is changed then.
            ValueError: templates of the wrong shape or length.
        """
        wanted = np.fromiter(remove, np.int64)
        with self._lock:
            self._apply(add, np.flatnonzero(np.isin(self._row_faces[: self._used], wanted)))

    # -- under the lock

    def _apply(self, add: FaceTable | None, gone_rows: np.ndarray) -> None:
        gone_rows = gone_rows[self._row_people[gone_rows] != _GONE]
        if add is not None and len(add.face_ids):
            self._check(add, freed=len(gone_rows))
            self._append(add)
        blank_round = self._blank_round + (len(gone_rows) > 0)
        # new rows become visible before old ones vanish, so that a replaced person is never missing
        self._publish(blank_round)
        if len(gone_rows):
            self._blank_round = blank_round
            self._blank(gone_rows)
            self._publish(blank_round)
            dead = self._used - self._live
            if dead > _SPARE_ROWS and dead * 4 > self._used:
                self._compact()

    def _check(self, add: FaceTable, freed: int) -> None:
        if add.model_id != self.model_id:
            raise NeedsOperator(
                f"Templates made by {add.model_id} cannot be compared with those of {self.model_id}.",
                code="template_model_mismatch",
                hint="Enrol these people again from their photographs.",
            )
        if add.templates.shape != (len(add.face_ids), TEMPLATE_SIZE) or len(add.person_ids) != len(
            add.face_ids
        ):
            raise ValueError(f"a face table needs one id, one person and {TEMPLATE_SIZE} numbers per row")
        squares = np.einsum("ij,ij->i", add.templates, add.templates)
        if not np.all(np.abs(squares - 1.0) < 1e-3):  # not-a-number is refused by this too
            raise ValueError("templates must be unit vectors")
        if self._live - freed + len(add.face_ids) > self.capacity:
            raise NeedsOperator(
                f"The gallery holds {self._live} faces and may hold {self.capacity}; "
                f"{len(add.face_ids)} more do not fit.",
                code="gallery_full",
                hint="Remove people who have left.",
            )

    def _start_empty(self) -> None:
        self._templates = np.zeros((0, TEMPLATE_SIZE), np.float32)
        self._row_people = np.zeros(0, np.int32)
        self._row_faces = np.zeros(0, np.int64)
        self._person_ids: list[str] = []
        self._slots: dict[str, int] = {}
        self._faces_of_slot: list[int] = []
        self._used = self._live = self._live_people = 0

    def _append(self, add: FaceTable) -> None:
        slots = [self._slot(person_id) for person_id in add.person_ids]
        end = self._used + len(slots)
        if end > len(self._templates):
            self._grow(end)
        rows = slice(self._used, end)
        self._templates[rows] = add.templates
        self._row_faces[rows] = add.face_ids
        self._row_people[rows] = slots
        for slot in slots:
            self._live_people += self._faces_of_slot[slot] == 0
            self._faces_of_slot[slot] += 1
        self._used = end
        self._live += len(slots)

    def _blank(self, rows: np.ndarray) -> None:
        for slot in self._row_people[rows].tolist():
            self._faces_of_slot[slot] -= 1
            self._live_people -= self._faces_of_slot[slot] == 0
        self._row_people[rows] = _GONE
        self._templates[rows] = 0.0  # an erased face does not linger in memory
        self._live -= len(rows)

    def _slot(self, person_id: str) -> int:
        slot = self._slots.get(person_id)
        if slot is None:
            slot = self._slots[person_id] = len(self._person_ids)
            self._person_ids.append(person_id)
            self._faces_of_slot.append(0)
        return slot

    def _rows_of_person(self, person_id: str) -> np.ndarray:
        slot = self._slots.get(person_id, _GONE - 1)
        return np.flatnonzero(self._row_people[: self._used] == slot)

    def _grow(self, needed: int) -> None:
        """New buffers with the same rows at the same places; running searches keep the old ones."""
        size = max(needed + _SPARE_ROWS, min(2 * len(self._templates), self.capacity))
        for name in ("_templates", "_row_people", "_row_faces"):
            old = getattr(self, name)
            new = np.zeros((size, *old.shape[1:]), old.dtype)
            new[: self._used] = old[: self._used]
            setattr(self, name, new)

    def _compact(self) -> None:
        """New buffers without the rows of removed faces."""
        rows = np.flatnonzero(self._row_people[: self._used] != _GONE)
        kept = FaceTable(
            self.model_id,
            self._row_faces[rows],
            [self._person_ids[slot] for slot in self._row_people[rows].tolist()],
            self._templates[rows],
        )
        self._start_empty()
        self._append(kept)
        self._publish(self._blank_round)

    def _publish(self, blank_round: int) -> None:
        self._snapshot = _Snapshot(
            self._templates[: self._used],
            self._row_people[: self._used],
            self._row_faces[: self._used],
            self._person_ids,
            self._live_people,
            self._live,
            blank_round,
        )


def _table(model_id: str, person_id: str, faces: Sequence[tuple[int, np.ndarray]]) -> FaceTable:
    templates = np.array([t for _, t in faces], np.float32).reshape(len(faces), TEMPLATE_SIZE)
    return FaceTable(model_id, np.array([i for i, _ in faces], np.int64), [person_id] * len(faces), templates)


def _search(snapshot: _Snapshot, embedding: np.ndarray, top: int) -> list[Match]:
    cosines = snapshot.templates @ embedding
    cosines[snapshot.row_people == _GONE] = _EXCLUDED
    matches: list[Match] = []
    # One pass per wanted person: for the usual two this is several times faster than a partial sort of
    # all rows, and stays exact however many faces the best person has.
    while cosines.size and len(matches) < top:
        row = int(cosines.argmax())
        cosine = float(cosines[row])
        if cosine <= _EXCLUDED:
            break
        slot = int(snapshot.row_people[row])
        cosines[snapshot.row_people == slot] = _EXCLUDED
        if slot != _GONE:  # else removed while this search was running
            cosine = max(-1.0, min(1.0, cosine))
            face_id = int(snapshot.row_faces[row])
            matches.append(Match(snapshot.person_ids[slot], face_id, cosine, score_of(cosine)))
    return matches
