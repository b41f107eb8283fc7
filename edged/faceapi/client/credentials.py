"""Keys and tokens of the cloud, and the places edged reads them from. Sends nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

from edged.secret_files import Secret, SecretReader

ENV_PREFIX: Final = "EDGED_CLOUD_"
READER: Final = SecretReader(
    part="cloud",
    shape=re.compile(r"[\x21-\x7e]{1,1024}"),
    odd="does not look like a key or token",
    copied="It is one line of letters, digits and signs without blanks; copy it again.",
    file_holds="api_key, secret_key or token",
)


@dataclass(frozen=True)
class Secrets:
    """The key pair of an application, or a token; None: not given."""

    api_key: Secret | None = None
    secret_key: Secret | None = None
    token: Secret | None = None


def load_secrets(file: Path | None, environ: Mapping[str, str]) -> Secrets:
    """Read every secret from the first place that has it.

    In this order: the environment (`EDGED_CLOUD_API_KEY`, `EDGED_CLOUD_SECRET_KEY`, `EDGED_CLOUD_TOKEN`),
    systemd credentials (`cloud_api_key`, `cloud_secret_key`, `cloud_token` in `$CREDENTIALS_DIRECTORY`),
    `file`.

    Raises:
        Misconfigured: `cloud_secrets_file`, `cloud_secret`: unreadable, open to others, or not of the shape
            of a key. The message names the place, never the secret.
        NeedsOperator: the same codes: the system denies access.
    """
    in_file = _from_file(file) if file is not None else {}
    found: dict[str, Secret | None] = {}
    for name in (field.name for field in fields(Secrets)):
        variable = ENV_PREFIX + name.upper()
        if text := environ.get(variable):
            found[name] = READER.checked(text, variable)
        elif (credential := READER.credential(environ, name)) is not None:
            found[name] = credential
        elif text := in_file.get(name):
            found[name] = READER.checked(text, f"{name} in {file}")
    return Secrets(**found)


def _from_file(path: Path) -> dict[str, str]:
    names = {field.name for field in fields(Secrets)}
    value = READER.yaml(path)
    if value is None:
        return {}
    if not isinstance(value, dict) or not set(value) <= names:
        raise READER.bad_file(path, f"holds something else than {', '.join(sorted(names))}")
    if not all(item is None or isinstance(item, str) for item in value.values()):
        raise READER.bad_file(path, "holds a value that is not text; put it in quotes")
    return {name: item for name, item in value.items() if item}
