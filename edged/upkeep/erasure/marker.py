"""An erasure that has begun, written down until it is finished. Private, and removed at the end.

After an interruption the databases cannot tell any more who was meant, what they were called, and what they
had agreed to.
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
class Begun:
    """Who is being erased, what stands for them from now on, and what is said of them in the end."""

    person_id: str
    pseudonym: str
    names: list[str]
    consents: list[dict[str, Any]]


def read(data_dir: Path) -> Begun | None:
    """The erasure that was interrupted; None when there is none. Raises NeedsOperator (`erasure_damaged`)."""
    file = data_dir / FILE_NAME
    try:
        return Begun(**json.loads(file.read_text(encoding="utf-8")))
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


def write(data_dir: Path, begun: Begun) -> None:
    """Write it down, whole or not at all, on the disk on return. Raises NeedsOperator."""
    file, incoming = data_dir / FILE_NAME, _incoming(data_dir)
    try:
        descriptor = os.open(incoming, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with open(descriptor, "w", encoding="utf-8") as opened:
            json.dump(asdict(begun), opened)
        sync(incoming)
        os.replace(incoming, file)
        sync(data_dir)
    except OSError as error:
        incoming.unlink(missing_ok=True)
        raise from_os_error(error, file) from error


def remove(data_dir: Path) -> None:
    """It is finished."""
    for file in (data_dir / FILE_NAME, _incoming(data_dir)):
        file.unlink(missing_ok=True)


def belongs(file: Path) -> bool:
    """Whether a file is one of these, which name the person until the end."""
    return file.name in (FILE_NAME, _incoming(file.parent).name)


def _incoming(data_dir: Path) -> Path:
    return data_dir / f"{FILE_NAME}.new"
