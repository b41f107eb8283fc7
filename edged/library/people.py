"""People, groups and faces: fields, permitted values, and ids made from names. No storage."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from edged.errors import Misconfigured
from edged.events import Measures

if TYPE_CHECKING:
    import numpy as np

MAX_NAME_CHARS: Final = 128
MAX_NOTE_CHARS: Final = 512
MAX_FACES_PER_PERSON: Final = 20  # limit of a user in a group: docs/reference/face-api.md 6.2
DEFAULT_GROUP: Final = "default"
RESERVED_IDS: Final = frozenset({"all", "self", "me", "this", "next"})  # reserved words of the face API
_ID = re.compile(r"[A-Za-z0-9_-]{1,48}")


@dataclass(frozen=True, kw_only=True)
class PersonDetails:
    """Details of a person, to add or change them.

    Attributes:
        person_id: 1-48 of `A-Z a-z 0-9 _ -`.
        name: 1-128 characters of any script.
        groups: group ids; missing groups are made.
        valid_from: first moment of validity, aware; None: no limit.
        valid_until: first moment after validity, aware; None: no limit.
        active: False denies access without erasing the person.
    """

    person_id: str
    name: str
    groups: tuple[str, ...] = ()
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    active: bool = True
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Person(PersonDetails):
    """A person as stored."""

    faces: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, eq=False)
class NewFace:
    """A face to store.

    Attributes:
        photo: bytes of the picture file, kept unmodified.
        suffix: suffix of its format, e.g. `.jpg`.
        template: unit vector, float32 (128,).
        model_id: the embedding model that made the template.
        measures: quality of the face in the photograph.
    """

    photo: bytes
    suffix: str
    template: np.ndarray
    model_id: str
    measures: Measures


@dataclass(frozen=True)
class Face:
    """A stored face without its template, which only the gallery gets."""

    face_id: int
    person_id: str
    photo: str
    model_id: str
    measures: Measures
    created_at: datetime


def check_id(value: str, what: str = "person id") -> str:
    """`value`, if it is a valid id of a person or group.

    Raises:
        Misconfigured: it is not (code `bad_id`).
    """
    if not _ID.fullmatch(value):
        raise Misconfigured(
            f"{value!r} cannot be a {what}.", code="bad_id", hint="Use 1 to 48 of A-Z a-z 0-9 _ and -."
        )
    if value.lower() in RESERVED_IDS:
        raise Misconfigured(
            f"{value!r} is reserved and cannot be a {what}.", code="bad_id", hint="Add a number."
        )
    return value


def check_name(value: str) -> str:
    """`value` in NFC and without surrounding blanks, if it is a valid name.

    Raises:
        Misconfigured: empty, longer than 128 characters or with control characters (code `bad_name`).
    """
    name = unicodedata.normalize("NFC", value).strip()
    if not 1 <= len(name) <= MAX_NAME_CHARS:
        raise Misconfigured(
            f"A name needs 1 to {MAX_NAME_CHARS} characters; this one has {len(name)}.", code="bad_name"
        )
    if any(unicodedata.category(c) in ("Cc", "Cs") for c in name):
        raise Misconfigured(
            f"The name {name!r} contains a character that cannot be shown.",
            code="bad_name",
            hint="Remove it.",
        )
    return name


def check_details(details: PersonDetails) -> None:
    """Check that `details` can be stored.

    Raises:
        Misconfigured: `bad_id`, `bad_name`, `bad_validity` or `bad_note`.
    """
    check_id(details.person_id)
    check_name(details.name)
    for group in details.groups:
        check_id(group, "group id")
    start, end = details.valid_from, details.valid_until
    if any(moment is not None and moment.tzinfo is None for moment in (start, end)):
        raise ValueError("validity needs aware times")
    if start is not None and end is not None and end <= start:
        raise Misconfigured(
            f"The validity ends ({end:%Y-%m-%d %H:%M}) before it begins ({start:%Y-%m-%d %H:%M}).",
            code="bad_validity",
        )
    if len(details.note) > MAX_NOTE_CHARS:
        raise Misconfigured(f"A note has at most {MAX_NOTE_CHARS} characters.", code="bad_note")


def id_from_name(name: str, *, prefix: str = "p") -> str:
    """An id made from a name; the same name gives the same id on every box.

    `Anna Schmidt` -> `Anna_Schmidt`; a name with anything but ASCII letters, digits, `_`, `-` and blanks, too
    long or reserved -> `p_` and 8 hexadecimal digits of its SHA-256.
    """
    name = check_name(name)
    plain = re.sub(r"\s+", "_", name)
    if _ID.fullmatch(plain) and plain.lower() not in RESERVED_IDS:
        return plain
    return f"{prefix}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def fold(text: str) -> str:
    """`text` in the form that searches compare: composed, without case and width."""
    return unicodedata.normalize("NFKC", text).casefold()
