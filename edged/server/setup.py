"""Makes a first configuration: one application with fresh keys, ready to start. Overwrites nothing."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from edged.errors import Misconfigured, NeedsOperator
from edged.server.authentication import Keys, fresh_keys

EXAMPLE_APPID = "default"


@dataclass(frozen=True)
class Made:
    """Paths of the new files."""

    config: Path
    secrets: Path


def init_folder(folder: Path) -> Made:
    """Write `serve.yaml` and `secrets.yaml` (0600) into `folder`, which is made if missing.

    Raises:
        Misconfigured: one of the files exists (`serve_exists`).
        NeedsOperator: the folder cannot be written (`data_dir_unusable`).
    """
    made = Made(folder / "serve.yaml", folder / "secrets.yaml")
    for file in (made.config, made.secrets):
        if file.exists():
            raise Misconfigured(
                f"{file} is there already; nothing was changed.",
                code="serve_exists",
                hint="Use it as it is, or choose an empty folder.",
            )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(made.secrets, secrets_text({EXAMPLE_APPID: fresh_keys()}), 0o600)
        _write(made.config, example_text(), 0o644)
    except OSError as error:
        raise NeedsOperator(
            f"{folder} cannot be used: {error.strerror}.",
            code="data_dir_unusable",
            hint="Name a folder that you may write to.",
        ) from error
    return made


def example_text() -> str:
    """The commented configuration that is shipped."""
    return resources.files("edged.server").joinpath("serve.yaml").read_text("utf-8")


def secrets_text(keys: dict[str, Keys]) -> str:
    """A secrets file with these keys."""
    lines = ["# The keys of each application. Whoever has them may do everything with its library."]
    for appid, one in keys.items():
        lines += [f"{appid}:", f'  api_key: "{one.api_key}"', f'  secret_key: "{one.secret_key}"']
    return "\n".join(lines) + "\n"


def _write(file: Path, text: str, mode: int) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode), "w") as stream:
        stream.write(text)
