"""Keys and passwords of the targets: their names, and the places that may hold them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from edged.errors import Misconfigured
from edged.secret_files import Secret, SecretReader

ENV_PREFIX: Final = "EDGED_DELIVERY_"
NAMES: Final = ("secret", "token", "password", "api_key", "api_secret")
READER: Final = SecretReader(
    part="delivery",
    shape=re.compile(r"[\x20-\x7e]{1,1024}"),
    odd="is not one line of plain characters",
    copied="Copy the secret again.",
    file_holds="a section for each target",
)


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
            NeedsOperator: the system does not let edged read it.
        """
        variable = f"{ENV_PREFIX}{self._target}_{name}".upper().replace("-", "_")
        if text := self._environ.get(variable):
            return READER.checked(text, variable)
        if (credential := READER.credential(self._environ, f"{self._target}_{name}")) is not None:
            return credential
        if self._file is not None and (text := self._in_file(self._file).get(name)):
            return READER.checked(text, f"{name} of {self._target} in {self._file}")
        return None

    def need(self, name: str) -> Secret:
        """As `find`, but raises Misconfigured (`delivery_secret_missing`) where no place has it."""
        found = self.find(name)
        if found is None:
            variable = f"{ENV_PREFIX}{self._target}_{name}".upper().replace("-", "_")
            raise Misconfigured(
                f"The target {self._target} has no {name}.",
                code="delivery_secret_missing",
                hint=f"Put it into delivery.secrets_file (`{self._target}: {{{name}: …}}`), the systemd "
                f"credential {READER.part}_{self._target}_{name}, or {variable}.",
            )
        return found

    def _in_file(self, file: Path) -> dict[str, str]:
        value = READER.yaml(file)
        mine: Any = value.get(self._target) if isinstance(value, dict) else value
        if mine is None:
            return {}
        if not isinstance(mine, dict) or not all(isinstance(text, str) for text in mine.values()):
            raise READER.bad_file(file, f"does not hold texts for {self._target} (put numbers in quotes)")
        if unknown := sorted(set(map(str, mine)) - set(NAMES)):
            raise READER.bad_file(file, f"holds {len(unknown)} unknown keys for {self._target}")
        return mine
