"""The marker of an unfinished erasure: a private file that exists from its beginning to its end.

After an interruption the databases cannot tell any more who the person is, their names, and their consents.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edged.database.errors import from_os_error
from edged.errors import NeedsOperator
from edged.upkeep.files import sync

FILE_NAME = "erasing.json"


@dataclass(frozen=True)
class ErasureMarker:
    """The person, the pseudonym that replaces them, and what the final record says about their consents."""

    person_id: str
    pseudonym: str
    names: list[str]
    consents: list[dict[str, Any]]


def read(data_dir: Path) -> ErasureMarker | None:
    """The unfinished erasure; None when there is none. Raises NeedsOperator (`erasure_damaged`)."""
    file = data_dir / FILE_NAME
    try:
        return ErasureMarker(**json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise from_os_error(error, file) from error
    except (ValueError, TypeError) as error:
        raise NeedsOperator(
            f"{file} cannot be read.",
            code="erasure_damaged",
            hint="Remove it, and repeat the erasure.",
        ) from error


def write(data_dir: Path, started: ErasureMarker) -> None:
    """Write the marker entirely or not at all, on the disk on return. Raises NeedsOperator."""
    file, incoming = data_dir / FILE_NAME, _incoming(data_dir)
    try:
        descriptor = os.open(incoming, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with open(descriptor, "w", encoding="utf-8") as opened:
            json.dump(asdict(started), opened)
        sync(incoming)
        os.replace(incoming, file)
        sync(data_dir)
    except OSError as error:
        incoming.unlink(missing_ok=True)
        raise from_os_error(error, file) from error


def remove(data_dir: Path) -> None:
    """Remove the marker at the end of the erasure."""
    for file in (data_dir / FILE_NAME, _incoming(data_dir)):
        file.unlink(missing_ok=True)


def belongs(file: Path) -> bool:
    """Whether a file is the marker, which names the person until the end."""
    return file.name in (FILE_NAME, _incoming(file.parent).name)


def _incoming(data_dir: Path) -> Path:
    return data_dir / f"{FILE_NAME}.new"
