"""Reads and checks the manifest of an operator's own liveness network. No inference here.

docs/liveness.md shows a manifest. No key has a default that could silently swap live and false.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from edged.errors import Misconfigured
from edged.vision.liveness.model import LivenessContract, OperatorModel

MAX_MODEL_BYTES = 200_000_000
"""A liveness network is a few megabytes; a larger file is a mistake that would exhaust the box."""

_Side = Annotated[int, Field(ge=16, le=1024)]
_Finite = Annotated[float, Field(allow_inf_nan=False)]
_Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class OperatorManifest(BaseModel):
    """The keys of the manifest file; unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)

    file: Annotated[str, Field(min_length=1)]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    input_width: _Side
    input_height: _Side
    crop_scale: Annotated[float, Field(ge=1.0, le=6.0)]
    channel_order: Literal["BGR", "RGB"]
    value_scale: _Positive = 1.0
    mean: tuple[_Finite, _Finite, _Finite] = (0.0, 0.0, 0.0)
    std: tuple[_Positive, _Positive, _Positive] = (1.0, 1.0, 1.0)
    output: Literal["softmax", "probability"]
    outputs: Annotated[int, Field(ge=1, le=1000)]
    live_index: Annotated[int, Field(ge=0)]
    licence: Annotated[str, Field(min_length=1)]

    @model_validator(mode="after")
    def _consistent(self) -> OperatorManifest:
        if self.live_index >= self.outputs:
            raise ValueError(f"live_index is {self.live_index}, but there are only {self.outputs} outputs")
        if self.output == "softmax" and self.outputs < 2:
            raise ValueError("softmax over one output is always 1; a single value is `output: probability`")
        return self


def load(manifest: Path) -> OperatorModel:
    """Read a manifest (YAML or JSON) and the network it names, relative to the manifest's folder.

    Raises:
        Misconfigured: the manifest cannot be read or says something impossible (code
            `liveness_manifest_invalid`), the network is missing (`liveness_model_missing`), or its bytes are
            not those of the manifest (`liveness_model_changed`).
    """
    settings = _settings(manifest)
    path = manifest.parent / settings.file
    try:
        if path.stat().st_size > MAX_MODEL_BYTES:
            raise _invalid(manifest, f"file: {path} is larger than {MAX_MODEL_BYTES // 1_000_000} MB")
        data = path.read_bytes()
    except OSError as error:
        raise Misconfigured(
            f"The liveness model {path} cannot be read: {error.strerror}.",
            code="liveness_model_missing",
            hint=f"Put the file there or correct `file` in {manifest}.",
        ) from error
    seen = hashlib.sha256(data).hexdigest()
    if seen != settings.sha256:
        raise Misconfigured(
            f"The liveness model {path} has SHA-256 {seen[:12]}…, its manifest says {settings.sha256[:12]}….",
            code="liveness_model_changed",
            hint=f'If you exchanged it on purpose, write sha256: "{seen}" in {manifest}.',
        )
    return OperatorModel(data=data, sha256=seen, contract=_contract(settings), licence=settings.licence)


def _settings(manifest: Path) -> OperatorManifest:
    try:
        content = yaml.safe_load(manifest.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise _invalid(manifest, str(error).splitlines()[0]) from error
    if not isinstance(content, dict):
        raise _invalid(manifest, "it must be a mapping of keys to values")
    try:
        return OperatorManifest.model_validate(content)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in one['loc']) or 'manifest'}: {one['msg']}"
            for one in error.errors()
        )
        raise _invalid(manifest, problems) from error


def _contract(settings: OperatorManifest) -> LivenessContract:
    return LivenessContract(
        input_size=(settings.input_width, settings.input_height),
        crop_scale=settings.crop_scale,
        channel_order=settings.channel_order,
        value_scale=settings.value_scale,
        mean=settings.mean,
        std=settings.std,
        output=settings.output,
        live_index=settings.live_index,
        outputs=settings.outputs,
    )


def _invalid(manifest: Path, problem: str) -> Misconfigured:
    return Misconfigured(
        f"The liveness manifest {manifest} cannot be used: {problem}.",
        code="liveness_manifest_invalid",
        hint="docs/liveness.md shows a complete one.",
    )
