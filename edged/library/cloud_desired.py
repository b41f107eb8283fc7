"""Desired and last known state of each person in the cloud.

It is in the library's own file, so that it changes together with the people. Sends nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from edged.clock import Clock, iso
from edged.database import Database
from edged.library import cloud_ledger
from edged.library.people import MAX_FACES_PER_PERSON

Kind = Literal["general", "scene"]
"""Kind of a group in the cloud; fixed when the group is made."""


@dataclass(frozen=True)
class DesiredState:
    """What the cloud should hold of one id.

    Attributes:
        person_id: the person, who may be erased.
        groups: groups in the cloud; empty: the cloud should hold nothing.
        photos: names of their photographs, oldest first, at most 20.
        nowhere: in no group at all, configured or not: the person is erased or has no consent.
    """

    cloud_id: str
    person_id: str
    groups: tuple[str, ...] = ()
    photos: tuple[str, ...] = ()
    nowhere: bool = True


class CloudBook:
    """Desired and last known state of one library in the cloud. Safe to use from any thread.

    Args:
        database: the library's.
        clock: wall time.
        groups: configured groups of the cloud; the first takes people whose own groups are none of these.
    """

    def __init__(self, database: Database, clock: Clock, groups: Sequence[str]) -> None:
        self._database = database
        self._clock = clock
        self.groups = tuple(groups)

    # -- desired

    def wanted(self, cloud_id: str) -> DesiredState | None:
        """Desired state of this id; None: nobody in the library has it."""
        with self._database.transaction(durable=False) as connection:
            return self.wanted_in(connection, cloud_id)

    def wanted_in(self, connection: sqlite3.Connection, cloud_id: str) -> DesiredState | None:
        """`wanted` inside a transaction."""
        row = connection.execute(
            "SELECT c.person_id, p.person_id AS here, p.active, p.valid_until FROM cloud_ids c "
            "LEFT JOIN people p USING (person_id) WHERE c.cloud_id = ?",
            [cloud_id],
        ).fetchone()
        if row is None:
            return None
        person_id = row["person_id"]
        if row["here"] is None or not cloud_ledger.consents_to_cloud(connection, person_id):
            return DesiredState(cloud_id, person_id)
        over = row["valid_until"] is not None and row["valid_until"] <= iso(self._clock.now())
        photos = _photos(connection, person_id)
        if over or not row["active"] or not photos:
            return DesiredState(cloud_id, person_id, nowhere=False)
        return DesiredState(
            cloud_id, person_id, self._groups_of(connection, person_id), photos, nowhere=False
        )

    def _groups_of(self, connection: sqlite3.Connection, person_id: str) -> tuple[str, ...]:
        rows = connection.execute("SELECT group_id FROM membership WHERE person_id = ?", [person_id])
        mine = {row[0] for row in rows}
        return tuple(group for group in self.groups if group in mine) or self.groups[:1]

    def everybody(self) -> tuple[str, ...]:
        """Every id of which the cloud should or may hold something."""
        rows = self._database.query(
            "SELECT cloud_id FROM cloud_users UNION SELECT cloud_id FROM cloud_queue UNION "
            "SELECT cloud_id FROM cloud_ids JOIN people USING (person_id) WHERE "
            "(SELECT given FROM consents c WHERE c.person_id = people.person_id AND purpose = 'cloud' "
            "ORDER BY consent_id DESC LIMIT 1) ORDER BY 1"
        )
        return tuple(row[0] for row in rows)

    def expired(self) -> tuple[str, ...]:
        """Ids in the cloud whose validity has ended and that are not queued."""
        rows = self._database.query(
            "SELECT DISTINCT u.cloud_id FROM cloud_users u JOIN cloud_ids USING (cloud_id) "
            "JOIN people p USING (person_id) WHERE p.valid_until <= ? "
            "AND u.cloud_id NOT IN (SELECT cloud_id FROM cloud_queue)",
            [iso(self._clock.now())],
        )
        return tuple(row[0] for row in rows)

    # -- last known

    def groups_with(self, cloud_id: str) -> dict[str, datetime]:
        """Groups that hold, or may hold, this id, each with the time of its last change there."""
        rows = self._database.query(
            "SELECT cloud_group, sent_at FROM cloud_users WHERE cloud_id = ?", [cloud_id]
        )
        return {row[0]: datetime.fromisoformat(row[1]) for row in rows}

    def known_groups(self) -> tuple[str, ...]:
        """All groups that hold, or may hold, anybody of this library."""
        rows = self._database.query("SELECT DISTINCT cloud_group FROM cloud_users ORDER BY 1")
        return tuple(row[0] for row in rows)

    def faces(self, cloud_id: str, group: str) -> dict[str, str]:
        """Photograph -> face_token as the cloud answered."""
        rows = self._database.query(
            "SELECT photo, face_token FROM cloud_faces WHERE cloud_id = ? AND cloud_group = ?",
            [cloud_id, group],
        )
        return dict(map(tuple, rows))

    def some_faces(self, limit: int = 3) -> tuple[tuple[str, str, str], ...]:
        """Id, group and photograph of a few people in the cloud, the longest unchanged first."""
        rows = self._database.query(
            "SELECT cloud_id, cloud_group, min(photo) FROM cloud_users JOIN cloud_faces "
            "USING (cloud_id, cloud_group) GROUP BY cloud_id, cloud_group ORDER BY sent_at LIMIT ?",
            [limit],
        )
        return tuple((row[0], row[1], row[2]) for row in rows)

    def face_added(
        self, cloud_id: str, group: str, photo: str, face_token: str, *, replace: bool = False
    ) -> None:
        """Note a face that the cloud has stored, unless its photograph was erased here meanwhile. `replace`:
        the cloud has deleted the others of this id in the group."""
        now = iso(self._clock.now())
        with self._database.transaction() as connection:
            if replace:
                connection.execute(
                    "DELETE FROM cloud_faces WHERE cloud_id = ? AND cloud_group = ?", [cloud_id, group]
                )
            connection.execute(
                "UPDATE cloud_users SET sent_at = ? WHERE cloud_id = ? AND cloud_group = ?",
                [now, cloud_id, group],
            )
            connection.execute(
                "INSERT OR REPLACE INTO cloud_faces SELECT ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM faces "
                "JOIN cloud_ids USING (person_id) WHERE cloud_id = ? AND photo = ?)",
                [cloud_id, group, photo, face_token, cloud_id, photo],
            )
            connection.execute("UPDATE cloud_state SET last_use_at = ?", [now])

    def face_gone(self, cloud_id: str, group: str, face_token: str) -> None:
        """Note that the cloud has deleted a face."""
        with self._database.transaction() as connection:
            connection.execute(
                "DELETE FROM cloud_faces WHERE cloud_id = ? AND cloud_group = ? AND face_token = ?",
                [cloud_id, group, face_token],
            )

    def left(self, cloud_id: str, group: str | None = None) -> None:
        """Note that the cloud holds nothing of this id any more, in one group or in all."""
        with self._database.transaction() as connection:
            connection.execute(
                "DELETE FROM cloud_users WHERE cloud_id = ? AND cloud_group = coalesce(?, cloud_group)",
                [cloud_id, group],
            )

    def kind(self, group: str) -> Kind | None:
        """Kind of the group; None: this library has not made it yet."""
        rows = self._database.query("SELECT kind FROM cloud_groups WHERE cloud_group = ?", [group])
        return rows[0][0] if rows else None

    def remember_kind(self, group: str, kind: Kind | None) -> None:
        """Note the kind of a group; None: it does not exist any more."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM cloud_groups WHERE cloud_group = ?", [group])
            if kind is not None:
                connection.execute("INSERT INTO cloud_groups VALUES (?, ?)", [group, kind])

    def used(self) -> None:
        """Note a use of the library in the cloud now."""
        with self._database.transaction() as connection:
            connection.execute("UPDATE cloud_state SET last_use_at = ?", [iso(self._clock.now())])


def _photos(connection: sqlite3.Connection, person_id: str) -> tuple[str, ...]:
    """Photographs to send: each once, even if enrolled with two models; only the newest of too many."""
    rows = connection.execute(
        "SELECT photo FROM faces WHERE person_id = ? GROUP BY photo ORDER BY min(face_id) DESC LIMIT ?",
        [person_id, MAX_FACES_PER_PERSON],
    ).fetchall()
    return tuple(row[0] for row in reversed(rows))
