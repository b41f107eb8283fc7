"""Keys and tokens: where they come from, and how they stay out of every text. Nothing is sent here."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import yaml

from edged.errors import Misconfigured, NeedsOperator

ENV_PREFIX = "EDGED_CLOUD_"
CREDENTIAL_PREFIX = "cloud_"
MASK = "***"
_MOST_BYTES = 64 * 1024
_SHAPE = re.compile(r"[\x21-\x7e]{1,1024}")


class Secret:
    """A text that shows itself only when asked to. Equal texts are equal secrets."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text, to be sent and nothing else."""
        return self._text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return f"Secret({MASK})"


@dataclass(frozen=True)
class Secrets:
    """What was found: the pair of an application, or a token; None: not given."""

    api_key: Secret | None = None
    secret_key: Secret | None = None
    token: Secret | None = None


def hide(text: str, *hidden: Secret) -> str:
    """`text` with every one of `hidden` masked."""
    for secret in hidden:
        text = text.replace(secret.reveal(), MASK)
    return text


def load_secrets(file: Path | None, environ: Mapping[str, str]) -> Secrets:
    """Read every secret from the first place that has it.

    In this order: the environment (`EDGED_CLOUD_API_KEY`, `EDGED_CLOUD_SECRET_KEY`, `EDGED_CLOUD_TOKEN`),
    systemd credentials (`cloud_api_key`, `cloud_secret_key`, `cloud_token` in `$CREDENTIALS_DIRECTORY`),
    `file`.

    Raises:
        Misconfigured: `cloud_secrets_file`, `cloud_secret`: unreadable, open to others, or not of the shape
            of a key. The text says where, never what.
        NeedsOperator: `cloud_secrets_file`: the system does not let us read it.
    """
    directory = environ.get("CREDENTIALS_DIRECTORY")
    in_file = _from_file(file) if file is not None else {}
    found: dict[str, Secret | None] = {}
    for name in (field.name for field in fields(Secrets)):
        variable = ENV_PREFIX + name.upper()
        text, place = environ.get(variable), variable
        if not text and directory:
            text, place = _from_credential(Path(directory) / (CREDENTIAL_PREFIX + name))
        if not text:
            text, place = in_file.get(name), f"{name} in {file}"
        found[name] = _checked(text, place) if text else None
    return Secrets(**found)


def _checked(text: str, place: str) -> Secret:
    text = text.strip()
    if not _SHAPE.fullmatch(text):
        raise Misconfigured(
            f"{place} does not look like a key or token.",
            code="cloud_secret",
            hint="It is one line of letters, digits and signs without blanks; copy it again.",
        )
    return Secret(text)


def _from_credential(path: Path) -> tuple[str | None, str]:
    place = f"the systemd credential {path.name}"
    try:
        return path.read_bytes()[:_MOST_BYTES].decode("utf-8"), place
    except FileNotFoundError:
        return None, place
    except (OSError, UnicodeDecodeError):
        raise NeedsOperator(
            f"{place} cannot be read.", code="cloud_secret", hint="Check LoadCredential= in the unit."
        ) from None


def _from_file(path: Path) -> dict[str, str]:
    names = {field.name for field in fields(Secrets)}
    try:
        value = yaml.safe_load(read_private(path))
    except yaml.YAMLError:  # its text would repeat the line, and with it the secret
        value = "not YAML"
    if value is None:
        return {}
    if not isinstance(value, dict) or not set(value) <= names:
        raise _bad_file(path, f"holds something else than {', '.join(sorted(names))}")
    if not all(item is None or isinstance(item, str) for item in value.values()):
        raise _bad_file(path, "holds a value that is not text; put it in quotes")
    return {name: item for name, item in value.items() if item}


def read_private(path: Path) -> bytes:
    """Content of a file that nobody else can read.

    Raises:
        Misconfigured: `cloud_secrets_file`: it is missing, too large, no file, of another owner (root may own
            it), or others may read or write it.
        NeedsOperator: `cloud_secrets_file`: the system does not let us read it.
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
            code="cloud_secrets_file",
            hint="It must belong to the user edged runs as.",
        ) from None
    if len(content) > _MOST_BYTES:
        raise _bad_file(path, "is too large")
    return content


def _bad_file(path: Path, what: str) -> Misconfigured:
    return Misconfigured(
        f"{path} {what}.",
        code="cloud_secrets_file",
        hint=f"It must be YAML with api_key, secret_key or token, and private: chmod 600 {path}.",
    )
