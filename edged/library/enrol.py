"""Enrols photographs: chooses the face, checks its quality, finds duplicates.

Callers pass in the functions that find and measure faces and compute templates; nothing here loads a model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Literal

import numpy as np

from edged.errors import EdgedError, Misconfigured, TryAnotherShot
from edged.events import PRIVATE, Measures
from edged.gallery.templates import Gallery
from edged.library.follower import refresh
from edged.library.people import (
    DEFAULT_GROUP,
    NewFace,
    Person,
    PersonDetails,
    check_details,
    check_name,
    id_from_name,
)
from edged.library.store import LibraryStore
from edged.pictures import decode_picture, sniff
from edged.reasons import describe

COMPARABLE_SIZE: Final = 0.5
"""A second face of at least this share of the largest one makes the photograph ambiguous."""

DUPLICATE_SCORE: Final = 90.0
"""From this score on, two photographs count as the same person (one in 100,000 strangers reaches it)."""

OnDuplicate = Literal["warn", "refuse"]

_SUFFIXES = {"jpeg": ".jpg", "png": ".png", "bmp": ".bmp", "webp": ".webp"}
_MEASURED = {
    "face_too_small": ("face_px", " px"),
    "face_too_uncertain": ("detection", ""),
    "face_incomplete": ("completeness", ""),
    "too_dark": ("illumination", ""),
    "too_bright": ("illumination", ""),
    "yaw_too_large": ("yaw_deg", "°"),
    "pitch_too_large": ("pitch_deg", "°"),
    "roll_too_large": ("roll_deg", "°"),
    "too_blurred": ("blur", ""),
}


@dataclass(frozen=True, eq=False)
class EnrolFace:
    """A face found in a photograph.

    Attributes:
        box: x, y, width, height in pixels of the photograph.
        measures: its quality.
        aligned: 112x112x3 uint8 BGR, as the embedder wants it.
        refusals: codes of the enrolment limits it misses, the deciding one first; empty: good enough.
        limits: the limit for each of these codes.
    """

    box: tuple[float, float, float, float]
    measures: Measures
    aligned: np.ndarray = field(repr=False, metadata=PRIVATE)
    refusals: tuple[str, ...] = ()
    limits: dict[str, float] = field(default_factory=dict)

    @property
    def side(self) -> float:
        """Larger side of the box, pixels."""
        return max(self.box[2], self.box[3])


@dataclass(frozen=True)
class EnrolResult:
    """What enrolling one photograph did.

    Attributes:
        outcome: `added` a person, `updated` one, or `already_enrolled`: nothing changed.
        person_id: owner of the face.
        face_id: the stored face.
        measures: quality of the face; None if it was enrolled before.
        duplicate_of: another person with a face so similar that it may be the same person.
        ignored_faces: number of smaller faces in the background.
    """

    outcome: Literal["added", "updated", "already_enrolled"]
    person_id: str
    face_id: int
    measures: Measures | None = None
    duplicate_of: str | None = None
    ignored_faces: int = 0


class Enroller:
    """Enrols photographs into a library. Use one object from one thread.

    Args:
        store: the library.
        gallery: templates of the embedder's model; refreshed and searched for duplicates.
        read_faces: the faces in a picture (height x width x 3 uint8 BGR), with enrolment limits applied.
        embed: template of an aligned crop, unit float32 (128,).
    """

    def __init__(
        self,
        store: LibraryStore,
        gallery: Gallery,
        read_faces: Callable[[np.ndarray], Sequence[EnrolFace]],
        embed: Callable[[np.ndarray], np.ndarray],
    ) -> None:
        self.store = store
        self._gallery = gallery
        self._read_faces = read_faces
        self._embed = embed

    def enrol(
        self,
        details: PersonDetails,
        photo: bytes,
        *,
        file_name: str = "the picture",
        on_duplicate: OnDuplicate = "warn",
    ) -> EnrolResult:
        """Enrol the person on a photograph.

        A person who is in the library already gets another face and joins the groups; the rest of `details`
        is not used.

        Args:
            details: the person.
            photo: bytes of a picture file, kept unmodified.
            file_name: for messages.
            on_duplicate: reaction to a face that is enrolled under another person: report it, or refuse.

        Raises:
            TryAnotherShot: the picture cannot be read (`picture_…`), shows `no_face` or `several_faces`, is
                not good enough (a quality code such as `face_too_small`), or, refusing duplicates, is of
                somebody else (`duplicate_of_other_person`).
            Misconfigured, NeedsOperator: see `LibraryStore.enrol`.
        """
        if not details.groups and self.store.find(details.person_id) is None:
            details = replace(details, groups=(DEFAULT_GROUP,))
        check_details(details)
        known = self.store.enrolled_with(details.person_id, photo, self._gallery.model_id)
        if known is not None:
            joined = self.store.add_to_groups(details.person_id, details.groups)
            return EnrolResult("updated" if joined else "already_enrolled", details.person_id, known)
        face, ignored = choose_face(self._read_faces(decode_picture(photo, name=file_name)), file_name)
        template = self._embed(face.aligned)
        duplicate_of = self._duplicate_of(details.person_id, template)
        if duplicate_of is not None and on_duplicate == "refuse":
            raise TryAnotherShot(
                f"{file_name} shows a face that is enrolled as {duplicate_of} already.",
                code="duplicate_of_other_person",
                hint="Correct the person id, or remove the other person first.",
            )
        new = NewFace(photo, _SUFFIXES[sniff(photo) or ""], template, self._gallery.model_id, face.measures)
        stored = self.store.enrol(details, new)
        return EnrolResult(
            stored.outcome, details.person_id, stored.face_id, face.measures, duplicate_of, ignored
        )

    def _duplicate_of(self, person_id: str, template: np.ndarray) -> str | None:
        refresh(self.store, self._gallery)
        others = (m for m in self._gallery.search(template, top=2) if m.person_id != person_id)
        nearest = next(others, None)
        return nearest.person_id if nearest is not None and nearest.score >= DUPLICATE_SCORE else None


def choose_face(faces: Sequence[EnrolFace], file_name: str) -> tuple[EnrolFace, int]:
    """The subject's face, and the number of smaller ones in the background that are ignored.

    Raises:
        TryAnotherShot: `no_face`, `several_faces`, or the first quality limit the face missed.
    """
    if not faces:
        raise TryAnotherShot(
            f"{file_name} shows no face.",
            code="no_face",
            hint="Use an upright, well lit photograph of the whole face.",
        )
    largest, *others = sorted(faces, key=lambda face: face.side, reverse=True)
    rivals = sum(face.side >= COMPARABLE_SIZE * largest.side for face in others)
    if rivals:
        raise TryAnotherShot(
            f"{file_name} shows {rivals + 1} faces of similar size.",
            code="several_faces",
            hint="Crop the photograph to the person who is meant.",
        )
    if largest.refusals:
        raise _refusal(largest, file_name)
    return largest, len(others)


def _refusal(face: EnrolFace, file_name: str) -> EdgedError:
    code = face.refusals[0]
    reason = describe(code)
    detail = ""
    measure, unit = _MEASURED.get(code, ("", ""))
    measured = getattr(face.measures, measure) if measure else None
    if measured is not None and code in face.limits:
        detail = f" (measured {measured:.3g}{unit}, limit {face.limits[code]:.3g}{unit})"
    return TryAnotherShot(f"{file_name}: {reason.meaning}{detail}.", code=code, hint=reason.advice)


def details_for(
    store: LibraryStore,
    name: str,
    *,
    person_id: str | None = None,
    groups: tuple[str, ...] = (),
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
) -> PersonDetails:
    """Details of the person called `name`, with an id made from the name unless one is given.

    Raises:
        Misconfigured: the id belongs to somebody with another name (code `person_id_taken`).
    """
    chosen = person_id or id_from_name(name)
    details = PersonDetails(
        person_id=chosen, name=name, groups=groups, valid_from=valid_from, valid_until=valid_until
    )
    check_details(details)
    known = store.find(chosen)
    if known is not None and not _same_name(known, name):
        raise Misconfigured(
            f"The id {chosen} belongs to {known.name}, not to {name}.",
            code="person_id_taken",
            hint="Give this person another id with --id.",
        )
    return details


def _same_name(person: Person, name: str) -> bool:
    return check_name(name) == person.name
