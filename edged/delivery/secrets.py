"""Keys and passwords of the targets: where they come from, and how they stay out of every text."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from edged.errors import Misconfigured, NeedsOperator

ENV_PREFIX = "EDGED_DELIVERY_"
CREDENTIAL_PREFIX = "delivery_"
MASK = "***"
NAMES = ("secret", "token", "password", "api_key", "api_secret")
_MOST_BYTES = 64 * 1024
_SHAPE = re.compile(r"[\x20-\x7e]{1,1024}")


class Secret:
    """A text that shows itself only when asked to."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text, to be sent or signed with and nothing else."""
        return self._text

    def hide_in(self, text: str) -> str:
        """`text` with the secret masked."""
        return text.replace(self._text, MASK)

    def __repr__(self) -> str:
        return f"Secret({MASK})"


class TargetSecrets:
    """The secrets of one target, each from the first place that has it.

    In this order: the environment (`EDGED_DELIVERY_OFFICE_SECRET` for `secret` of the target `office`),
    systemd credentials (`delivery_office_secret` in `$CREDENTIALS_DIRECTORY`), the file
    (`office: {secret: …}`).

    Args:
        target: name of the target.
        file: `delivery.secrets_file`.
        environ: usually `os.environ`.
    """

    def __init__(self, target: str, file: Path | None, environ: Mapping[str, str]) -> None:
        self._target = target
        self._file = file
        self._environ = environ

    def find(self, name: str) -> Secret | None:
        """The secret `name` (one of `NAMES`), or None where no place has it.

        Raises:
            Misconfigured: `delivery_secret`, `delivery_secrets_file`: unreadable, open to others, or not one
                line of text. The message says where, never what.
            NeedsOperator: the system does not let us read it.
        """
        variable = f"{ENV_PREFIX}{self._target}_{name}".upper().replace("-", "_")
        if text := self._environ.get(variable):
            return _checked(text, variable)
        directory = self._environ.get("CREDENTIALS_DIRECTORY")
        credential = f"{CREDENTIAL_PREFIX}{self._target}_{name}"
        if directory and (text := _credential(Path(directory) / credential)):
            return _checked(text, f"the systemd credential {credential}")
        if self._file is not None and (text := self._in_file(self._file).get(name)):
            return _checked(text, f"{name} of {self._target} in {self._file}")
        return None

    def need(self, name: str) -> Secret:
        """As `find`. Raises Misconfigured (`delivery_secret_missing`) where it is nowhere."""
        found = self.find(name)
        if found is None:
            variable = f"{ENV_PREFIX}{self._target}_{name}".upper().replace("-", "_")
            raise Misconfigured(
                f"The target {self._target} has no {name}.",
                code="delivery_secret_missing",
                hint=f"Put it into delivery.secrets_file (`{self._target}: {{{name}: …}}`), the systemd "
                f"credential {CREDENTIAL_PREFIX}{self._target}_{name}, or {variable}.",
            )
        return found

    def _in_file(self, file: Path) -> dict[str, str]:
        try:
            value = yaml.safe_load(read_private(file))
        except (yaml.YAMLError, UnicodeDecodeError):  # its text would repeat the line, and with it the secret
            value = "not YAML"
        mine: Any = value.get(self._target) if isinstance(value, dict) else value
        if mine is None:
            return {}
        if not isinstance(mine, dict) or not all(isinstance(text, str) for text in mine.values()):
            raise _bad_file(file, f"does not hold texts for {self._target} (put numbers in quotes)")
        if unknown := sorted(set(map(str, mine)) - set(NAMES)):
            raise _bad_file(file, f"holds {len(unknown)} unknown keys for {self._target}")
        return mine


def _checked(text: str, place: str) -> Secret:
    text = text.strip()
    if not _SHAPE.fullmatch(text):
        raise Misconfigured(
            f"{place} is not one line of plain characters.",
            code="delivery_secret",
            hint="Copy the secret again.",
        )
    return Secret(text)


def _credential(path: Path) -> str | None:
    try:
        return path.read_bytes()[:_MOST_BYTES].decode("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError):
        raise NeedsOperator(
            f"The systemd credential {path.name} cannot be read.",
            code="delivery_secret",
            hint="Check LoadCredential= in the unit.",
        ) from None


def read_private(path: Path) -> bytes:
    """Content of a file that nobody else can read.

    Raises:
        Misconfigured: `delivery_secrets_file`: it is missing, too large, no file, of another owner (root may
            own it), or others may read or write it.
        NeedsOperator: `delivery_secrets_file`: the system does not let us read it.
    """
    try:
        # not waiting: opening a named pipe would, for ever
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise _bad_file(path, "is no regular file")
            if status.st_uid not in (0, os.geteuid()):
                raise _bad_file(path, "belongs to somebody else")
            if status.st_mode & 0o077:
                raise _bad_file(path, f"may be used by others (mode {stat.S_IMODE(status.st_mode):04o})")
            content = stream.read(_MOST_BYTES + 1)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise _bad_file(path, "is not there") from None
    except OSError as error:
        raise NeedsOperator(
            f"{path} cannot be read: {error.strerror}.",
            code="delivery_secrets_file",
            hint="It must belong to the user edged runs as.",
        ) from None
    if len(content) > _MOST_BYTES:
        raise _bad_file(path, "is too large")
    return content


def _bad_file(path: Path, what: str) -> Misconfigured:
    return Misconfigured(
        f"{path} {what}.",
        code="delivery_secrets_file",
        hint=f"It must be YAML with a section for each target, and private: chmod 600 {path}.",
    )
