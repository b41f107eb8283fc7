"""Turns an error of pydantic into what the file says and what to write instead. Pure; no positions."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edged.config.base import Section
from edged.config.fields import Key, choices_of, keys, keys_of
from edged.config.mask import mask_url
from edged.config.schema import Config
from edged.config.yaml_lines import KeyPath, shown

_NUMBER = re.compile(r"[-+]?\d+(\.\d*)?([eE][-+]?\d+)?\Z")
_ODD_NUMBER = re.compile(r"0[0-7_]+\Z|0x[0-9a-fA-F_]+\Z|0b[01_]+\Z|\d[\d_]*\Z")
_WITH_UNIT = re.compile(r"([-+]?\d+(?:[.,]\d+)?)\s*[A-Za-z%°]+\Z")

Explanation = tuple[str, str]


@dataclass(frozen=True)
class Seen:
    """A wrong value as YAML reads it, as typed (None for a list or section), and whether in quotes."""

    value: Any
    raw: str | None = None
    quoted: bool = False

    def __str__(self) -> str:
        if isinstance(self.value, dict):
            return "a section (keys with values)"
        if isinstance(self.value, list):
            return "a list"
        text = str(self.value) if self.raw is None else self.raw
        short = shown(mask_url(text))
        return f'"{short}"' if self.quoted else short


def explain(error: dict[str, Any], path: KeyPath, seen: Seen, root: type[Section] = Config) -> Explanation:
    """What the file says at `path`, and what to write instead.

    Args:
        error: one entry of `ValidationError.errors()`.
        path: where, as keys and indices.
        seen: the value found there.
        root: schema of the file.

    Returns:
        The message and the hint, one clause each.
    """
    if error["type"] == "extra_forbidden":
        return unknown_key(path, root)
    key = keys(root).get(tuple(p for p in path if isinstance(p, str)))
    if key is None:
        return error["msg"], ""
    if key.allowed == "a list of sections" and isinstance(path[-1], int):
        return f"{seen} stands where a section is expected", "write `- ` and the keys of one, `key: value`"
    if key.section:
        return _not_a_section(keys_of(key.path, root)[0], key, seen)
    if error["type"] == "missing":
        return "has no value", f"write `{key.path[-1]}:` ({_wanted(key)})"
    if seen.value is None:
        return "has no value", f"write one ({_wanted(key)}), or remove the line to get {_shown_default(key)}"
    return _BY_TYPE.get(error["type"], _other)(error, key, seen)


def unknown_key(path: KeyPath, root: type[Section] = Config) -> Explanation:
    """Message and hint for a key the schema does not have: a similar one here, or the same one elsewhere."""
    section, name = tuple(p for p in path[:-1] if isinstance(p, str)), str(path[-1])
    here = keys_of(section, root)
    suggestion = ""
    close = difflib.get_close_matches(re.sub(r"[-\s]", "_", name.lower()), here, n=1)
    elsewhere = [".".join(p[:-1]) for p in keys(root) if p[-1] == name]
    if close:
        suggestion = f'did you mean "{close[0]}"? '
    elif elsewhere:
        places = " or ".join(f"`{place}:`" if place else "the top of the file" for place in elsewhere)
        suggestion = f'"{name}" belongs under {places}. '
    return "unknown key", f"{suggestion}Known keys here: {', '.join(here)}"


def _not_a_section(first: str, key: Key, seen: Seen) -> Explanation:
    return (
        f"{seen} stands where a section is expected",
        f"write `{key.path[-1]}:` and its keys (`{first}: …`) below it, indented",
    )


def _wrong_number(error: dict[str, Any], key: Key, seen: Seen) -> Explanation:
    if isinstance(seen.value, str):
        return _text_for_number(key, seen)
    if isinstance(seen.value, bool):
        return f"{seen} is read as {str(seen.value).lower()}", f"write a number ({_wanted(key)})"
    if isinstance(seen.value, float):
        return f"{seen} is not a whole number", f"write a whole number ({_wanted(key)})"
    return f"is {seen}", f"write one number ({_wanted(key)})"


def _text_for_number(key: Key, seen: Seen) -> Explanation:
    text = str(seen.value).strip()
    if _NUMBER.match(text) and seen.quoted:
        return f"{seen} is text in quotes", f"write {text} without quotes"
    if re.fullmatch(r"[-+]?\d+,\d+", text):
        return f"{seen} has a decimal comma", f"write {text.replace(',', '.')} with a point"
    with_unit = _WITH_UNIT.match(text)
    if with_unit:
        unit = f"; {key.path[-1]} is in {key.unit}" if key.unit else ""
        return f"{seen} is text", f"write the number alone, without a unit{unit} ({_wanted(key)})"
    if _ODD_NUMBER.match(text):
        return (
            f"{seen} is not a plain decimal number",
            f"write a number ({_wanted(key)}) without leading zeros, 0x or _",
        )
    return f"{seen} is text", f"write a number ({_wanted(key)})"


def _wrong_text(error: dict[str, Any], key: Key, seen: Seen) -> Explanation:
    if isinstance(seen.value, bool):
        return (
            f"{seen} is read as {str(seen.value).lower()} by YAML",
            f'write "{seen.raw}" in quotes if that text is meant',
        )
    if isinstance(seen.value, int | float):
        return f"{seen} is a number where text is expected", f'write "{seen.raw}" in quotes'
    return f"is {seen}", f"write {_wanted(key)}"


def _wrong_choice(error: dict[str, Any], key: Key, seen: Seen) -> Explanation:
    choices = choices_of(key.schema)
    text = str(seen.value)
    if seen.quoted and text in {str(c) for c in choices}:
        return f"{seen} is text in quotes", f"write {text} without quotes"
    close = difflib.get_close_matches(text.lower(), [str(c) for c in choices], n=1)
    suggestion = f"did you mean {close[0]}? " if close and isinstance(seen.value, str) else ""
    return f"{seen} is not one of the choices", f"{suggestion}Choices: {', '.join(str(c) for c in choices)}"


def _out_of_range(error: dict[str, Any], key: Key, seen: Seen) -> Explanation:
    direction = "large" if error["type"].startswith("less") else "small"
    return f"{seen} is too {direction}", f"write {_wanted(key)}"


def _wrong_switch(error: dict[str, Any], key: Key, seen: Seen) -> Explanation:
    return f"{seen} is neither true nor false", "write true or false, without quotes"


def _wrong_list(error: dict[str, Any], key: Key, seen: Seen) -> Explanation:
    name = key.path[-1]
    if key.allowed == "a list of sections":
        return f"{seen} is not a list", f"write `{name}:` and below it, indented, `- ` before each of them"
    if isinstance(seen.value, dict):
        return "is a section", f"write a list: `{name}: [first, second]`"
    return f"{seen} is not a list", f"write `{name}: [{seen}]` ({_wanted(key)})"


def _empty(error: dict[str, Any], key: Key, seen: Seen) -> Explanation:
    return "is empty", f"write {_wanted(key)}, or leave it out to get {_shown_default(key)}"


def _too_long(error: dict[str, Any], key: Key, seen: Seen) -> Explanation:
    return f"{seen} is too long", f"write {_wanted(key)}"


def _too_many(error: dict[str, Any], key: Key, seen: Seen) -> Explanation:
    most, given = error["ctx"]["max_length"], error["ctx"]["actual_length"]
    return f"has {given} entries", f"{most} are the most"


def _characters(error: dict[str, Any], key: Key, seen: Seen) -> Explanation:
    if seen.value == "":
        return _empty(error, key, seen)
    return f"{seen} has characters (or a length) that are not allowed", f"write {_wanted(key)}"


def _own_rule(error: dict[str, Any], key: Key, seen: Seen) -> Explanation:
    """A rule of our own: its message states what is right, mostly without the value."""
    if isinstance(seen.value, str) and not seen.value.strip():
        return _empty(error, key, seen)
    message = str(error["ctx"]["error"])
    return (f"{seen} {message}" if message.startswith(("is ", "contains ")) else message), ""


def _other(error: dict[str, Any], key: Key, seen: Seen) -> Explanation:
    return f"{seen} does not fit here", f"write {_wanted(key)}"


_BY_TYPE: dict[str, Callable[[dict[str, Any], Key, Seen], Explanation]] = {
    "int_type": _wrong_number,
    "int_from_float": _wrong_number,
    "float_type": _wrong_number,
    "string_type": _wrong_text,
    "path_type": _wrong_text,
    "literal_error": _wrong_choice,
    "bool_type": _wrong_switch,
    "list_type": _wrong_list,
    "too_short": _empty,
    "too_long": _too_many,
    "string_too_short": _empty,
    "string_too_long": _too_long,
    "string_pattern_mismatch": _characters,
    "greater_than": _out_of_range,
    "greater_than_equal": _out_of_range,
    "less_than": _out_of_range,
    "less_than_equal": _out_of_range,
    "value_error": _own_rule,
}


def _wanted(key: Key) -> str:
    return f"{key.allowed} {key.unit}".rstrip()


def _shown_default(key: Key) -> str:
    return "the default" if key.default is None else f"the default, {key.default}"
