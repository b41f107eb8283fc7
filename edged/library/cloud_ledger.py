"""What a change of the library means for the cloud, written in the same transaction. Nothing is sent here.

A person is queued when the cloud should have, or may have, something of them; what exactly is worked out when
the queue is (see cloud_queue.py). All functions take the connection of an open transaction.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Iterator
from typing import Final

from edged.library.people import RESERVED_IDS

CLOUD_ID_CHARS: Final = 32  # docs/reference/face-api.md 6.2: use at most 32 of A-Z a-z 0-9 _
WITHOUT_CLOUD_ID: Final = (
    "SELECT person_id FROM people WHERE person_id NOT IN (SELECT person_id FROM cloud_ids)"
)
CLOUD_CONSENT: Final = (
    "SELECT given FROM consents WHERE person_id = ? AND purpose = 'cloud' ORDER BY consent_id DESC LIMIT 1"
)
_FIT = re.compile(rf"[A-Za-z0-9_]{{1,{CLOUD_ID_CHARS}}}")


def cloud_id_candidates(person_id: str) -> Iterator[str]:
    """Ids for the cloud, the preferred first: the own id where it is fit, then ones with more and more of its
    SHA-256. The same on every box."""
    if _FIT.fullmatch(person_id) and person_id.lower() not in RESERVED_IDS:
        yield person_id
    digest = hashlib.sha256(person_id.encode()).hexdigest()
    plain = re.sub(r"[^A-Za-z0-9_]", "_", person_id)
    for digits in (8, 16, 24):
        yield f"{plain[: CLOUD_ID_CHARS - digits - 1]}_{digest[:digits]}"
    yield digest[:CLOUD_ID_CHARS]


def assign_cloud_id(connection: sqlite3.Connection, person_id: str) -> None:
    """Give a person their id for the cloud. One who has it keeps it, also when they were erased before."""
    known = connection.execute(
        "UPDATE cloud_ids SET erased_at = NULL WHERE person_id = ?", [person_id]
    ).rowcount
    if known:
        return
    for cloud_id in cloud_id_candidates(person_id):
        if connection.execute(
            "INSERT OR IGNORE INTO cloud_ids (cloud_id, person_id) VALUES (?, ?)", [cloud_id, person_id]
        ).rowcount:
            return
    raise AssertionError(f"128 bits of SHA-256 collide for {person_id}")


def assign_missing_cloud_ids(connection: sqlite3.Connection) -> None:
    """The same for everybody stored before there were such ids."""
    for (person_id,) in connection.execute(WITHOUT_CLOUD_ID + " ORDER BY created_at, person_id").fetchall():
        assign_cloud_id(connection, person_id)


def person_changed(connection: sqlite3.Connection, person_id: str, now: str) -> None:
    """Queue a person of whom anything was changed, if that concerns the cloud."""
    row = connection.execute("SELECT cloud_id FROM cloud_ids WHERE person_id = ?", [person_id]).fetchone()
    if row is None:
        return
    if _concerns_cloud(connection, row[0], person_id):
        queue(connection, row[0], now)
    else:
        connection.execute("DELETE FROM cloud_queue WHERE cloud_id = ?", [row[0]])


def person_erased(connection: sqlite3.Connection, person_id: str, now: str) -> None:
    """Of an erased person only the ids stay, and only while something of them may be in the cloud."""
    row = connection.execute("SELECT cloud_id FROM cloud_ids WHERE person_id = ?", [person_id]).fetchone()
    if row is None:
        return
    cloud_id = row[0]
    connection.execute("DELETE FROM cloud_faces WHERE cloud_id = ?", [cloud_id])
    if connection.execute("SELECT 1 FROM cloud_users WHERE cloud_id = ?", [cloud_id]).fetchone():
        connection.execute("UPDATE cloud_ids SET erased_at = ? WHERE cloud_id = ?", [now, cloud_id])
        queue(connection, cloud_id, now)
    else:
        forget(connection, cloud_id)


def queue(connection: sqlite3.Connection, cloud_id: str, now: str) -> None:
    """Have the state of `cloud_id` in the cloud looked at, at once and as if it had never failed."""
    connection.execute(
        "INSERT INTO cloud_queue (cloud_id, version, queued_at, next_at) "
        "VALUES (:id, (SELECT number + 1 FROM revision), :now, :now) "
        "ON CONFLICT (cloud_id) DO UPDATE SET version = excluded.version, queued_at = :now, next_at = :now, "
        "attempts = 0, set_aside = 0, error_code = '', error = ''",
        {"id": cloud_id, "now": now},
    )


def forget(connection: sqlite3.Connection, cloud_id: str) -> None:
    """Remove the last of an erased person: the cloud holds nothing of them any more."""
    for table in ("cloud_queue", "cloud_users", "cloud_ids"):
        connection.execute(f"DELETE FROM {table} WHERE cloud_id = ?", [cloud_id])


def consents_to_cloud(connection: sqlite3.Connection, person_id: str) -> bool:
    """Whether the newest entry of the ledger gives consent to the cloud."""
    row = connection.execute(CLOUD_CONSENT, [person_id]).fetchone()
    return row is not None and bool(row[0])


def _concerns_cloud(connection: sqlite3.Connection, cloud_id: str, person_id: str) -> bool:
    if consents_to_cloud(connection, person_id):
        return True
    there = connection.execute("SELECT 1 FROM cloud_users WHERE cloud_id = ? LIMIT 1", [cloud_id])
    return there.fetchone() is not None
