"""Reads the library: people, groups, faces and templates. `store.py` changes it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from edged.database import Database
from edged.errors import NotFound
from edged.events import Measures
from edged.library.cloud_ledger import CLOUD_CONSENT
from edged.library.consent import Consent
from edged.library.people import Face, Person, fold
from edged.library.photos import photo_name

if TYPE_CHECKING:
    import numpy as np

    from edged.gallery.templates import FaceTable

MAX_PAGE_SIZE: Final = 1000
_TEMPLATES: Final = "SELECT face_id, person_id, template FROM faces WHERE model_id = ?"
_PORTION: Final = 500  # rows a query; every SQLite permits 999 parameters


@dataclass(frozen=True)
class LibraryCount:
    """Numbers of people, faces and groups; `faces` counts those of every model."""

    people: int
    faces: int
    groups: int


@dataclass(frozen=True)
class Group:
    """A group and its number of people."""

    group_id: str
    name: str
    people: int


@dataclass(frozen=True)
class Page:
    """One page of a list of people; `page` counts from 1, `total` is over all pages."""

    people: tuple[Person, ...]
    total: int
    page: int
    pages: int


class LibraryReader:
    """Queries to a library. Safe to use from any thread.

    Args:
        database: opened with the schema of this package.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def change_counter(self) -> int:
        """A number that rises with every change by any process; cheap enough to read each second."""
        return int(self._database.query("SELECT number FROM revision")[0][0])

    def count(self) -> LibraryCount:
        """Numbers of people, faces and groups."""
        row = self._database.query(
            "SELECT (SELECT count(*) FROM people), (SELECT count(*) FROM faces), "
            "(SELECT count(*) FROM groups)"
        )[0]
        return LibraryCount(*row)

    def find(self, person_id: str) -> Person | None:
        """The person of that id, or None."""
        people = self._people("person_id = ?", [person_id])
        return people[0] if people else None

    def get(self, person_id: str) -> Person:
        """The person of that id. Raises NotFound (code `person_unknown`)."""
        person = self.find(person_id)
        if person is None:
            raise unknown_person(person_id)
        return person

    def list_people(
        self, *, search: str = "", group: str | None = None, page: int = 1, page_size: int = 100
    ) -> Page:
        """People in the order of their names.

        Args:
            search: part of the name or id, without regard to case; no wildcards.
            group: only members of this group id.
            page: from 1; a page behind the last one is empty.
            page_size: 1..1000.
        """
        if page < 1 or not 1 <= page_size <= MAX_PAGE_SIZE:
            raise ValueError(f"page must be 1 or more and page_size 1..{MAX_PAGE_SIZE}")
        where, values = ["1"], []
        if search:
            where.append("(instr(name_folded, ?) OR instr(lower(person_id), ?))")
            values += [fold(search), search.lower()]
        if group is not None:
            where.append("person_id IN (SELECT person_id FROM membership WHERE group_id = ?)")
            values.append(group)
        condition = " AND ".join(where)
        total = self._database.query(f"SELECT count(*) FROM people WHERE {condition}", values)[0][0]
        people = self._people(condition, values, limit=page_size, offset=(page - 1) * page_size)
        return Page(tuple(people), total, page, max(1, -(-total // page_size)))

    def groups(self) -> tuple[Group, ...]:
        """All groups by id."""
        rows = self._database.query(
            "SELECT g.group_id, g.name, count(m.person_id) FROM groups g "
            "LEFT JOIN membership m USING (group_id) GROUP BY g.group_id ORDER BY g.group_id"
        )
        return tuple(Group(*row) for row in rows)

    def faces(self, person_id: str) -> tuple[Face, ...]:
        """The faces of one person, oldest first."""
        rows = self._database.query(
            "SELECT face_id, person_id, photo, model_id, created_at, measures FROM faces "
            "WHERE person_id = ? ORDER BY face_id",
            [person_id],
        )
        return tuple(_face(row) for row in rows)

    def enrolled_with(self, person_id: str, photo: bytes, model_id: str) -> int | None:
        """Id of the face of that person from exactly this picture file with that model, or None."""
        rows = self._database.query(*same_face(person_id, photo, model_id))
        return int(rows[0][0]) if rows else None

    # -- consent and the cloud

    def consents(self, person_id: str) -> tuple[Consent, ...]:
        """The consent ledger of one person, oldest entry first."""
        rows = self._database.query(
            "SELECT person_id, purpose, given, at, recorded_by, note FROM consents WHERE person_id = ? "
            "ORDER BY consent_id",
            [person_id],
        )
        return tuple(_consent(row) for row in rows)

    def has_cloud_consent(self, person_id: str) -> bool:
        """Whether this person's consent to the cloud is in force now."""
        rows = self._database.query(CLOUD_CONSENT, [person_id])
        return bool(rows and rows[0][0])

    def cloud_id_of(self, person_id: str) -> str | None:
        """Id of the person in the cloud, also of an erased person whom the cloud still holds; None: no such
        person."""
        rows = self._database.query("SELECT cloud_id FROM cloud_ids WHERE person_id = ?", [person_id])
        return rows[0][0] if rows else None

    def person_of_cloud_id(self, cloud_id: str) -> str | None:
        """The person with that id in the cloud; None: nobody. An erased person keeps the id until the cloud
        has erased them, so use `find()` to check that they are still in the library."""
        rows = self._database.query("SELECT person_id FROM cloud_ids WHERE cloud_id = ?", [cloud_id])
        return rows[0][0] if rows else None

    # -- templates

    def face_ids(self, model_id: str, *, above: int = 0) -> np.ndarray:
        """Ids of the faces of one model, int64; only those greater than `above`, which are the newer ones."""
        from edged.library.template_rows import id_array

        rows = self._database.query(
            "SELECT face_id FROM faces WHERE model_id = ? AND face_id > ?", [model_id, above]
        )
        return id_array(rows, len(rows))

    def count_faces(self, model_id: str) -> int:
        """Number of faces of one model."""
        rows = self._database.query("SELECT count(*) FROM faces WHERE model_id = ?", [model_id])
        return int(rows[0][0])

    def load(self, model_id: str, face_ids: Sequence[int] | None = None) -> FaceTable:
        """Templates of one model: all of them, or those of `face_ids` that exist."""
        from edged.library.template_rows import face_table

        rows = self._all_rows(model_id) if face_ids is None else self._rows_of(model_id, face_ids)
        most = self.count_faces(model_id) if face_ids is None else len(face_ids)
        return face_table(model_id, rows, most)

    def _all_rows(self, model_id: str) -> Iterator[sqlite3.Row]:
        """All rows in portions: 50,000 rows at once would take as much memory again as their templates."""
        last = 0
        while rows := self._database.query(
            f"{_TEMPLATES} AND face_id > ? ORDER BY face_id LIMIT ?", [model_id, last, _PORTION]
        ):
            yield from rows
            last = rows[-1]["face_id"]

    def _rows_of(self, model_id: str, face_ids: Sequence[int]) -> Iterator[sqlite3.Row]:
        for start in range(0, len(face_ids), _PORTION):
            some = [int(i) for i in face_ids[start : start + _PORTION]]
            marks = ",".join("?" * len(some))
            yield from self._database.query(f"{_TEMPLATES} AND face_id IN ({marks})", [model_id, *some])

    def left_out(self, model_id: str) -> int:
        """Number of people who have only faces of other models and so cannot be recognised."""
        others = self._database.query(
            "SELECT EXISTS (SELECT 1 FROM faces WHERE model_id < :id) "
            "OR EXISTS (SELECT 1 FROM faces WHERE model_id > :id)",
            {"id": model_id},
        )
        if not others[0][0]:  # the usual case: the index alone answers it
            return 0
        rows = self._database.query(
            "SELECT count(DISTINCT person_id) FROM faces WHERE person_id NOT IN "
            "(SELECT person_id FROM faces WHERE model_id = ?)",
            [model_id],
        )
        return int(rows[0][0])

    def _people(
        self, condition: str, values: Sequence[object], *, limit: int = -1, offset: int = 0
    ) -> list[Person]:
        rows = self._database.query(
            "SELECT *, (SELECT count(*) FROM faces f WHERE f.person_id = p.person_id) AS faces, "
            "(SELECT group_concat(group_id) FROM membership m WHERE m.person_id = p.person_id) AS groups "
            f"FROM people p WHERE {condition} ORDER BY name_folded, person_id LIMIT ? OFFSET ?",
            [*values, limit, offset],
        )
        return [_person(row) for row in rows]


def same_face(person_id: str, photo: bytes, model_id: str) -> tuple[str, list[str]]:
    """Query for the face of a person from exactly this picture file with that model."""
    any_suffix = photo_name(photo, ".%")
    return (
        "SELECT face_id FROM faces WHERE person_id = ? AND photo LIKE ? AND model_id = ?",
        [person_id, any_suffix, model_id],
    )


def unknown_person(person_id: str) -> NotFound:
    return NotFound(
        f"There is no person with the id {person_id}.",
        code="person_unknown",
        hint="`edged people list` shows the ids.",
    )


def _person(row: sqlite3.Row) -> Person:
    return Person(
        person_id=row["person_id"],
        name=row["name"],
        groups=tuple(sorted(row["groups"].split(","))) if row["groups"] else (),
        valid_from=_moment(row["valid_from"]),
        valid_until=_moment(row["valid_until"]),
        active=bool(row["active"]),
        note=row["note"],
        faces=row["faces"],
        created_at=datetime.fromisoformat(row["created_at"]),
        updated_at=datetime.fromisoformat(row["updated_at"]),
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def _face(row: sqlite3.Row) -> Face:
    return Face(
        face_id=row["face_id"],
        person_id=row["person_id"],
        photo=row["photo"],
        model_id=row["model_id"],
        measures=Measures(**json.loads(row["measures"])),
        created_at=datetime.fromisoformat(row["created_at"]),
    )


def _consent(row: sqlite3.Row) -> Consent:
    return Consent(
        person_id=row["person_id"],
        purpose=row["purpose"],
        given=bool(row["given"]),
        at=datetime.fromisoformat(row["at"]),
        recorded_by=row["recorded_by"],
        note=row["note"],
    )
