"""What must be true of a box after every fault of the crash laboratory. Checks a copy; changes nothing."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from crash_lab_receiver import RoughReceiver

from edged.attendance.store import FILE_NAME as ATTENDANCE
from edged.attendance.store import PunchLedger
from edged.clock import SystemClock
from edged.database import Database
from edged.database.migrate import migrations
from edged.delivery.outbox import FILE_NAME as DELIVERY
from edged.delivery.records import DECISION, PUNCH, kind_of
from edged.journal import JournalReader, Record, journal_path
from edged.library.reader import LibraryReader

DATABASES = ("journal.sqlite3", "library.db", ATTENDANCE, DELIVERY)


@dataclass
class Told:
    """What the lives of one box said they had done, as heard through the pipe.

    Attributes:
        acknowledged: decision id -> sequence number, said after the commit had returned.
        acted: grants that the door acted on.
        unwritten: decisions that were denied because they could not be written.
        library: the last acknowledged change of the library.
    """

    acknowledged: dict[str, int] = field(default_factory=dict)
    acted: set[str] = field(default_factory=set)
    unwritten: set[str] = field(default_factory=set)
    library: int = 0


def problems(data_dir: Path, told: Told, receivers: dict[str, RoughReceiver], *, settled: bool) -> list[str]:
    """What is wrong, one sentence each; empty when everything is as promised.

    Args:
        settled: the box has caught up, delivered everything and ended: nothing may be missing anywhere.
    """
    with tempfile.TemporaryDirectory(dir=data_dir.parent.parent) as folder:
        copy = Path(folder)
        broken = _copied(data_dir, copy)
        return broken or _problems(copy, told, receivers, settled=settled)


def _copied(data_dir: Path, copy: Path) -> list[str]:
    """Copy the databases with their logs; SQLite finishes in the copy what the fault cut off."""
    found = []
    for name in DATABASES:
        for part in (name, f"{name}-wal"):
            if (data_dir / part).is_file():
                shutil.copy(data_dir / part, copy / part)
        if (copy / name).is_file():
            with closing(sqlite3.connect(copy / name)) as connection:
                answers = [row[0] for row in connection.execute("PRAGMA integrity_check(5)")]
            if answers != ["ok"]:
                found.append(f"{name}: {answers}.")
    return found


def _problems(data_dir: Path, told: Told, receivers: dict[str, RoughReceiver], *, settled: bool) -> list[str]:
    if not told.acknowledged and not _made(journal_path(data_dir), "edged.journal"):
        return []
    journal = JournalReader.open_readonly(journal_path(data_dir))
    try:
        records = list(journal.iterate())
        found = [*journal.verify(), *_decisions(records, told)]
        unfinished = {record.decision_id for record in journal.unfinished_grants()}
    finally:
        journal.close()
    found += _outcomes(records, unfinished, settled=settled)
    found += _library(data_dir, told)
    for name, receiver in receivers.items():
        found += _received(name, receiver, records, settled=settled)
    found += _punches(data_dir, records, settled=settled)
    return found


def _decisions(records: list[Record], told: Told) -> Iterator[str]:
    seqs = {r.decision_id: r.seq for r in records if r.event == "access_decided"}
    granted = {r.decision_id for r in records if r.event == "access_decided" and r.outcome == "granted"}
    for decision, seq in told.acknowledged.items():
        if seqs.get(decision) != seq:
            yield f"The acknowledged decision {decision} ({seq}) is in the journal as {seqs.get(decision)}."
    yield from (f"The door acted on {one}, which no record grants." for one in told.acted - granted)
    yield from (f"{one} could not be written, and yet the door acted." for one in told.unwritten & told.acted)


def _outcomes(records: list[Record], unfinished: set[str | None], *, settled: bool) -> Iterator[str]:
    outcomes = Counter(r.decision_id for r in records if r.event in ("door_unlocked", "grant_not_executed"))
    for record in records:
        if record.event != "access_decided" or record.outcome != "granted":
            continue
        if outcomes[record.decision_id] + (record.decision_id in unfinished) != 1:
            yield f"The grant {record.seq} has {outcomes[record.decision_id]} outcomes."
    if settled and unfinished:
        yield f"{len(unfinished)} grants have no outcome."


def _made(path: Path, package: str) -> bool:
    """Whether the file has all its tables; a box killed in its first start leaves one that has not."""
    if not path.is_file():
        return False
    with closing(sqlite3.connect(path)) as connection:
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    return version == len(migrations(package))


def _library(data_dir: Path, told: Told) -> Iterator[str]:
    if told.library:
        database = Database.open_readonly(data_dir / "library.db", package="edged.library")
        person = LibraryReader(database).find("person0")
        database.close()
        if person is None or int(person.note or 0) < told.library:
            yield f"The acknowledged change {told.library} of the library is lost: {person}."


def _received(name: str, receiver: RoughReceiver, records: list[Record], *, settled: bool) -> Iterator[str]:
    """Every effect is a record of the journal, and the same one; in order; at the end none is missing."""
    stored = receiver.stored.copy()
    by_seq = {record.seq: record for record in records}
    for message_id, body in stored.items():
        record = by_seq.get(body["seq"])
        same = record and (record.event, record.decision_id) == (body["event"], body.get("decisionId"))
        if not same and not _without_decision(record, body):
            yield f"{name} has {message_id} as {body['event']}, the journal has {record and record.event}."
    order = [body["seq"] for body in stored.values()]
    early = [seq for seq, later in pairwise(order) if later < seq]
    if len(early) > receiver.absences:  # the proof that it is back may overtake, see docs/delivery.md
        yield f"{name} got records out of order, after {early[:5]}."
    twice = [seq for seq, times in Counter(order).items() if times > 1]
    if twice:
        yield f"{name} has {twice[:5]} under two ids."
    if settled:
        wanted = {r.seq for r in records if kind_of(r.event) in (DECISION, PUNCH)}
        if missing := sorted(wanted - set(order)):
            yield f"{name} never got {len(missing)} records, first {missing[:5]}."


def _without_decision(record: Record | None, body: dict) -> bool:
    """Messages about other things carry no decision id."""
    return record is not None and record.event == body["event"] and "decisionId" not in body


def _punches(data_dir: Path, records: list[Record], *, settled: bool) -> Iterator[str]:
    if not _made(data_dir / ATTENDANCE, "edged.attendance"):
        return
    ledger = PunchLedger.open_readonly(data_dir, SystemClock())
    punches = Counter(punch.decision_id for punch in ledger.rows())
    ledger.close()
    granted = {r.decision_id for r in records if r.event == "access_decided" and r.outcome == "granted"}
    announced = Counter(r.decision_id for r in records if r.event == "punch_recorded")
    yield from (f"{n} punches for {one}." for one, n in punches.items() if n > 1 or one not in granted)
    yield from (f"A punch is recorded for {one}, which has none." for one in announced if one not in punches)
    if settled:
        if missing := granted - set(punches):
            yield f"{len(missing)} passages have no punch."
        if silent := set(punches) - set(announced):
            yield f"{len(silent)} punches are not in the journal, so nobody gets them."
        twice = [one for one, n in announced.items() if n > 1]
        if twice:
            yield f"{len(twice)} punches are in the journal twice."
