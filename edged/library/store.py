"""Changes the library: people, groups and faces in SQLite, with their photographs beside it. No recognition.

Every change is one transaction and raises the revision, which other processes watch. SQLite overwrites erased
data in the file (`secure_delete`).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edged.clock import Clock, iso
from edged.database import Database
from edged.errors import EdgedError, NeedsOperator, NotFound
from edged.gallery.sizes import DEFAULT_CAPACITY, MAX_CAPACITY
from edged.library import cloud_ledger
from edged.library.consent import Consent, check_consent
from edged.library.people import (
    MAX_FACES_PER_PERSON,
    NewFace,
    Person,
    PersonDetails,
    check_details,
    check_id,
    check_name,
    fold,
)
from edged.library.photos import PhotoFolder
from edged.library.reader import LibraryReader, same_face, unknown_person


@dataclass(frozen=True)
class Enrolled:
    """Result of storing a face: `added` a person, `updated` one, or nothing (`already_enrolled`)."""

    outcome: Literal["added", "updated", "already_enrolled"]
    face_id: int


class LibraryStore(LibraryReader):
    """The library of one data directory. Safe to use from any thread.

    Args:
        database: opened with the migrations of this package.
        photos: the folder of photographs.
        clock: wall time of stored entries.
        capacity: most faces of one model, up to 100,000.
    """

    def __init__(
        self, database: Database, photos: PhotoFolder, clock: Clock, capacity: int = DEFAULT_CAPACITY
    ) -> None:
        if not 1 <= capacity <= MAX_CAPACITY:
            raise ValueError(f"capacity must be 1..{MAX_CAPACITY}")
        super().__init__(database)
        self._clock = clock
        self.photos = photos
        self.capacity = capacity
        database.query("PRAGMA secure_delete = ON")
        self._recover()

    @classmethod
    def open(cls, data_dir: Path, clock: Clock, *, capacity: int = DEFAULT_CAPACITY) -> LibraryStore:
        """Open `data_dir/library.db` and `data_dir/photos`, made if missing. Errors: see `Database.open`."""
        database = Database.open(data_dir / "library.db", package="edged.library")
        try:
            return cls(database, PhotoFolder(data_dir / "photos"), clock, capacity)
        except BaseException:
            database.close()
            raise

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    # -- writing

    def update_person(self, details: PersonDetails) -> Person:
        """Replace name, groups, validity, activity and note of a person; the faces stay.

        Raises:
            NotFound: `person_unknown`.
            Misconfigured: a field cannot be stored.
        """
        check_details(details)
        with self._write() as connection:
            if not _exists(connection, details.person_id):
                raise unknown_person(details.person_id)
            connection.execute("DELETE FROM membership WHERE person_id = ?", [details.person_id])
            self._save(connection, details)
        return self.get(details.person_id)

    def enrol(self, details: PersonDetails, face: NewFace) -> Enrolled:
        """Store a face, and with it the person if they are new; one transaction, on the disk on return.

        A person who exists joins the groups; nothing else of `details` is used.

        Raises:
            Misconfigured: a field cannot be stored.
            NeedsOperator: `library_full`, `too_many_faces`, or the disk (see `Database.open`).
        """
        check_details(details)
        photo = None
        try:
            with self._write() as connection:
                known = _exists(connection, details.person_id)
                changed = not known
                if known:
                    changed = self._join_groups(connection, details.person_id, details.groups)
                else:
                    self._save(connection, details)
                same = connection.execute(*same_face(details.person_id, face.photo, face.model_id)).fetchone()
                if same is not None:
                    face_id = int(same[0])
                else:
                    self._require_room(connection, details.person_id, face.model_id)
                    photo = self.photos.receive(face.photo, face.suffix)
                    face_id = self._insert_face(connection, details.person_id, photo, face)
                    changed = True
        except BaseException:
            with suppress(EdgedError):  # report the first error; the next start tries again
                self._settle_photos()
            raise
        if photo is not None:
            self.photos.settle(photo)
        if not changed:
            return Enrolled("already_enrolled", face_id)
        return Enrolled("updated" if known else "added", face_id)

    def add_to_groups(self, person_id: str, groups: Sequence[str]) -> bool:
        """Add a person to groups, which are made if missing. True: that changed something.

        Raises:
            NotFound: `person_unknown`.
            Misconfigured: `bad_id` of a group.
        """
        for group in groups:
            check_id(group, "group id")
        with self._write() as connection:
            if not _exists(connection, person_id):
                raise unknown_person(person_id)
            return self._join_groups(connection, person_id, groups)

    def remove_person(self, person_id: str) -> None:
        """Erase a person: details, memberships, consents, templates, and photographs that no other face
        uses. Queues the deletion of anything the cloud may hold of them.

        Raises:
            NotFound: `person_unknown`.
        """
        with self._write() as connection:
            if not _exists(connection, person_id):
                raise unknown_person(person_id)
            connection.execute(
                "INSERT OR IGNORE INTO photo_erasures SELECT photo FROM faces WHERE person_id = ?",
                [person_id],
            )
            connection.execute("DELETE FROM people WHERE person_id = ?", [person_id])
            cloud_ledger.person_erased(connection, person_id, iso(self._clock.now()))
        self._erase_photos()

    def remove_face(self, face_id: int) -> None:
        """Erase one face and its photograph. Raises NotFound (code `face_unknown`)."""
        with self._write() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO photo_erasures SELECT photo FROM faces WHERE face_id = ?", [face_id]
            )
            gone = connection.execute(
                "DELETE FROM faces WHERE face_id = ? RETURNING person_id", [face_id]
            ).fetchone()
            if gone is None:
                raise NotFound(f"There is no face {face_id}.", code="face_unknown")
            self._note_for_cloud(connection, gone[0])
        self._erase_photos()

    def record_consent(
        self, person_id: str, purpose: str, *, given: bool, recorded_by: str, note: str = ""
    ) -> Consent:
        """Add an entry to the ledger of consents; the newest entry of a purpose is the one in force.

        Raises:
            NotFound: `person_unknown`.
            Misconfigured: `bad_purpose`, `bad_name` or `bad_note`.
        """
        consent = Consent(
            person_id=person_id,
            purpose=purpose,
            given=given,
            at=self._clock.now(),
            recorded_by=recorded_by,
            note=note,
        )
        check_consent(consent)
        with self._write() as connection:
            if not _exists(connection, person_id):
                raise unknown_person(person_id)
            connection.execute(
                "INSERT INTO consents (person_id, purpose, given, at, recorded_by, note) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                [person_id, purpose, int(given), iso(consent.at), recorded_by, note],
            )
            self._note_for_cloud(connection, person_id)
        return consent

    def queue_for_cloud(self, cloud_ids: Iterable[str]) -> None:
        """Queue these ids for alignment with the cloud; skips unknown ones."""
        now = iso(self._clock.now())
        with self._write() as connection:
            for cloud_id in cloud_ids:
                if connection.execute("SELECT 1 FROM cloud_ids WHERE cloud_id = ?", [cloud_id]).fetchone():
                    cloud_ledger.queue(connection, cloud_id, now)

    @property
    def database(self) -> Database:
        """The database, for the other tables in the same file."""
        return self._database

    # -- internal

    def _note_for_cloud(self, connection: sqlite3.Connection, person_id: str) -> None:
        cloud_ledger.person_changed(connection, person_id, iso(self._clock.now()))

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with self._database.transaction() as connection:
            before = connection.total_changes
            yield connection
            if connection.total_changes != before:
                connection.execute("UPDATE revision SET number = number + 1")

    def _save(self, connection: sqlite3.Connection, details: PersonDetails) -> None:
        now = iso(self._clock.now())
        name = check_name(details.name)
        connection.execute(
            "INSERT INTO people VALUES (:id, :name, :folded, :start, :end, :active, :note, :now, :now) "
            "ON CONFLICT (person_id) DO UPDATE SET name = :name, name_folded = :folded, valid_from = :start, "
            "valid_until = :end, active = :active, note = :note, updated_at = :now",
            {
                "id": details.person_id,
                "name": name,
                "folded": fold(name),
                "start": details.valid_from and iso(details.valid_from),
                "end": details.valid_until and iso(details.valid_until),
                "active": int(details.active),
                "note": details.note,
                "now": now,
            },
        )
        cloud_ledger.assign_cloud_id(connection, details.person_id)
        self._join_groups(connection, details.person_id, details.groups)
        self._note_for_cloud(connection, details.person_id)

    def _join_groups(self, connection: sqlite3.Connection, person_id: str, groups: Sequence[str]) -> bool:
        joined = 0
        for group in groups:
            connection.execute("INSERT OR IGNORE INTO groups VALUES (?, ?)", [group, group])
            joined += connection.execute(
                "INSERT OR IGNORE INTO membership VALUES (?, ?)", [person_id, group]
            ).rowcount
        if joined:
            self._note_for_cloud(connection, person_id)
        return joined > 0

    def _require_room(self, connection: sqlite3.Connection, person_id: str, model_id: str) -> None:
        of_model, of_person = connection.execute(
            "SELECT (SELECT count(*) FROM faces WHERE model_id = ?), "
            "(SELECT count(*) FROM faces WHERE model_id = ? AND person_id = ?)",
            [model_id, model_id, person_id],
        ).fetchone()
        if of_person >= MAX_FACES_PER_PERSON:
            raise NeedsOperator(
                f"{person_id} has {of_person} faces, the most a person may have.",
                code="too_many_faces",
                hint="Remove an older one first.",
            )
        if of_model >= self.capacity:
            raise NeedsOperator(
                f"The library is full: {of_model} faces, the most this box may hold.",
                code="library_full",
                hint="Remove people who have left.",
            )

    def _insert_face(self, connection: sqlite3.Connection, person_id: str, photo: str, face: NewFace) -> int:
        from edged.library.template_rows import template_bytes

        template = template_bytes(face.template)
        measures = json.dumps({name: v for name, v in vars(face.measures).items() if v is not None})
        # another transaction may be erasing this photograph at this moment
        connection.execute("DELETE FROM photo_erasures WHERE photo = ?", [photo])
        connection.execute(
            "UPDATE people SET updated_at = ? WHERE person_id = ?", [iso(self._clock.now()), person_id]
        )
        cursor = connection.execute(
            "INSERT INTO faces (person_id, photo, template, model_id, created_at, measures) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            [person_id, photo, template, face.model_id, iso(self._clock.now()), measures],
        )
        self._note_for_cloud(connection, person_id)
        return int(cursor.lastrowid or 0)

    def _erase_photos(self) -> None:
        """Erase the files of forgotten photographs, under the lock that keeps other processes from enrolling
        them."""
        with self._database.transaction() as connection:
            for (photo,) in connection.execute("SELECT photo FROM photo_erasures").fetchall():
                if not _is_referred_to(connection, photo):
                    self.photos.erase(photo)
            connection.execute("DELETE FROM photo_erasures")
        # the log still holds the pages from before the erasure
        self._database.query("PRAGMA wal_checkpoint(TRUNCATE)")

    def _recover(self) -> None:
        """Settle or erase photographs that a crash left."""
        if self._database.query("SELECT 1 FROM photo_erasures LIMIT 1"):
            self._erase_photos()
        self._settle_photos()
        if self._database.query(cloud_ledger.WITHOUT_CLOUD_ID + " LIMIT 1"):
            with self._database.transaction() as connection:
                cloud_ledger.assign_missing_cloud_ids(connection)

    def _settle_photos(self) -> None:
        if self.photos.has_unsettled():
            with self._database.transaction() as connection:
                self.photos.recover(lambda photo: _is_referred_to(connection, photo))


def _exists(connection: sqlite3.Connection, person_id: str) -> bool:
    check_id(person_id)
    row = connection.execute("SELECT 1 FROM people WHERE person_id = ?", [person_id]).fetchone()
    return row is not None


def _is_referred_to(connection: sqlite3.Connection, photo: str) -> bool:
    return connection.execute("SELECT 1 FROM faces WHERE photo = ?", [photo]).fetchone() is not None
