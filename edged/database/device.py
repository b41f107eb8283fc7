"""The identity of this box: made once, kept in its data directory, part of records, uploads and backups."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path

from edged.database.errors import from_os_error
from edged.errors import NeedsOperator

FILE_NAME = "device-id"
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # without i, l, o, u: people read it aloud on the telephone
_ID = re.compile(r"b_[0-9a-hj-km-np-tv-z]{16}")


def device_id(data_dir: Path) -> str:
    """The id of the box whose data directory this is, e.g. `b_7k2m9x0c4v1n8q5t`; made when there is none.

    Raises:
        NeedsOperator: the file holds something else (`device_id_damaged`), or the disk (see `Database.open`).
    """
    known = read_device_id(data_dir)
    return known if known is not None else write_device_id(data_dir, _new())


def read_device_id(data_dir: Path) -> str | None:
    """The id of the box; None when there is none yet. Raises NeedsOperator as `device_id`."""
    path = data_dir / FILE_NAME
    try:
        text = path.read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise from_os_error(error, path) from error
    if not _ID.fullmatch(text):
        raise NeedsOperator(
            f"{path} does not hold the id of this box.",
            code="device_id_damaged",
            hint="Put the id back (`edged verify` shows the one in the journal), or restore a backup.",
        )
    return text


def write_device_id(data_dir: Path, device: str) -> str:
    """Give the box the id `device`, on the disk on return. Raises NeedsOperator."""
    path = data_dir / FILE_NAME
    incoming = path.with_name(f".{FILE_NAME}.{os.getpid()}")
    try:
        descriptor = os.open(incoming, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with open(descriptor, "w", encoding="ascii") as file:
            file.write(device + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(incoming, path)
    except OSError as error:
        raise from_os_error(error, path) from error
    return device


def _new() -> str:
    return "b_" + "".join(secrets.choice(_ALPHABET) for _ in range(16))
