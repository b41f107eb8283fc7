"""How `edged people` shows people, photographs and imports: tables, progress and JSON. No commands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from edged.admin.people import PersonFile
from edged.cli.common import printable
from edged.clock import iso
from edged.library.consent import Consent, current
from edged.library.people import Face, Person
from edged.library.reader import Page

if TYPE_CHECKING:
    from edged.library.enrol import EnrolResult
    from edged.library.importer import FileResult


def print_json(value: dict[str, Any]) -> None:
    """One object as one line on standard output."""
    text = json.dumps(value, ensure_ascii=False)
    typer.echo(text.encode("utf-8", "replace").decode())  # a file name need not be UTF-8


def print_result(photo: Path, result: EnrolResult) -> None:
    """The outcome of one photograph; a likely duplicate as a warning on standard error."""
    text = f"{result.outcome.replace('_', ' ')} {result.person_id}: {printable(str(photo))}"
    if result.measures is not None:
        text += f", face of {result.measures.face_px:.0f} px"
    if result.ignored_faces:
        text += f", {result.ignored_faces} smaller face(s) in the background ignored"
    typer.echo(text)
    if result.duplicate_of is not None:
        typer.echo(f"warning: the same face is enrolled as {result.duplicate_of}", err=True)


def print_people(found: Page) -> None:
    """A page of people as a table."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("id", "name", "groups", "faces", "valid", box=None, pad_edge=False)
    for person in found.people:
        cells = (
            person.person_id,
            person.name,
            ", ".join(person.groups),
            str(person.faces),
            validity(person),
        )
        table.add_row(*(Text(printable(cell)) for cell in cells))
    Console().print(table)
    typer.echo(f"{found.total} people, page {found.page} of {found.pages}")


def print_import(results: Iterator[FileResult], total: int) -> Iterator[FileResult]:
    """Pass results through under a progress bar, then show those that need looking at."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
    from rich.table import Table
    from rich.text import Text

    notable = []
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        for result in progress.track(results, total=total):
            if result.outcome == "failed" or result.duplicate_of:
                notable.append(result)
            yield result
    if notable:
        table = Table("file", "outcome", "reason", "what to do", box=None, pad_edge=False)
        for result in notable:
            reason = result.reason or "duplicate"
            cells = (result.file, result.outcome, reason, result.message)
            table.add_row(*(Text(printable(cell)) for cell in cells))
        Console().print(table)


def print_import_json(results: Iterator[FileResult], total: int) -> Iterator[FileResult]:
    """Pass results through, each as a line of JSON."""
    for result in results:
        print_json(asdict(result))
        yield result


def person_dict(person: Person) -> dict[str, Any]:
    """A person as `--json` shows them."""
    fields = asdict(person)
    for key, value in fields.items():
        if isinstance(value, datetime):
            fields[key] = iso(value)
    return fields


def face_dict(face: Face, photo: Path) -> dict[str, Any]:
    """A face as `--json` shows it, with the path of its photograph."""
    return {**asdict(face), "photo": str(photo), "created_at": iso(face.created_at)}


def file_dict(file: PersonFile) -> dict[str, Any]:
    """Everything of a person as `people export` shows it."""
    return {
        **person_dict(file.person),
        "cloud_id": file.cloud_id,
        "consents": [consent_dict(entry) for entry in file.consents],
        "face_list": [face_dict(face, photo) for face, photo in file.faces],
    }


def consent_dict(entry: Consent) -> dict[str, Any]:
    """An entry of the ledger as `--json` shows it."""
    return {**asdict(entry), "at": iso(entry.at)}


def consents_text(ledger: tuple[Consent, ...]) -> str:
    """Consents that stand now, by purpose."""
    stands = current(ledger).items()
    return ", ".join(f"{purpose}: {'given' if given else 'withdrawn'}" for purpose, given in stands) or "-"


def validity(person: Person) -> str:
    """When the person is valid, in the time of this box."""
    if not person.active:
        return "switched off"
    start = f"from {person.valid_from.astimezone():%Y-%m-%d %H:%M}" if person.valid_from else ""
    end = f"until {person.valid_until.astimezone():%Y-%m-%d %H:%M}" if person.valid_until else ""
    return f"{start} {end}".strip() or "always"


def readable(value: Any) -> str:
    """A value of `person_dict` for a person to read."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) if isinstance(value, list | tuple) else printable(str(value))
