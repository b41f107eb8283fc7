"""Finds and reads the configuration file, and reports all of its mistakes at once.

Which file: the one named, else EDGED_CONFIG, else /etc/edged/edged.yaml, else none (the defaults). Relative
paths in a file count from the directory of that file, because a service has no useful current
directory; relative paths in EDGED_CONFIG and EDGED_DATA_DIR count from the current directory, as in a shell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from edged.config.base import Section
from edged.config.explain import Seen, explain
from edged.config.paths import absolute, with_absolute_paths
from edged.config.problems import ConfigProblems, Problem
from edged.config.schema import Config
from edged.config.yaml_lines import MAX_BYTES, Document, KeyPath, dotted, key_path, parse
from edged.config.yaml_syntax import Mark
from edged.errors import Misconfigured

DEFAULT_PATH = Path("/etc/edged/edged.yaml")
ENV_CONFIG = "EDGED_CONFIG"
ENV_DATA_DIR = "EDGED_DATA_DIR"
_WHERE_FROM = f"Name the configuration with -c FILE or {ENV_CONFIG}; config/edged.yaml is one to copy."
Root = TypeVar("Root", bound=Section)


@dataclass(frozen=True)
class Loaded:
    """A configuration and where it came from.

    Attributes:
        config: complete and checked; its paths are absolute.
        path: the file as named; None when the built-in defaults are used.
        marks: position of each key that the file has, by its path.
    """

    config: Config
    path: Path | None = None
    marks: Mapping[KeyPath, Mark] = field(default_factory=dict)


def load_config(path: Path | None, *, environ: Mapping[str, str]) -> Config:
    """The configuration of this box; see `load` for arguments and errors."""
    return load(path, environ=environ).config


def load(path: Path | None, *, environ: Mapping[str, str], default_path: Path = DEFAULT_PATH) -> Loaded:
    """Read, check and complete the configuration.

    Args:
        path: the file; None searches the places that the module names.
        environ: usually `os.environ`; EDGED_CONFIG and EDGED_DATA_DIR are read. Empty means not set.
        default_path: used when nothing is named and the file exists.

    Raises:
        ConfigProblems: the file has mistakes; all of them are in `.problems`.
        Misconfigured: the file is missing (`config_missing`) or cannot be read (`config_unreadable`).
    """
    file = _choose(path, environ, default_path)
    loaded = Loaded(Config()) if file is None else _read(file)
    data_dir = environ.get(ENV_DATA_DIR)
    if data_dir:
        config = loaded.config.model_copy(update={"data_dir": absolute(data_dir, Path.cwd())})
        return Loaded(config, loaded.path, loaded.marks)
    return loaded


def parse_config(content: bytes, file: str) -> tuple[Config, Mapping[KeyPath, Mark]]:
    """Check the text of an edged.yaml; see `parse_file`."""
    return parse_file(content, file, Config)


def parse_file(content: bytes, file: str, root: type[Root]) -> tuple[Root, Mapping[KeyPath, Mark]]:
    """Check the text of a configuration file; paths in it stay as written.

    Args:
        root: the schema of the file.

    Returns:
        The configuration, and the position of each key that the file has.

    Raises:
        ConfigProblems: with every mistake found.
    """
    document = parse(content, file)
    marks = {path: position.key for path, position in document.positions.items()}
    try:
        config = root.model_validate(document.data)
    except ValidationError as error:
        raise ConfigProblems([*document.problems, *_problems(error, document, file, root)]) from error
    if document.problems:
        raise ConfigProblems(document.problems)
    return config, marks


def config_of(values: dict[str, Any], options: Mapping[str, str]) -> Config:
    """The configuration made of `values`, some of them from the options of a command.

    Args:
        options: key to option, such as `{"camera.source": "--camera"}`, for the messages.

    Raises:
        ConfigProblems: with every mistake found.
    """
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        found = _problems(error, Document(values), "", Config)
        raise ConfigProblems([replace(p, file=options.get(p.key, p.key), key="") for p in found]) from error


def _choose(path: Path | None, environ: Mapping[str, str], default_path: Path) -> Path | None:
    if path is not None:
        return path
    if environ.get(ENV_CONFIG):
        return Path(environ[ENV_CONFIG])
    try:
        default_path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        return default_path  # it may exist; reading it gives the reason
    return default_path


def _read(file: Path) -> Loaded:
    config, marks = parse_config(read_content(file), str(file))
    return Loaded(with_absolute_paths(config, file.absolute().parent), file, marks)


def read_content(file: Path, where_from: str = _WHERE_FROM) -> bytes:
    """The bytes of a configuration file, a little more than `MAX_BYTES` at most.

    Args:
        where_from: how to get such a file, for the message when it is missing.

    Raises:
        Misconfigured: the file is missing (`config_missing`) or cannot be read (`config_unreadable`).
    """
    try:
        with file.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise Misconfigured(
            f"{file}: there is no such file.",
            code="config_missing",
            hint=where_from,
        ) from error
    except IsADirectoryError as error:
        raise Misconfigured(
            f"{file}: is a directory, not a file.",
            code="config_unreadable",
            hint=f"Name the file in it, e.g. {file / 'edged.yaml'}.",
        ) from error
    except OSError as error:
        raise Misconfigured(
            f"{file}: cannot be read ({error.strerror}).",
            code="config_unreadable",
            hint="Make it readable for the user that runs edged (under systemd: edged).",
        ) from error


# --- from pydantic's findings to problems -------------------------------------------------------------------


def _problems(error: ValidationError, document: Document, file: str, root: type[Section]) -> list[Problem]:
    """All mistakes, those between keys included.

    pydantic checks a rule between keys only when every single value is right. So nobody meets such a rule
    one correction later: this checks again without the wrong values until every new finding involves one
    of them (or the default in its place).
    """
    problems: list[Problem] = []
    wrong: set[KeyPath] = set()
    found = error.errors(include_url=False)
    while found:
        problems += [_problem(item, document, file, root) for item in found]
        wrong.update(path for item in found for path in _concerned(item))
        rest = _errors(root, _without(document.data, wrong))
        found = [item for item in rest if not wrong & set(_concerned(item)) and not _emptied(item, wrong)]
    return problems


def _errors(root: type[Section], data: Any) -> list[Any]:
    try:
        root.model_validate(data)
    except ValidationError as error:
        return error.errors(include_url=False)
    return []


def _problem(item: Any, document: Document, file: str, root: type[Section]) -> Problem:
    if item["type"] == "conflict":
        path, message, hint = _given(_concerned(item), document), item["ctx"]["message"], ""
        position = document.positions.get(_written(path, document))
        mark = position.key if position else None
    else:
        path = tuple(item["loc"])
        written = path[:-1] if item["type"] == "missing" else path
        position = document.positions.get(written)
        seen = Seen(item["input"], position.raw, position.quoted) if position else Seen(item["input"])
        message, hint = explain(item, path, seen, root)
        about_key = item["type"] == "extra_forbidden"
        mark = (position.key if about_key else position.value) if position else None
    line, column = (mark.line, mark.column) if mark else (None, None)
    return Problem(file=file, line=line, column=column, key=dotted(path), message=message, hint=hint)


def _concerned(item: Any) -> list[KeyPath]:
    """Full paths of the keys that an error is about: one key, or the keys of a rule between them."""
    if item["type"] != "conflict":
        return [tuple(item["loc"])]
    return [(*item["loc"], *key_path(key)) for key in item["ctx"]["keys"]]


def _emptied(item: Any, wrong: set[KeyPath]) -> bool:
    """Whether a list is too short only because `_without` dropped wrong items of it."""
    path = tuple(item["loc"])
    return item["type"] == "too_short" and any(other[: len(path)] == path for other in wrong)


def _given(paths: list[KeyPath], document: Document) -> KeyPath:
    """The first of `paths` that the file has. It has one, because the defaults fit together."""
    return next((path for path in paths if path in document.positions), paths[0])


def _written(path: KeyPath, document: Document) -> KeyPath:
    """`path`, or the nearest section or item around it that the file has: a default has no position."""
    while path and path not in document.positions:
        path = path[:-1]
    return path


def _without(data: Any, wrong: set[KeyPath], path: KeyPath = ()) -> Any:
    """A copy of `data` without the values at `wrong`."""
    if isinstance(data, dict):
        return {k: _without(v, wrong, (*path, k)) for k, v in data.items() if (*path, k) not in wrong}
    if isinstance(data, list):
        return [_without(v, wrong, (*path, i)) for i, v in enumerate(data) if (*path, i) not in wrong]
    return data
