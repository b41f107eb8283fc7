"""Tables of one application's library. `face_libraries.py` has search and the rules of the protocol."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from edged.clock import Clock
from edged.database import Database
from edged.gallery.sizes import TEMPLATE_SIZE
from edged.gallery.templates import FaceTable

_FLOAT32_LE: Final = np.dtype("<f4")


class FaceTaken(Exception):
    """The group holds that picture of a face already."""


class FaceStorage:
    """Groups, users and faces on SQLite; every change is one transaction. Safe to use from any thread.

    Args:
        database: opened with the migrations of `edged.server`.
        model_id: the embedding model in use; faces of another stay stored and unused.
        clock: wall time of stored entries.
    """

    def __init__(self, database: Database, model_id: str, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self.model_id = model_id
        database.query("PRAGMA secure_delete = ON")

    @classmethod
    def open(cls, file: Path, model_id: str, clock: Clock) -> FaceStorage:
        """Open `file`, made if missing. Errors: see `Database.open`."""
        return cls(Database.open(file, package="edged.server"), model_id, clock)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    # -- groups

    def groups(self) -> dict[str, str]:
        """The scene of every group."""
        return {row[0]: row[1] for row in self._database.query("SELECT group_id, scene FROM groups")}

    def add_group(self, group_id: str, scene: str) -> None:
        """Make a group; an existing one stays as it is."""
        with self._database.transaction() as connection:
            self._insert_group(connection, group_id, scene)

    def remove_group(self, group_id: str) -> None:
        """Delete a group with its users and faces."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM groups WHERE group_id = ?", [group_id])

    def group_page(self, start: int, length: int) -> list[str]:
        """Ids in the order of the alphabet, `length` of them from number `start` on."""
        return self._column("SELECT group_id FROM groups ORDER BY group_id LIMIT ? OFFSET ?", length, start)

    # -- users

    def user_page(self, group_id: str, start: int, length: int) -> list[str]:
        """One page of the users of a group."""
        sql = "SELECT user_id FROM users WHERE group_id = ? ORDER BY user_id LIMIT ? OFFSET ?"
        return self._column(sql, group_id, length, start)

    def infos(self, user_id: str) -> dict[str, str]:
        """`user_info` of a user by group, groups in the order of the alphabet."""
        sql = "SELECT group_id, user_info FROM users WHERE user_id = ? ORDER BY group_id"
        return {row[0]: row[1] for row in self._database.query(sql, [user_id])}

    def info(self, group_id: str, user_id: str) -> str | None:
        """`user_info` in one group; None: the user is not in it."""
        sql = "SELECT user_info FROM users WHERE group_id = ? AND user_id = ?"
        rows = self._database.query(sql, [group_id, user_id])
        return rows[0][0] if rows else None

    def remove_user(self, user_id: str, group_ids: Sequence[str]) -> None:
        """Delete a user and their faces from some groups."""
        with self._database.transaction() as connection:
            connection.executemany(
                "DELETE FROM users WHERE group_id = ? AND user_id = ?", [(one, user_id) for one in group_ids]
            )

    def copy_user(self, user_id: str, source: str, target: str) -> None:
        """Copy a user who is not in `target`. Raises FaceTaken if one of the faces is."""
        try:
            with self._database.transaction() as connection:
                connection.execute(
                    "INSERT INTO users SELECT ?, user_id, user_info FROM users "
                    "WHERE group_id = ? AND user_id = ?",
                    [target, source, user_id],
                )
                connection.execute(
                    "INSERT INTO faces (group_id, user_id, face_token, template, model_id, created_at) "
                    "SELECT ?, user_id, face_token, template, model_id, ? FROM faces "
                    "WHERE group_id = ? AND user_id = ? ORDER BY face_id",
                    [target, self._now(), source, user_id],
                )
        except sqlite3.IntegrityError as error:
            raise FaceTaken from error

    # -- faces

    def save_face(
        self,
        group_id: str,
        user_id: str,
        token: str,
        template: np.ndarray,
        *,
        scene: str,
        user_info: str | None,
        replace: bool,
    ) -> None:
        """Store a face, and make its group and user if missing.

        Args:
            template: unit float32 (128,).
            user_info: None keeps the stored one.
            replace: delete the user's other faces.

        Raises:
            FaceTaken: the group has a face of that token; nothing is changed.
        """
        where = [group_id, user_id]
        try:
            with self._database.transaction() as connection:
                self._insert_group(connection, group_id, scene)
                connection.execute("INSERT OR IGNORE INTO users VALUES (?, ?, '')", where)
                if replace:
                    connection.execute("DELETE FROM faces WHERE group_id = ? AND user_id = ?", where)
                if user_info is not None:
                    connection.execute(
                        "UPDATE users SET user_info = ? WHERE group_id = ? AND user_id = ?",
                        [user_info, *where],
                    )
                connection.execute(
                    "INSERT INTO faces (group_id, user_id, face_token, template, model_id, created_at) "
                    "VALUES (?, ?, ?, ?, ?, ?)",
                    [*where, token, np.asarray(template, _FLOAT32_LE).tobytes(), self.model_id, self._now()],
                )
        except sqlite3.IntegrityError as error:
            raise FaceTaken from error

    def remove_face(self, group_id: str, user_id: str, token: str) -> bool:
        """Delete a face, and the user with their last. False: there is no such face."""
        where = [group_id, user_id]
        with self._database.transaction() as connection:
            gone = connection.execute(
                "DELETE FROM faces WHERE group_id = ? AND user_id = ? AND face_token = ?", [*where, token]
            ).rowcount
            connection.execute(
                "DELETE FROM users WHERE group_id = ? AND user_id = ? AND ? > 0 AND NOT EXISTS "
                "(SELECT 1 FROM faces WHERE group_id = ? AND user_id = ?)",
                [*where, gone, *where],
            )
        return gone > 0

    def tokens(self, group_id: str, user_id: str) -> dict[str, str]:
        """Time of registration (UTC) of each of a user's faces, by token, oldest first."""
        sql = "SELECT face_token, created_at FROM faces WHERE group_id = ? AND user_id = ? ORDER BY face_id"
        return {row[0]: row[1] for row in self._database.query(sql, [group_id, user_id])}

    def owner(self, group_id: str, token: str) -> str | None:
        """The user in the group who has the face of that token; None: nobody."""
        rows = self._column(
            "SELECT user_id FROM faces WHERE group_id = ? AND face_token = ?", group_id, token
        )
        return rows[0] if rows else None

    def template(self, token: str) -> np.ndarray | None:
        """The template of a registered face, unit float32 (128,)."""
        sql = "SELECT template FROM faces WHERE face_token = ? AND model_id = ? LIMIT 1"
        rows = self._database.query(sql, [token, self.model_id])
        return np.frombuffer(rows[0][0], _FLOAT32_LE).copy() if rows else None

    def faces(self, group_id: str, user_id: str | None = None) -> FaceTable:
        """The faces of a group, or of one user in it, in the order of registration."""
        whose, values = ("", []) if user_id is None else ("AND user_id = ? ", [user_id])
        rows = self._database.query(
            f"SELECT face_id, user_id, template FROM faces WHERE group_id = ? {whose}AND model_id = ? "
            "ORDER BY face_id",
            [group_id, *values, self.model_id],
        )
        joined = b"".join(row["template"] for row in rows)
        return FaceTable(
            self.model_id,
            np.array([row["face_id"] for row in rows], np.int64),
            [row["user_id"] for row in rows],
            np.frombuffer(joined, _FLOAT32_LE).reshape(-1, TEMPLATE_SIZE),
        )

    def faces_of_other_models(self) -> int:
        """Number of stored faces of other models."""
        sql = "SELECT count(*) FROM faces WHERE model_id <> ?"
        return int(self._database.query(sql, [self.model_id])[0][0])

    # -- allowance

    def used(self, day: str) -> dict[str, int]:
        """Number of uses of each paid call on `day`."""
        rows = self._database.query("SELECT call, calls FROM usage WHERE day = ?", [day])
        return {row["call"]: row["calls"] for row in rows}

    def note_use(self, call: str, day: str, calls: int) -> None:
        """Store a counter. Not flushed: a power cut may lose the last half minute."""
        with self._database.transaction(durable=False) as connection:
            connection.execute(
                "INSERT INTO usage VALUES (?, ?, ?) ON CONFLICT (call) DO UPDATE SET day = excluded.day, "
                "calls = iif(day = excluded.day, max(calls, excluded.calls), excluded.calls)",
                [call, day, calls],
            )

    # -- internal

    def _insert_group(self, connection: sqlite3.Connection, group_id: str, scene: str) -> None:
        connection.execute("INSERT OR IGNORE INTO groups VALUES (?, ?, ?)", [group_id, scene, self._now()])

    def _column(self, sql: str, *values: str | int) -> list[str]:
        return [row[0] for row in self._database.query(sql, values)]

    def _now(self) -> str:
        return self._clock.now().strftime("%Y-%m-%d %H:%M:%S")
