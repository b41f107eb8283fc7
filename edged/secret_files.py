"""Reads secrets from systemd credentials and private files. No message holds a secret.

The callers know their secrets and what each is for.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from edged.errors import Misconfigured, NeedsOperator

MASK: Final = "***"
_MOST_BYTES: Final = 64 * 1024


class Secret:
    """A text that only `reveal` shows. Equal texts are equal secrets."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text, only for sending or signing."""
        return self._text

    def hide_in(self, text: str) -> str:
        """`text` with the secret masked."""
        return text.replace(self._text, MASK)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return f"Secret({MASK})"


@dataclass(frozen=True)
class SecretReader:
    """Reads the secrets of one part of edged. No message holds a secret, or a line that could hold one.

    Attributes:
        part: `cloud` or `delivery`; begins the names of its credentials and its error codes,
            `PART_secret` and `PART_secrets_file`.
        shape: pattern of a secret; `odd`, `copied`: message and hint for a text of another shape.
        file_holds: expected content of its file, in the words of the hint.
    """

    part: str
    shape: re.Pattern[str]
    odd: str
    copied: str
    file_holds: str

    def checked(self, text: str, place: str) -> Secret:
        """The secret found at `place`. Raises Misconfigured if it has another shape."""
        text = text.strip()
        if not self.shape.fullmatch(text):
            raise Misconfigured(f"{place} {self.odd}.", code=f"{self.part}_secret", hint=self.copied)
        return Secret(text)

    def credential(self, environ: Mapping[str, str], name: str) -> Secret | None:
        """The systemd credential `PART_name`; None: missing or empty.

        Raises:
            Misconfigured: it has not the shape of a secret.
            NeedsOperator: it cannot be read.
        """
        directory = environ.get("CREDENTIALS_DIRECTORY")
        path = Path(directory or "") / f"{self.part}_{name}"
        place = f"the systemd credential {path.name}"
        try:
            text = path.read_bytes()[:_MOST_BYTES].decode("utf-8") if directory else ""
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError):
            raise NeedsOperator(
                f"{place} cannot be read.",
                code=f"{self.part}_secret",
                hint="Check LoadCredential= in the unit.",
            ) from None
        return self.checked(text, place) if text else None

    def yaml(self, path: Path) -> Any:
        """Content of the private YAML file. Raises as `private`, also if it is not YAML."""
        try:
            return yaml.safe_load(self.private(path))
        except (yaml.YAMLError, UnicodeDecodeError):  # its text would show the line, and with it the secret
            raise self.bad_file(path, "is not YAML") from None

    def private(self, path: Path, *, handed_over: bool = False) -> bytes:
        """Content of a file that only its owner can read.

        Args:
            handed_over: systemd provides the file; do not check owner and mode.

        Raises:
            Misconfigured: it is missing, too large, no file, of another owner (root may own it), or others
                may read or write it.
            NeedsOperator: the system denies access.
        """
        try:
            # without O_NONBLOCK, opening a named pipe would wait for ever
            with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as stream:
                status = os.fstat(stream.fileno())
                if not stat.S_ISREG(status.st_mode):
                    raise self.bad_file(path, "is no regular file")
                if not handed_over and status.st_uid not in (0, os.geteuid()):
                    raise self.bad_file(path, "belongs to somebody else")
                if not handed_over and status.st_mode & 0o077:
                    mode = stat.S_IMODE(status.st_mode)
                    raise self.bad_file(path, f"may be used by others (mode {mode:04o})")
                content = stream.read(_MOST_BYTES + 1)
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise self.bad_file(path, "is not there") from None
        except OSError as error:
            raise NeedsOperator(
                f"{path} cannot be read: {error.strerror}.",
                code=f"{self.part}_secrets_file",
                hint="It must belong to the user edged runs as.",
            ) from None
        if len(content) > _MOST_BYTES:
            raise self.bad_file(path, "is too large")
        return content

    def bad_file(self, path: Path, what: str) -> Misconfigured:
        """The error for an unusable file; the caller raises it."""
        return Misconfigured(
            f"{path} {what}.",
            code=f"{self.part}_secrets_file",
            hint=f"It must be YAML with {self.file_holds}, and private: chmod 600 {path}.",
        )
