"""Queues people for the cloud in the transaction of the change. Sends nothing.

A person is queued if the cloud should or may hold something of them; `edged.cloudsync` works out what. All
functions take the connection of an open transaction.
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
    """Ids for the cloud, preferred first: the person id if the cloud accepts it, then ids with more and more
    of its SHA-256. The same on every box."""
    if _FIT.fullmatch(person_id) and person_id.lower() not in RESERVED_IDS:
        yield person_id
    digest = hashlib.sha256(person_id.encode()).hexdigest()
    plain = re.sub(r"[^A-Za-z0-9_]", "_", person_id)
    for digits in (8, 16, 24):
        yield f"{plain[: CLOUD_ID_CHARS - digits - 1]}_{digest[:digits]}"
    yield digest[:CLOUD_ID_CHARS]


def assign_cloud_id(connection: sqlite3.Connection, person_id: str) -> None:
    """Give a person their id for the cloud. A person who has one keeps it, also after an erasure."""
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
    """Give an id to everybody stored before ids for the cloud existed."""
    for (person_id,) in connection.execute(WITHOUT_CLOUD_ID + " ORDER BY created_at, person_id").fetchall():
        assign_cloud_id(connection, person_id)


def person_changed(connection: sqlite3.Connection, person_id: str, now: str) -> None:
    """Queue a changed person, if the change concerns the cloud."""
    row = connection.execute("SELECT cloud_id FROM cloud_ids WHERE person_id = ?", [person_id]).fetchone()
    if row is None:
        return
    if _concerns_cloud(connection, row[0], person_id):
        queue(connection, row[0], now)
    else:
        connection.execute("DELETE FROM cloud_queue WHERE cloud_id = ?", [row[0]])


def person_erased(connection: sqlite3.Connection, person_id: str, now: str) -> None:
    """Keep only the ids of an erased person, and only while the cloud may hold something of them."""
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
    """Queue `cloud_id` for alignment at once, without its earlier failures."""
    connection.execute(
        "INSERT INTO cloud_queue (cloud_id, version, queued_at, next_at) "
        "VALUES (:id, (SELECT number + 1 FROM revision), :now, :now) "
        "ON CONFLICT (cloud_id) DO UPDATE SET version = excluded.version, queued_at = :now, next_at = :now, "
        "attempts = 0, set_aside = 0, error_code = '', error = ''",
        {"id": cloud_id, "now": now},
    )


def forget(connection: sqlite3.Connection, cloud_id: str) -> None:
    """Remove the ids of an erased person, of whom the cloud holds nothing any more."""
    for table in ("cloud_queue", "cloud_users", "cloud_ids"):
        connection.execute(f"DELETE FROM {table} WHERE cloud_id = ?", [cloud_id])


def consents_to_cloud(connection: sqlite3.Connection, person_id: str) -> bool:
    """Whether the newest entry of the consent ledger gives consent to the cloud."""
    row = connection.execute(CLOUD_CONSENT, [person_id]).fetchone()
    return row is not None and bool(row[0])


def _concerns_cloud(connection: sqlite3.Connection, cloud_id: str, person_id: str) -> bool:
    if consents_to_cloud(connection, person_id):
        return True
    there = connection.execute("SELECT 1 FROM cloud_users WHERE cloud_id = ? LIMIT 1", [cloud_id])
    return there.fetchone() is not None
