"""The hash chain over decisions: adds links and finds where it is broken.

The reasons for its form are in docs/decisions/0009-erasure-and-the-hash-chain.md.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from edged.database import Database
from edged.events import (
    AccessDecided,
    DoorOrdered,
    Event,
    JournalPruned,
    JournalRestored,
    PersonErased,
    event_name,
)
from edged.record import COLUMNS, derived

CHAINED: tuple[type[Event], ...] = (AccessDecided, DoorOrdered, JournalPruned, JournalRestored, PersonErased)
CHAINED_NAMES = tuple(event_name(kind) for kind in CHAINED)
PERSONAL = ("person_id", "person_name", "user", "by")
"""Fields that name somebody: the person who passed, and the operator."""

ERASED = "erased_"
"""Beginning of every pseudonym."""

_SALT_BYTES = 16
_PAGE = 500
_MOST_NAMED = 10
_MARKS = ", ".join("?" * len(CHAINED_NAMES))


def append(connection: sqlite3.Connection, seq: int, row: Mapping[str, Any]) -> bytes:
    """Add the link of record `seq`, in the transaction that writes it. Returns its hash.

    Args:
        row: `payload`, `received_at` and `clock` of the record.
    """
    position, before = head(connection)
    salt = secrets.token_bytes(_SALT_BYTES)
    personal, content = _parts(json.loads(row["payload"]), salt, (row["received_at"], row["clock"]))
    digest = _link(before, seq, content, personal)
    connection.execute(
        "INSERT INTO chain VALUES (?, ?, ?, ?, ?)", (position + 1, seq, salt, personal, digest)
    )
    return digest


def head(connection: sqlite3.Connection) -> tuple[int, bytes]:
    """Position and hash of the newest link; of the anchor when there is none."""
    row = connection.execute("SELECT position, hash FROM chain ORDER BY position DESC LIMIT 1").fetchone()
    if row is None:
        row = connection.execute("SELECT position, hash FROM anchor").fetchone()
    return int(row[0]), bytes(row[1])


def take_over(database: Database) -> int:
    """Link the records of an older schema, once. Returns how many there were."""
    facts = database.query("SELECT value FROM facts WHERE name = 'unchained_until'")
    if not facts:
        return 0
    until, linked = int(facts[0][0]), 0
    while True:
        with database.transaction() as connection:
            rows = connection.execute(
                f"SELECT seq, payload, received_at, clock FROM records WHERE event IN ({_MARKS}) "
                "AND seq <= ? AND seq > (SELECT coalesce(max(seq), 0) FROM chain) ORDER BY seq LIMIT ?",
                (*CHAINED_NAMES, until, _PAGE),
            ).fetchall()
            for row in rows:
                append(connection, row["seq"], row)
            linked += len(rows)
            if len(rows) < _PAGE:
                connection.execute("DELETE FROM facts WHERE name = 'unchained_until'")
                return linked


def problems(database: Database) -> list[str]:
    """Faults of the chain, one sentence each, at most ten; empty when it is whole."""
    found: list[str] = []
    for problem in _all_problems(database):
        if len(found) == _MOST_NAMED:
            found.append("There is more of that.")
            break
        found.append(problem)
    return found


def _all_problems(database: Database) -> Iterator[str]:
    if database.query("SELECT 1 FROM facts WHERE name = 'unchained_until'"):
        yield "The decisions are not linked yet: an upgrade was interrupted. Start the daemon, it links them."
        return
    anchor = database.query("SELECT position, hash FROM anchor")
    if not anchor:
        yield "The beginning of the chain is gone: the table that holds it was emptied."
        return
    account = _Account(anchor[0])
    yield from _broken_links(database, account)
    yield from account.problems()
    yield from _unlinked(database)


class _Account:
    """What only all links together tell: the anchor is signed, and erasures explain every lost salt."""

    def __init__(self, anchor: sqlite3.Row) -> None:
        self.anchor = anchor
        self._signed = anchor["position"] == 0
        self._erased: Counter[str] = Counter()
        self._explained: Counter[str] = Counter()

    def add(self, row: sqlite3.Row, payload: dict[str, Any]) -> None:
        if row["salt"] is None:
            self._erased[_pseudonym(payload)] += 1
        if row["event"] == "person_erased":
            self._explained[str(payload.get("pseudonym"))] += payload.get("decisions") or 0
        self._signed = self._signed or _signs(payload, self.anchor)

    def problems(self) -> Iterator[str]:
        if not self._signed:
            yield "The beginning of the chain was cut off, and no record says that this was done on purpose."
        for pseudonym, count in self._erased.items():
            if not pseudonym.startswith(ERASED) or count > self._explained[pseudonym]:
                yield f"Decisions of {pseudonym} lost their salt, and no record of an erasure explains it."


def _broken_links(database: Database, account: _Account) -> Iterator[str]:
    """Walk along the chain, link by link, and tell `account` of each."""
    position, before = account.anchor["position"], account.anchor["hash"]
    for row in _links(database, position):
        position += 1
        if row["position"] != position:
            yield f"The chain jumps from link {position - 1} to {row['position']}: decisions were removed."
            position, before = row["position"], row["hash"]
            continue
        payload = None if row["payload"] is None else _object(row["payload"])
        if row["payload"] is None:
            yield f"Record {row['seq']}, a decision, was removed."
        elif payload is None or not _fits(row, payload, before):
            yield f"Record {row['seq']} was changed after it was written."
        if payload is not None:
            account.add(row, payload)
        before = row["hash"]


def _pseudonym(payload: dict[str, Any]) -> str:
    """The name that stands in the place of an erased person."""
    values = [str(payload.get(name)) for name in PERSONAL]
    return next((value for value in values if value.startswith(ERASED)), values[0])


def _object(text: Any) -> dict[str, Any] | None:
    """The payload of a record; None when it is no JSON object."""
    try:
        value = json.loads(text)
    except (ValueError, TypeError):
        return None
    return value if isinstance(value, dict) else None


def _signs(payload: dict[str, Any], anchor: sqlite3.Row) -> bool:
    """Whether this record states the anchor."""
    if payload.get("event") != "journal_pruned" or not payload.get("chain_position"):
        return False
    return (payload["chain_position"], payload.get("chain_hash")) == (
        anchor["position"],
        _hex(anchor["hash"]),
    )


def _hex(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def _links(database: Database, after: int) -> Iterator[sqlite3.Row]:
    names = ", ".join(f"records.{name}" for name in COLUMNS)
    while rows := database.query(
        f"SELECT chain.*, {names} FROM chain LEFT JOIN records USING (seq) "
        "WHERE position > ? ORDER BY position LIMIT ?",
        (after, _PAGE),
    ):
        yield from rows
        after = rows[-1]["position"]


def _fits(row: sqlite3.Row, payload: dict[str, Any], before: Any) -> bool:
    """The columns repeat the payload, the personal fields fit their hash, and all of it the link."""
    if (row["at"], row["event"]) != (payload.get("at"), payload.get("event")):
        return False
    if tuple(row[name] for name in COLUMNS[2:10]) != derived(payload):
        return False
    salt = row["salt"] or b""
    if not all(isinstance(value, bytes) for value in (before, salt, row["personal"])):
        return False
    personal, content = _parts(payload, salt, (row["received_at"], row["clock"]))
    if row["salt"] is not None and personal != row["personal"]:
        return False
    return bool(_link(before, row["seq"], content, row["personal"]) == row["hash"])


def _unlinked(database: Database) -> Iterator[str]:
    for row in database.query(
        f"SELECT seq FROM records WHERE event IN ({_MARKS}) AND seq NOT IN (SELECT seq FROM chain) "
        f"ORDER BY seq LIMIT {_MOST_NAMED}",
        CHAINED_NAMES,
    ):
        yield f"Record {row['seq']}, a decision, is not in the chain: it was put in by something else."


def _parts(payload: dict[str, Any], salt: bytes, arrival: tuple[Any, Any]) -> tuple[bytes, bytes]:
    """The hash of the personal fields with their salt, and that of everything else.

    Args:
        arrival: time of arrival and quality of the clock then, as the row has them.
    """
    personal = json.dumps([payload.get(name) for name in PERSONAL], ensure_ascii=False)
    content = {name: value for name, value in payload.items() if name not in PERSONAL}
    text = json.dumps([content, *arrival], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(salt + personal.encode()).digest(), hashlib.sha256(text.encode()).digest()


def _link(before: bytes, seq: int, content: bytes, personal: bytes) -> bytes:
    return hashlib.sha256(before + seq.to_bytes(8, "big") + content + personal).digest()
