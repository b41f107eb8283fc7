"""Traces of a person, collected before the erasure so that the proof can search for them after it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from edged.clock import iso
from edged.errors import NotFound
from edged.journal import Journal
from edged.journal.redaction import Identity, names_of
from edged.library.store import LibraryStore
from edged.upkeep.erasure.scan import Needle, part_needles, text_needles
from edged.upkeep.files import SNAPSHOTS


@dataclass
class Traces:
    """A person as one data directory has them.

    Attributes:
        names: every name they have or had.
        others: ids and names of other people, which may contain theirs.
        needles: templates and pictures.
        consents: their entries of the ledger, without the witnesses.
        in_library: the library has them.
        photographs: number of their photographs.
    """

    person_id: str
    names: set[str] = field(default_factory=set)
    others: set[str] = field(default_factory=set)
    needles: list[Needle] = field(default_factory=list)
    consents: list[dict[str, object]] = field(default_factory=list)
    in_library: bool = False
    photographs: int = 0

    @property
    def identity(self) -> Identity:
        """Id and names."""
        return Identity(self.person_id, frozenset(self.names))

    def all_needles(self) -> Iterator[Needle]:
        """Everything to search for."""
        yield from text_needles("id", [self.person_id], self.others)
        folded = {name.casefold() for name in self.names}
        yield from text_needles("name", self.names | folded, self.others)
        yield from self.needles


def library_traces(store: LibraryStore, traces: Traces) -> None:
    """Add the traces of the person in the library, and the ids and names of everybody else."""
    page = 1
    while people := store.list_people(page=page, page_size=1000).people:
        for person in people:
            if person.person_id != traces.person_id:
                traces.others.update((person.person_id, person.name, person.name.casefold()))
        page += 1
    try:
        person = store.get(traces.person_id)
    except NotFound:
        return
    traces.in_library = True
    traces.names.add(person.name)
    ledger = store.consents(traces.person_id)
    traces.consents = traces.consents or [
        {"purpose": entry.purpose, "given": entry.given, "at": iso(entry.at)} for entry in ledger
    ]
    for (template,) in store.database.query(
        "SELECT template FROM faces WHERE person_id = ?", [traces.person_id]
    ):
        traces.needles.extend(part_needles("template", bytes(template)))
    for face in store.faces(traces.person_id):
        _picture(store.photos.path(face.photo), "photograph", traces)
        traces.photographs += 1


def journal_traces(journal: Journal, data_dir: Path, traces: Traces) -> None:
    """Add the traces of the person in the records, and the ids of everybody else."""
    traces.names |= names_of(journal, traces.person_id)
    for (person_id,) in journal.database.query(
        "SELECT DISTINCT person_id FROM records WHERE person_id IS NOT NULL"
    ):
        if person_id != traces.person_id:
            traces.others.add(person_id)
    for (digest,) in journal.database.query(
        "SELECT DISTINCT hash FROM snapshots WHERE decision_id IN "
        "(SELECT decision_id FROM records WHERE person_id = ?)",
        [traces.person_id],
    ):
        _picture(data_dir / SNAPSHOTS / digest[:2] / f"{digest}.jpg", "snapshot", traces)


def _picture(path: Path, what: str, traces: Traces) -> None:
    if path.is_file():
        traces.needles.extend(part_needles(what, path.read_bytes()))
        traces.needles.append(Needle(f"name of a {what}", path.stem.encode()))
