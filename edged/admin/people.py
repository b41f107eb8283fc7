"""People and their faces: list, show, change, remove, enrol, import, export."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from edged.admin.actor import Actor
from edged.admin.box import Box, opened_library
from edged.admin.rights import Right, needs
from edged.errors import EdgedError
from edged.library.consent import Consent
from edged.library.people import DEFAULT_GROUP, Face, Person, check_id
from edged.library.reader import Page
from edged.library.store import LibraryStore

if TYPE_CHECKING:
    from edged.library.enrol import Enroller, EnrolResult
    from edged.library.importer import FileResult

__all__ = [
    "DEFAULT_GROUP",
    "FolderImport",
    "Keep",
    "PersonFile",
    "Photographed",
    "Removal",
    "change_person",
    "enrol",
    "export_people",
    "import_photographs",
    "list_people",
    "remove_person",
    "show_person",
]

OnDuplicate = Literal["warn", "refuse"]
_EXPORT_PAGE = 1000


class Keep(Enum):
    """Stands for a value that stays as it is, where None is a value of its own."""

    KEEP = "keep"


@dataclass(frozen=True)
class PersonFile:
    """Everything the library has of a person but the templates.

    Attributes:
        faces: each with the path of its photograph, oldest first.
        consents: the ledger, oldest entry first.
        cloud_id: their id in the face cloud; None when they have none.
    """

    person: Person
    faces: tuple[tuple[Face, Path], ...]
    consents: tuple[Consent, ...]
    cloud_id: str | None


@dataclass(frozen=True)
class Photographed:
    """One photograph of several: its result, or why it could not be used."""

    photo: Path
    result: EnrolResult | None
    error: EdgedError | None


@dataclass(frozen=True)
class Removal:
    """A person who is erased here.

    Attributes:
        queued_cloud_id: their id in the cloud while the deletion there is queued; else None.
    """

    person: Person
    queued_cloud_id: str | None


@dataclass(frozen=True)
class FolderImport:
    """An import that has begun.

    Attributes:
        files: how many results there will be.
        results: one after each file; the library is closed at its end.
    """

    files: int
    results: Iterator[FileResult]


@needs(Right.PEOPLE_SEE)
def list_people(
    actor: Actor,
    box: Box,
    *,
    search: str = "",
    group: str | None = None,
    page: int = 1,
    page_size: int = 100,
) -> Page:
    """People in the order of their names; arguments as for `LibraryReader.list_people`."""
    with opened_library(box) as store:
        return store.list_people(search=search, group=group, page=page, page_size=page_size)


@needs(Right.PEOPLE_SEE)
def show_person(actor: Actor, box: Box, person_id: str) -> PersonFile:
    """One person with faces and consents. Raises NotFound (`person_unknown`)."""
    with opened_library(box) as store:
        return _file(store, store.get(person_id))


@needs(Right.PEOPLE_SEE)
def export_people(actor: Actor, box: Box) -> Iterator[PersonFile]:
    """Everybody in the order of their names, one by one. The library stays open until the end."""
    with opened_library(box) as store:
        page = 1
        while people := store.list_people(page=page, page_size=_EXPORT_PAGE).people:
            for person in people:
                yield _file(store, person)
            page += 1


@needs(Right.PEOPLE_CHANGE)
def change_person(
    actor: Actor,
    box: Box,
    person_id: str,
    *,
    name: str | None = None,
    groups: Sequence[str] | None = None,
    valid_from: datetime | Keep | None = Keep.KEEP,
    valid_until: datetime | Keep | None = Keep.KEEP,
    active: bool | None = None,
    note: str | None = None,
) -> Person:
    """Change details of a person; what is not given stays.

    Args:
        groups: the groups from now on, in place of all others.
        valid_from: aware; None removes the limit.
        valid_until: likewise, the first moment after the validity.

    Raises:
        NotFound: `person_unknown`.
        Misconfigured: see `edged.library.people.check_details`.
    """
    with opened_library(box) as store:
        person = store.get(person_id)
        return store.update_person(
            replace(
                person,
                name=person.name if name is None else name,
                groups=person.groups if groups is None else tuple(groups),
                valid_from=person.valid_from if isinstance(valid_from, Keep) else valid_from,
                valid_until=person.valid_until if isinstance(valid_until, Keep) else valid_until,
                active=person.active if active is None else active,
                note=person.note if note is None else note,
            )
        )


@needs(Right.PEOPLE_ERASE)
def remove_person(actor: Actor, box: Box, person_id: str) -> Removal:
    """Erase a person here at once, and queue the deletion in the cloud. Raises NotFound (`person_unknown`).

    `cloud_people.wait_for_erasure` waits for the cloud; `maintenance.forget` erases in records and backups.
    """
    with opened_library(box) as store:
        person, cloud_id = store.get(person_id), store.cloud_id_of(person_id)
        store.remove_person(person_id)
        is_queued = store.cloud_id_of(person_id) is not None
        return Removal(person, cloud_id if is_queued else None)


@needs(Right.PEOPLE_CHANGE)
def enrol(
    actor: Actor,
    box: Box,
    name: str,
    photos: Sequence[Path],
    *,
    person_id: str | None = None,
    groups: Sequence[str] = (),
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
    on_duplicate: OnDuplicate = "warn",
) -> Iterator[Photographed]:
    """Add a person, or further photographs of somebody who is there already; a result for each photograph.

    A validity that is given holds for somebody who was there before, too. After a photograph that cannot be
    used it goes on with the next. Loads OpenCV and the networks into this process; pages use a worker process
    for that.

    Args:
        person_id: made from the name when it is None.
        groups: added to those the person has.

    Raises:
        Misconfigured: `person_id_taken`, or a field cannot be stored.
        EdgedError: see `edged.app.enrolment.open_enroller`.
    """
    from edged.library.enrol import details_for
    from edged.library.importer import read_photo

    with _opened_enroller(box) as enroller:
        details = details_for(
            enroller.store,
            name,
            person_id=person_id,
            groups=tuple(groups),
            valid_from=valid_from,
            valid_until=valid_until,
        )
        for photo in photos:
            try:
                result = enroller.enrol(
                    details, read_photo(photo), file_name=str(photo), on_duplicate=on_duplicate
                )
                yield Photographed(photo, result, None)
            except EdgedError as error:
                yield Photographed(photo, None, error)
        _merge_validity(enroller.store, details.person_id, valid_from, valid_until)


@needs(Right.PEOPLE_CHANGE)
def import_photographs(
    actor: Actor, box: Box, folder: Path, *, group: str = DEFAULT_GROUP, on_duplicate: OnDuplicate = "warn"
) -> FolderImport:
    """Enrol a folder of photographs named USER-GROUP.jpg, one by one as the results are taken.

    Loads OpenCV and the networks into this process; pages use a worker process for that.

    Args:
        group: of files whose name says none.

    Raises:
        Misconfigured: `bad_id` of the group.
        NotFound, NeedsOperator: the folder; see `edged.library.importer.list_files`.
    """
    from edged.library.importer import import_folder, list_files

    check_id(group, "group id")
    files = len(list_files(folder))
    stack = ExitStack()
    enroller = stack.enter_context(_opened_enroller(box))

    def results() -> Iterator[FileResult]:
        with stack:
            yield from import_folder(enroller, folder, default_group=group, on_duplicate=on_duplicate)

    return FolderImport(files, results())


# -- inside


@contextmanager
def _opened_enroller(box: Box) -> Iterator[Enroller]:
    from edged.app.enrolment import open_enroller

    enroller = open_enroller(box.config, box.data_dir, box.clock)
    try:
        yield enroller
    finally:
        enroller.store.close()


def _file(store: LibraryStore, person: Person) -> PersonFile:
    faces = tuple((face, store.photos.path(face.photo)) for face in store.faces(person.person_id))
    return PersonFile(person, faces, store.consents(person.person_id), store.cloud_id_of(person.person_id))


def _merge_validity(
    store: LibraryStore, person_id: str, valid_from: datetime | None, valid_until: datetime | None
) -> None:
    """Give somebody who was there before the limits that are given; the others stay."""
    person = store.find(person_id)
    if person is None:
        return
    limits = (valid_from or person.valid_from, valid_until or person.valid_until)
    if limits != (person.valid_from, person.valid_until):
        store.update_person(replace(person, valid_from=limits[0], valid_until=limits[1]))
