"""Imports a folder of photographs, with one result per file. File names give person and group.

`USER-GROUP.jpg`, `USER.jpg` (group `default`), and for further pictures of the same person
`USER-GROUP-NUMBER.jpg`; `.jpeg` and `.png` as well. Subfolders are not followed. Every file is a
transaction of its own: an interrupted import loses nothing, and a repeated one skips the files done.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from edged.errors import EdgedError, Misconfigured, NeedsOperator, NotFound, TryAnotherShot
from edged.library.enrol import Enroller, OnDuplicate, details_for
from edged.library.people import DEFAULT_GROUP, PersonDetails, id_from_name
from edged.library.store import LibraryStore
from edged.pictures import MAX_BYTES

IMPORTED_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png"})
_NUMBER: Final = re.compile(r"[0-9]{1,3}")

Outcome = Literal["added", "updated", "skipped", "failed"]


@dataclass(frozen=True)
class FileResult:
    """Result of one file.

    Attributes:
        file: its name in the folder.
        outcome: `added` a person, `updated` one (another face or group), `skipped`, `failed`.
        reason: code for `skipped` and `failed`; empty otherwise.
        message: what happened and what to do, for people.
        person_id: the person, if the file name is valid.
        duplicate_of: another person with the same face; see `EnrolResult`.
    """

    file: str
    outcome: Outcome
    reason: str = ""
    message: str = ""
    person_id: str | None = None
    duplicate_of: str | None = None


@dataclass(frozen=True)
class FileName:
    """Person and group from the name of a file."""

    user: str
    group: str


def parse_file_name(stem: str, default_group: str = DEFAULT_GROUP) -> FileName:
    """The file name without its suffix, split on "-" into user and group.

    A third part may be a number of up to three digits: it only tells further pictures of the same person
    apart.

    Raises:
        Misconfigured: more parts, an empty one (code `bad_name`).
    """
    parts = [part.strip() for part in stem.split("-")]
    if len(parts) == 3 and _NUMBER.fullmatch(parts[2]):
        parts.pop()
    if len(parts) == 1:
        parts.append(default_group)
    if len(parts) != 2 or not all(parts):
        raise Misconfigured(
            f"The file name {stem!r} does not say user and group.",
            code="bad_name",
            hint='Name it USER-GROUP.jpg, with "-" only between them, or USER-GROUP-2.jpg for a second one.',
        )
    return FileName(*parts)


def list_files(folder: Path) -> list[str]:
    """Names of all entries of the folder that get a result, sorted; without subfolders.

    Raises:
        NotFound: no such folder (code `folder_missing`).
        NeedsOperator: it cannot be read (code `folder_unreadable`).
    """
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if not entry.is_dir())
    except (FileNotFoundError, NotADirectoryError):
        raise NotFound(
            f"{folder} is not a folder.", code="folder_missing", hint="Name the folder with the pictures."
        ) from None
    except OSError as error:
        raise NeedsOperator(
            f"{folder} cannot be read: {error.strerror}.",
            code="folder_unreadable",
            hint="Check its owner and permissions.",
        ) from error


def import_folder(
    enroller: Enroller,
    folder: Path,
    *,
    default_group: str = DEFAULT_GROUP,
    on_duplicate: OnDuplicate = "warn",
) -> Iterator[FileResult]:
    """Enrol every picture of a folder, yielding a result after each file; a bad file never ends it.

    Args:
        enroller: enrols each picture; the daemon may go on recognising meanwhile.
        folder: read only.
        default_group: group for file names without one.
        on_duplicate: reaction to a face that is enrolled under another person.

    Raises:
        NotFound, NeedsOperator: the folder itself; see `list_files`.
    """
    for name in list_files(folder):
        try:
            yield _import_file(enroller, folder, name, default_group, on_duplicate)
        except EdgedError as error:
            yield FileResult(name, "failed", error.code, str(error))


def _import_file(
    enroller: Enroller, folder: Path, name: str, default_group: str, on_duplicate: OnDuplicate
) -> FileResult:
    path = folder / name
    if name.startswith(".") or path.suffix.lower() not in IMPORTED_SUFFIXES:
        raise TryAnotherShot(
            f"{name} is not a picture that is imported.",
            code="unsupported_file",
            hint="Use .jpg, .jpeg or .png files.",
        )
    details = _details(enroller.store, parse_file_name(path.stem, default_group))
    try:
        result = enroller.enrol(
            details, read_photo(path, inside=folder), file_name=name, on_duplicate=on_duplicate
        )
    except EdgedError as error:
        return FileResult(name, "failed", error.code, str(error), details.person_id)
    if result.outcome == "already_enrolled":
        return FileResult(name, "skipped", result.outcome, "Enrolled before.", details.person_id)
    message = ""
    if result.duplicate_of is not None:
        message = f"The same face is enrolled as {result.duplicate_of}."
    return FileResult(name, result.outcome, "", message, details.person_id, result.duplicate_of)


def _details(store: LibraryStore, file_name: FileName) -> PersonDetails:
    """A user part that is an existing id means that person, whatever their name."""
    groups = (id_from_name(file_name.group, prefix="g"),)
    person_id = id_from_name(file_name.user)
    known = store.find(person_id) if person_id == file_name.user else None
    return details_for(store, known.name if known else file_name.user, person_id=person_id, groups=groups)


def read_photo(path: Path, *, inside: Path | None = None) -> bytes:
    """The bytes of a picture file.

    Args:
        path: the file.
        inside: links must not lead out of this folder.

    Raises:
        NeedsOperator: a link leads out of `inside` (code `link_outside`), or the file cannot be read
            (`picture_unreadable`).
        NotFound: it is not there (`picture_missing`).
        TryAnotherShot: too large (`picture_too_large`), or not a plain file (`unsupported_file`).
    """
    name = path.name
    try:
        if inside is not None and not path.resolve(strict=True).is_relative_to(inside.resolve()):
            raise NeedsOperator(
                f"{name} is a link to a file outside the folder.",
                code="link_outside",
                hint="Copy the picture into the folder.",
            )
        if path.exists() and not path.is_file():
            raise TryAnotherShot(f"{name} is not a plain file.", code="unsupported_file")
        if path.stat().st_size > MAX_BYTES:
            raise TryAnotherShot(
                f"{name} is larger than {MAX_BYTES >> 20} MB.",
                code="picture_too_large",
                hint="Scale it down.",
            )
        return path.read_bytes()
    except (FileNotFoundError, RuntimeError):  # RuntimeError: a link to itself
        raise NotFound(f"{name} is not there.", code="picture_missing") from None
    except OSError as error:
        raise NeedsOperator(
            f"{name} cannot be read: {error.strerror}.",
            code="picture_unreadable",
            hint="Check its owner and permissions.",
        ) from error
