"""Erases the names of a person in the records; what is left counts under a pseudonym.

The hash chain stays valid, because a link covers only a salted hash of the personal fields: an erasure
replaces the fields and drops the salt, without which nobody can try out who it was.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from edged.clock import Clock
from edged.events import PersonErased
from edged.journal.chain import CHAINED_NAMES, PERSONAL
from edged.journal.snapshots import SnapshotFolder
from edged.journal.writer import Journal
from edged.record import derived

_TEXTS = frozenset({"reason", "detail", "error", "hint", "message", "note", "author", "user", "by"})
_NAMES = frozenset({"person_name", "cloud_name", "name"})
_IDS = frozenset({"person_id", "runner_up_id"})
ERASED_WORDS = "(erased)"
"""Stands for free text about the person, which may tell who they are without naming them."""

_BATCH = 100
_RANGE = 5000


@dataclass(frozen=True)
class Identity:
    """The person to erase: the id, and every name they had."""

    person_id: str
    names: frozenset[str]

    def needles(self) -> Iterator[str]:
        """The forms in which they may stand in the JSON of a record."""
        for text in sorted({self.person_id, *self.names, *(name.casefold() for name in self.names)}):
            yield json.dumps(text, ensure_ascii=False)[1:-1]

    def cleaner(self, pseudonym: str) -> Callable[[str], str]:
        """A function that replaces the id and the names in a text, where they stand as words of their own."""
        words = sorted((self.person_id, *self.names), key=len, reverse=True)
        pattern = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, words))})(?![\w-])", re.IGNORECASE)
        return lambda text: pattern.sub(pseudonym, text)


def names_of(journal: Journal, person_id: str) -> frozenset[str]:
    """Every name the records give a person."""
    rows = journal.database.query(
        "SELECT DISTINCT json_extract(payload, '$.person_name'), json_extract(payload, '$.cloud_name') "
        "FROM records WHERE person_id = ? AND json_valid(payload)",
        (person_id,),
    )
    return frozenset(name for row in rows for name in row if name)


def erase(
    journal: Journal,
    snapshots: SnapshotFolder,
    clock: Clock,
    who: Identity,
    pseudonym: str,
    consents: Iterable[dict[str, Any]] = (),
) -> PersonErased:
    """Erase the pictures of a person, put the pseudonym in their place, and record the erasure.

    Works in small transactions, so that a daemon that writes meanwhile never waits long. After an
    interruption call it again with the same pseudonym.

    Returns:
        The event as written; a repetition that finds nothing to do does not write it again.

    Raises:
        EdgedError: see `Database.transaction`.
    """
    pictures = snapshots.forget(_decisions_with_picture(journal, who.person_id))
    records = sum(_replace(journal, seqs, who, pseudonym) for seqs in _touched(journal, who))
    decisions, explained = _counts(journal, pseudonym)
    event = PersonErased(
        at=clock.now(),
        pseudonym=pseudonym,
        decisions=decisions - explained,
        records=records,
        snapshots=pictures,
        consents=tuple(consents),
    )
    known = journal.database.query(
        "SELECT 1 FROM records WHERE event = 'person_erased' AND json_extract(payload, '$.pseudonym') = ?",
        (pseudonym,),
    )
    if records or pictures or event.decisions or not known:
        journal.write(event)
    return event


def _decisions_with_picture(journal: Journal, person_id: str) -> list[str]:
    """Decisions with a picture in passages where an engine or a decision named the person, sure or not."""
    rows = journal.database.query(
        "SELECT decision_id FROM snapshots WHERE passage_id IN "
        "(SELECT passage_id FROM records WHERE person_id = :person) OR decision_id IN "
        "(SELECT decision_id FROM records WHERE person_id = :person)",
        {"person": person_id},
    )
    return [row[0] for row in rows]


def _touched(journal: Journal, who: Identity) -> Iterator[list[int]]:
    """Numbers of the records that name the person, in batches."""
    needles = list(who.needles())
    anywhere = " OR ".join("instr(payload, ?) > 0" for _ in needles)
    last = journal.last_seq()
    for start in range(0, last, _RANGE):
        rows = journal.database.query(
            f"SELECT seq, event, payload FROM records WHERE seq > ? AND seq <= ? AND ({anywhere})",
            (start, start + _RANGE, *needles),
        )
        seqs = [row["seq"] for row in rows if _changed(row["event"], row["payload"], who, "") is not None]
        for first in range(0, len(seqs), _BATCH):
            yield seqs[first : first + _BATCH]


def _replace(journal: Journal, seqs: list[int], who: Identity, pseudonym: str) -> int:
    with journal.database.transaction() as connection:
        for seq in seqs:
            row = connection.execute("SELECT event, payload FROM records WHERE seq = ?", (seq,)).fetchone()
            changed = None if row is None else _changed(row["event"], row["payload"], who, pseudonym)
            if changed is not None:
                _store(connection, seq, row["event"], changed)
    return len(seqs)


def _store(connection: sqlite3.Connection, seq: int, event: str, payload: dict[str, Any]) -> None:
    *_, person_id, _, reason, _ = derived(payload)
    connection.execute(
        "UPDATE records SET person_id = ?, reason = ?, payload = ? WHERE seq = ?",
        (person_id, reason, json.dumps(payload, ensure_ascii=False), seq),
    )
    if event in CHAINED_NAMES:
        connection.execute("UPDATE chain SET salt = NULL WHERE seq = ?", (seq,))


def _changed(event: str, text: str, who: Identity, pseudonym: str) -> dict[str, Any] | None:
    """The payload without the person; None when it does not name them.

    In a chained record only the personal fields may change: the chain covers the rest as it is.
    """
    try:
        payload: dict[str, Any] = json.loads(text)
    except ValueError:
        return {}  # damaged, and worth nothing but the name in it
    if event in CHAINED_NAMES:
        theirs = payload.get("person_id") == who.person_id
        known = {who.person_id, *who.names}
        named = [
            name for name in PERSONAL if payload.get(name) is not None and (theirs or payload[name] in known)
        ]
        return {**payload, **dict.fromkeys(named, pseudonym)} if named else None
    changed = _without(payload, who, pseudonym, who.cleaner(pseudonym))
    if event == "punch_corrected" and payload.get("person_id") == who.person_id:
        changed["reason"] = ERASED_WORDS
    return None if changed == payload else changed


def _without(value: Any, who: Identity, pseudonym: str, clean: Callable[[str], str]) -> Any:
    if isinstance(value, list):
        return [_without(item, who, pseudonym, clean) for item in value]
    if not isinstance(value, dict):
        return value
    theirs = value.get("person_id") == who.person_id
    out: dict[str, Any] = {}
    for key, item in value.items():
        if (key in _IDS and item == who.person_id) or (key in _NAMES and theirs and item is not None):
            out[key] = pseudonym
        elif key in _TEXTS and isinstance(item, str):
            out[key] = clean(item)
        else:
            out[key] = _without(item, who, pseudonym, clean)
    return out


def _counts(journal: Journal, pseudonym: str) -> tuple[int, int]:
    """Decisions under the pseudonym, and those of them that earlier events explain."""
    decisions = journal.database.query(
        "SELECT count(*) FROM chain JOIN records USING (seq) WHERE salt IS NULL AND instr(payload, ?) > 0",
        (pseudonym,),
    )[0][0]
    explained = journal.database.query(
        "SELECT coalesce(sum(json_extract(payload, '$.decisions')), 0) FROM records "
        "WHERE event = 'person_erased' AND json_extract(payload, '$.pseudonym') = ?",
        (pseudonym,),
    )[0][0]
    return int(decisions), int(explained)
