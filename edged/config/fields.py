"""The schema as a flat list of keys, for messages, the documentation and tests. Reads no files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from edged.config.base import ID_PATTERN, Section, is_section, items_of
from edged.config.schema import Config

_UNITS = {"s": "seconds", "px": "pixels", "deg": "degrees"}


@dataclass(frozen=True)
class Key:
    """One key of the schema.

    Attributes:
        path: from the top of the file, e.g. `("gate", "channel")`.
        default: the value without the key, as in JSON; None for a section.
        section: it holds further keys.
        allowed: the values it takes, in words: `1..8`, `pulse, hold`, `text, up to 512 characters`.
        unit: `seconds`, `pixels`, `degrees` (from the end of the name) or empty.
        description: what it does.
        schema: its JSON Schema.
        repeated: it belongs to an item of a list whose items look like a single section (`more_gates`).
        in_list: it belongs to an item of any list.
    """

    path: tuple[str, ...]
    default: Any
    section: bool
    allowed: str
    unit: str
    description: str
    schema: dict[str, Any]
    repeated: bool = False
    in_list: bool = False

    @property
    def name(self) -> str:
        """The dotted path."""
        return ".".join(self.path)


@cache
def keys(root: type[Section] = Config) -> dict[tuple[str, ...], Key]:
    """Every key and section of the schema in its order; a section comes before its keys.

    A list of sections is followed by the keys of one of its items.

    Args:
        root: schema of the file, edged.yaml by default.
    """
    return {key.path: key for key in _walk(root, ())}


def keys_of(section: tuple[str, ...], root: type[Section] = Config) -> list[str]:
    """Names of the keys directly in `section`; `()` is the top of the file."""
    return [path[-1] for path in keys(root) if path[:-1] == section]


def _walk(
    model: type[Section], path: tuple[str, ...], repeated: bool = False, in_list: bool = False
) -> Iterator[Key]:
    properties = model.model_json_schema()["properties"]
    for name, info in model.model_fields.items():
        here, schema = (*path, name), properties[name]
        text = schema.get("description", info.description or "")
        if is_section(model, name):
            yield Key(here, None, True, "a section", "", text, schema, repeated, in_list)
            # a section is a model: `is_section` has looked
            yield from _walk(info.annotation, here, repeated, in_list)  # type: ignore[arg-type]
        else:
            default = schema.get("default")
            yield Key(here, default, False, allowed(schema), _unit(name), text, schema, repeated, in_list)
            if item := items_of(model, name):
                single = any(field.annotation is item for field in model.model_fields.values())
                yield from _walk(item, here, repeated or single, True)


def _unit(name: str) -> str:
    return _UNITS.get(name.rpartition("_")[2], "") if "_" in name else ""


def allowed(schema: dict[str, Any]) -> str:
    """The values that one JSON Schema allows, in words."""
    if "anyOf" in schema:
        return ", or ".join("nothing" if s.get("type") == "null" else allowed(s) for s in schema["anyOf"])
    if "$ref" in schema:
        return "sections"
    kind = schema.get("type", "")
    if kind != "array" and (choices := choices_of(schema)):
        return ", ".join(str(choice) for choice in choices)
    if kind in ("integer", "number"):
        return _range(schema)
    if kind == "array":
        return f"a list of {allowed(schema['items'])}"
    return {"boolean": "true, false", "string": _text(schema)}[kind]


def choices_of(schema: dict[str, Any]) -> list[Any]:
    """The choices that a JSON Schema leaves, also for the items of a list; empty when it leaves none."""
    if "const" in schema:
        return [schema["const"]]
    parts = [*schema.get("anyOf", ()), schema.get("items", {})]
    return schema.get("enum") or [choice for part in parts if part for choice in choices_of(part)]


def _range(schema: dict[str, Any]) -> str:
    low, high = schema.get("minimum"), schema["maximum"]
    if low is None:
        return f"above {schema['exclusiveMinimum']:g}, up to {high:g}"
    return f"{low:g}..{high:g}"


def _text(schema: dict[str, Any]) -> str:
    if schema.get("format") in ("path", "file-path"):
        return "a file" if schema["format"] == "file-path" else "a directory"
    if schema.get("pattern") == ID_PATTERN:
        return "letters, digits, `-` and `_`, up to 48"
    return f"text, up to {schema['maxLength']} characters" if "maxLength" in schema else "text"
