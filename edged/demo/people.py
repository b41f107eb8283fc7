"""Enrols the people of the scene and those named on the command line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edged.app.enrolment import open_enroller
from edged.clock import Clock
from edged.config import Config
from edged.demo.photographs import enrolments
from edged.errors import Misconfigured, NeedsOperator, NotFound
from edged.library.enrol import details_for

GROUP = "demo"
_MARKER = "edged-demo"


@dataclass(frozen=True)
class Enrolment:
    """One `--enrol NAME=PHOTO`."""

    name: str
    photo: Path


def parse_enrolment(text: str) -> Enrolment:
    """`NAME=PHOTO` to its parts. Raises Misconfigured (code `enrolment_malformed`) for anything else."""
    name, separator, photo = text.partition("=")
    if not (separator and name.strip() and photo.strip()):
        raise Misconfigured(
            f"--enrol {text!r} is not NAME=PHOTO.",
            code="enrolment_malformed",
            hint="For example --enrol Ann=ann.jpg.",
        )
    return Enrolment(name.strip(), Path(photo.strip()))


def claim_data_dir(data_dir: Path) -> None:
    """Make the folder and mark it as the demo's.

    Raises:
        Misconfigured: it holds the library of a real door (code `data_dir_not_demo`), to which the demo would
            add its own people.
    """
    marker = data_dir / _MARKER
    if (data_dir / "library.db").exists() and not marker.exists():
        raise Misconfigured(
            f"{data_dir} belongs to a real installation; the demo would add its people to that library.",
            code="data_dir_not_demo",
            hint="Give the demo a folder of its own with --data-dir, or unset EDGED_DATA_DIR.",
        )
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        marker.touch()
    except OSError as error:
        raise NeedsOperator(
            f"The folder {data_dir} cannot be used: {error.strerror}.",
            code="data_dir_unusable",
            hint="Choose another one with --data-dir.",
        ) from error


def enrol_all(config: Config, clock: Clock, people: list[Enrolment], *, scene: bool) -> None:
    """Enrol `people`, and those of the scene when `scene` is to be played.

    Raises:
        EdgedError: a photograph is missing or unusable; the message names it.
    """
    enroller = open_enroller(config, config.data_dir, clock)
    try:
        if scene:
            for person_id, (name, photo) in enrolments().items():
                details = details_for(enroller.store, name, person_id=person_id, groups=(GROUP,))
                enroller.enrol(details, photo.read_bytes(), file_name=photo.name)
        for person in people:
            details = details_for(enroller.store, person.name, groups=(GROUP,))
            enroller.enrol(details, _read(person.photo), file_name=str(person.photo))
    finally:
        enroller.store.close()


def _read(photo: Path) -> bytes:
    try:
        return photo.read_bytes()
    except OSError as error:
        raise NotFound(
            f"The photograph {photo} cannot be read: {error.strerror}.",
            code="picture_missing",
            hint="Check the path after the = of --enrol.",
        ) from error
