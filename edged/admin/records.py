"""What was recorded: list, explain, export, verify. Reads only, also while the daemon runs."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal, TextIO

from edged.admin.actor import Actor
from edged.admin.box import Box
from edged.admin.rights import Right, needs
from edged.errors import NeedsOperator, NotFound
from edged.journal import (
    UNDECIDED,
    Explanation,
    JournalReader,
    explain,
    journal_path,
    render,
    sentence,
)
from edged.reasons import describe
from edged.record import Record
from edged.spreadsheets import disarmed

__all__ = [
    "CSV_COLUMNS",
    "DECISION",
    "UNDECIDED",
    "PassageStory",
    "RecordFilter",
    "explain_passage",
    "export_records",
    "list_records",
    "render",
    "sentence",
    "verify_records",
]

CSV_COLUMNS: Final = (
    "seq", "at", "event", "outcome", "person_id", "person_name", "score", "threshold", "reason", "meaning",
    "door_id", "camera_id", "passage_id", "decision_id",
)  # fmt: skip
DECISION: Final = "access_decided"
Format = Literal["csv", "jsonl"]


@dataclass(frozen=True, kw_only=True)
class RecordFilter:
    """Which records are meant; None: any.

    Attributes:
        since, until: aware; from `since` on, up to and without `until`.
        person: a person id.
        outcome: `granted`, `denied`, or `undecided`: passages without a decision.
        event: name of an event, see `inputs.check_event_name`.
    """

    since: datetime | None = None
    until: datetime | None = None
    person: str | None = None
    outcome: str | None = None
    event: str | None = None


@dataclass(frozen=True)
class PassageStory:
    """One passage explained, and the records it was explained from."""

    explanation: Explanation
    records: tuple[Record, ...]


@needs(Right.RECORDS_SEE)
def list_records(
    actor: Actor, box: Box, wanted: RecordFilter, *, passages: bool = False, limit: int | None = 100
) -> list[Record]:
    """Records, the newest first.

    Args:
        passages: one record a passage: its decision, or else its end.
        limit: at most so many; None for all.

    Raises:
        NotFound: there is no journal yet.
        NeedsOperator: `database_corrupt` and others; see `JournalReader.open_readonly`.
    """
    with _journal(box) as journal:
        return journal.list(**vars(wanted), passages=passages, limit=limit)


@needs(Right.RECORDS_SEE)
def export_records(actor: Actor, box: Box, wanted: RecordFilter, kind: Format, output: Path | TextIO) -> int:
    """Write records, the oldest first; how many. CSV holds no text that a spreadsheet would run.

    Args:
        output: a file, or a stream that is open for text.

    Raises:
        NotFound: there is no journal yet; no file is made then.
        NeedsOperator: `export_not_written`, or as `list_records`.
    """
    with _journal(box) as journal:
        found = journal.iterate(**vars(wanted))
        if not isinstance(output, Path):
            return _WRITERS[kind](found, output)
        try:
            with output.open("w", encoding="utf-8", newline="") as file:
                return _WRITERS[kind](found, file)
        except OSError as error:
            raise NeedsOperator(
                f"{output} cannot be written ({error.strerror}).",
                code="export_not_written",
                hint="Name another file, or `-` for standard output.",
            ) from error


@needs(Right.RECORDS_SEE)
def explain_passage(actor: Actor, box: Box, identifier: str) -> PassageStory:
    """The whole story of one passage: why the gate opened, or did not.

    Args:
        identifier: a passage or decision id, its beginning, or the seq of a record of it.

    Raises:
        NotFound: nothing is called that, or the record belongs to no passage (`record_without_passage`).
    """
    with _journal(box) as journal:
        found = journal.find(identifier)
    if not any(record.passage_id or record.decision_id for record in found):
        event = found[0].event
        raise NotFound(
            f"Record {identifier} is {event}, which belongs to no passage.",
            code="record_without_passage",
            hint=f"`edged records list` shows passages, with `--event {event} --json` records like this one.",
        )
    return PassageStory(explain(found), tuple(found))


@needs(Right.RECORDS_SEE)
def verify_records(actor: Actor, box: Box) -> int:
    """How many records there are, when none is missing and the file is undamaged.

    Raises:
        NeedsOperator: `journal_damaged`, with everything that is wrong.
    """
    with _journal(box) as journal:
        problems, count = journal.verify(), journal.count()
    if problems:
        raise NeedsOperator(
            " ".join(problems),
            code="journal_damaged",
            hint="Copy the data directory before anything else, then look for disk errors in `dmesg`.",
        )
    return count


# -- inside


@contextmanager
def _journal(box: Box) -> Iterator[JournalReader]:
    journal = JournalReader.open_readonly(journal_path(box.data_dir))
    try:
        yield journal
    finally:
        journal.close()


def _write_csv(records: Iterator[Record], file: TextIO) -> int:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    count = 0
    for record in records:
        writer.writerow(disarmed(value) if isinstance(value, str) else value for value in _csv_values(record))
        count += 1
    return count


def _csv_values(record: Record) -> Iterator[Any]:
    fields = {**record.to_dict(), "reason": record.reason}
    fields["meaning"] = describe(record.reason).meaning if record.reason else None
    return (fields.get(column) for column in CSV_COLUMNS)


def _write_jsonl(records: Iterator[Record], file: TextIO) -> int:
    count = 0
    for record in records:
        file.write(json.dumps(record.to_dict(), ensure_ascii=False) + "\n")
        count += 1
    return count


_WRITERS: Final[dict[Format, Callable[[Iterator[Record], TextIO], int]]] = {
    "csv": _write_csv,
    "jsonl": _write_jsonl,
}
