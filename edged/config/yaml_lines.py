"""YAML in which every key and value keeps its line and column. Knows YAML, not the meaning of any key.

It reads values as people mean them, not as YAML 1.1 defines them: `010`, `1:30`, `0x1F`, `1_000` and
`2026-01-01` stay text (the schema then asks for a plain number or quotes) instead of
silently becoming 8, 90, 31, 1000 and a date; `1e-1` is a number. `on`, `off`, `yes` and `no` are booleans.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from edged.config.problems import ConfigProblems, Problem
from edged.config.yaml_syntax import Mark, mark_at, syntax_problem

MAX_BYTES = 1_000_000
MAX_VALUES = 10_000  # values after aliases are expanded: a real file has some hundred, a bomb has billions
MAX_DEPTH = 20  # the schema needs 4; PyYAML's composer recurses, so the limit also protects the stack

KeyPath = tuple[str | int, ...]

_SHOWN = 60  # characters of a wrong value that are repeated in a message
_TAG = "tag:yaml.org,2002:"
_BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


@dataclass(frozen=True)
class Position:
    """Where one key and its value stand, and how the file writes a scalar value.

    Attributes:
        key: where the key begins; for an item of a list, where the item begins.
        value: where the value begins.
        raw: a scalar as typed, without its quotes; None for a list or a section.
        quoted: the scalar stands in quotes (or in a `|` or `>` block).
    """

    key: Mark
    value: Mark
    raw: str | None = None
    quoted: bool = False


@dataclass
class Document:
    """One parsed file: plain data, the position of every key, and the mistakes that did not stop us."""

    data: dict[str, Any] = field(default_factory=dict)
    positions: dict[KeyPath, Position] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def parse(content: bytes, file: str) -> Document:
    """Parse one YAML document whose top level is a mapping (or nothing at all).

    Args:
        content: the bytes of the file.
        file: its name, used in problems only.

    Returns:
        The document. Duplicate keys and the like are in its `problems`; the first value is kept.

    Raises:
        ConfigProblems: the text is unreadable as a whole (syntax, encoding, size).
    """
    text = _decode(content, file)
    try:
        root = _Loader(text).get_single_node()
    except yaml.YAMLError as error:
        raise ConfigProblems([syntax_problem(error, text, file)]) from error
    document = Document()
    if root is None:
        return document
    if not isinstance(root, MappingNode):
        raise _refused(
            file, _mark(root), "the file must consist of `key: value` lines", "see config/edged.yaml"
        )
    document.data = _Builder(document, file).build(root, ())
    return document


def _decode(content: bytes, file: str) -> str:
    if len(content) > MAX_BYTES:
        raise _refused(
            file,
            None,
            f"the file is larger than {MAX_BYTES:,} bytes",
            "is this the right file? A real one has a few KB",
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig")
        mark = mark_at(before, len(before))
        byte = content[error.start]
        raise _refused(
            file, mark, f"byte 0x{byte:02x} is not UTF-8 text", "save the file with the encoding UTF-8"
        ) from error


def _resolvers() -> dict[str | None, list[tuple[str, re.Pattern[str]]]]:
    """Which plain scalars are not text, by first character (PyYAML's table has the YAML 1.1 surprises)."""
    number = r"[-+]?(?:0|[1-9][0-9]*)"
    kinds = [
        ("null", re.compile(r"(?:~|null|Null|NULL|)\Z"), ["~", "n", "N", ""]),
        ("bool", re.compile(r"(?:true|yes|on|false|no|off)\Z", re.IGNORECASE), list("tTyYoOfFnN")),
        ("int", re.compile(number + r"\Z"), list("-+0123456789")),
        (
            "float",
            re.compile(rf"(?:{number}\.[0-9]*|[-+]?\.[0-9]+|{number}(?=[eE]))(?:[eE][-+]?[0-9]+)?\Z"),
            list("-+.0123456789"),
        ),
        ("merge", re.compile(r"<<\Z"), ["<"]),
    ]
    table: dict[str | None, list[tuple[str, re.Pattern[str]]]] = {}
    for name, pattern, first_characters in kinds:
        for character in first_characters:
            table.setdefault(character, []).append((_TAG + name, pattern))
    return table


class _Loader(yaml.SafeLoader):
    """The parser of PyYAML with our own definition of a number and a limit on nesting."""

    yaml_implicit_resolvers = _resolvers()

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        self._depth += 1
        try:
            if self._depth > MAX_DEPTH:
                # the stubs of PyYAML leave this method without types
                mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
                raise yaml.MarkedYAMLError(problem="nested too deeply", problem_mark=mark)
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


class _Builder:
    """Turns nodes into plain data and notes their positions. Aliases expand here, so it counts the values."""

    def __init__(self, document: Document, file: str) -> None:
        self._document = document
        self._file = file
        self._values = 0
        self._open: set[int] = set()

    def build(self, node: Node, path: KeyPath) -> Any:
        self._values += 1
        if self._values > MAX_VALUES:
            raise _refused(
                self._file,
                _mark(node),
                f"more than {MAX_VALUES:,} values",
                "do not nest aliases (*name) in aliases",
            )
        if isinstance(node, ScalarNode):
            return self._scalar(node, path)
        if id(node) in self._open:
            raise _refused(
                self._file, _mark(node), "an alias (*name) contains itself", "write the values out"
            )
        self._open.add(id(node))
        try:
            if isinstance(node, MappingNode):
                return self._mapping(node, path)
            assert isinstance(node, SequenceNode)  # YAML knows three kinds of nodes
            return self._sequence(node, path)
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: MappingNode, path: KeyPath) -> dict[str, Any]:
        self._check_tag(node, "map", path)
        out: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node, path, out)
            if key is None:
                continue
            here = (*path, key)
            self._document.positions[here] = _position(_mark(key_node), value_node)
            out[key] = self.build(value_node, here)
        return out

    def _key(self, node: Node, path: KeyPath, seen: dict[str, Any]) -> str | None:
        """The key as typed, or None after noting why it cannot be one."""
        if not isinstance(node, ScalarNode):
            self._note(node, path, "a key must be one word", "write `key: value`")
            return None
        if node.tag == _TAG + "merge":
            self._note(
                node,
                path,
                "`<<` (merging) is not supported",
                "write the keys out, or use an alias for the whole section",
            )
            return None
        key = str(node.value)
        if key in seen:
            first = self._document.positions[(*path, key)].key
            self._note(
                node, (*path, key), f"this key was given before, on line {first.line}", "keep one of them"
            )
            return None
        return key

    def _sequence(self, node: SequenceNode, path: KeyPath) -> list[Any]:
        self._check_tag(node, "seq", path)
        out = []
        for index, item in enumerate(node.value):
            here = (*path, index)
            self._document.positions[here] = _position(_mark(item), item)
            out.append(self.build(item, here))
        return out

    def _scalar(self, node: ScalarNode, path: KeyPath) -> Any:
        text = str(node.value)
        convert = _SCALARS.get(node.tag)
        if convert is None:
            self._note(
                node, path, f"the tag {_short(node.tag)} is not supported", "write the value without a tag"
            )
            return text
        try:
            return convert(text)
        except (ValueError, KeyError):
            self._note(
                node,
                path,
                f"{shown(text)} does not fit its tag {_short(node.tag)}",
                "write the value without a tag",
            )
            return text

    def _check_tag(self, node: Node, expected: str, path: KeyPath) -> None:
        if node.tag != _TAG + expected:
            self._note(
                node, path, f"the tag {_short(node.tag)} is not supported", "write the value without a tag"
            )

    def _note(self, node: Node, path: KeyPath, message: str, hint: str) -> None:
        mark = _mark(node)
        self._document.problems.append(
            Problem(
                file=self._file,
                line=mark.line,
                column=mark.column,
                key=dotted(path),
                message=message,
                hint=hint,
            )
        )


_SCALARS: dict[str, Callable[[str], Any]] = {
    _TAG + "null": lambda text: None,
    _TAG + "bool": lambda text: _BOOLEANS[text.lower()],
    _TAG + "int": int,
    _TAG + "float": float,
    _TAG + "str": str,
    _TAG + "merge": str,
}


def key_path(name: str) -> KeyPath:
    """`more_gates.0.port` -> `("more_gates", 0, "port")`."""
    return tuple(int(part) if part.isdigit() else part for part in name.split("."))


def shown(text: str) -> str:
    """A value for a message: short, and without characters that a terminal obeys or hides."""
    visible = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[:_SHOWN])
    return visible if len(text) <= _SHOWN else f"{visible}…"


def dotted(path: KeyPath) -> str:
    """`("access", "allowed_groups", 0)` -> `access.allowed_groups[0]`."""
    out = ""
    for part in path:
        out += f"[{part}]" if isinstance(part, int) else f".{part}" if out else str(part)
    return out


def _position(key: Mark, value: Node) -> Position:
    if isinstance(value, ScalarNode):
        return Position(key, _mark(value), raw=str(value.value), quoted=value.style is not None)
    return Position(key, _mark(value))


def _short(tag: str) -> str:
    return tag.replace(_TAG, "!!")


def _mark(node: Node) -> Mark:
    return Mark(node.start_mark.line + 1, node.start_mark.column + 1)


def _refused(file: str, mark: Mark | None, message: str, hint: str) -> ConfigProblems:
    line, column = (mark.line, mark.column) if mark else (None, None)
    return ConfigProblems([Problem(file=file, line=line, column=column, message=message, hint=hint)])
