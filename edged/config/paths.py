"""Makes relative paths of a configuration file absolute. Reads no files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, TypeVar

from edged.config.base import Section
from edged.config.camera_section import CameraConfig

AnySection = TypeVar("AnySection", bound=Section)


def absolute(path: str, folder: Path) -> Path:
    """`path` counted from `folder`; a leading `~` is the home directory."""
    try:
        return folder / Path(path).expanduser()
    except RuntimeError:  # no home directory is known for that user: take the name literally
        return folder / path


def is_file_source(source: str) -> bool:
    """Whether `camera.source` names a file, folder or device: neither a number nor `scheme:…`."""
    return not source.isdigit() and not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", source)


def with_absolute_paths(section: AnySection, folder: Path) -> AnySection:
    """A copy of `section` in which every path, those of the sections in it included, counts from `folder`."""
    return section.model_copy(
        update={name: _absolute(getattr(section, name), folder) for name in type(section).model_fields}
        | _absolute_source(section, folder)
    )


def _absolute(value: Any, folder: Path) -> Any:
    if isinstance(value, Path):
        return absolute(str(value), folder)
    if isinstance(value, Section):
        return with_absolute_paths(value, folder)
    return [_absolute(item, folder) for item in value] if isinstance(value, list) else value


def _absolute_source(section: Section, folder: Path) -> dict[str, str]:
    if not isinstance(section, CameraConfig) or not is_file_source(section.source):
        return {}
    return {"source": str(absolute(section.source, folder))}
