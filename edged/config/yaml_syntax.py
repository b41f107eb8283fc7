"""Positions in a YAML text, and syntax errors in helpful words. Does not parse."""

from __future__ import annotations

from dataclasses import dataclass

import yaml

from edged.config.problems import Problem


@dataclass(frozen=True)
class Mark:
    """A position in the text: line and column from 1, the column in characters."""

    line: int
    column: int


def mark_at(text: str, index: int) -> Mark:
    """The position of the character `text[index]`."""
    return Mark(text.count("\n", 0, index) + 1, index - (text.rfind("\n", 0, index) + 1) + 1)


# Part of an error text of PyYAML, what it means, and what to do about it. The first match wins.
_SYNTAX = (
    (
        "expected a single document",
        "a second document begins here (`---`)",
        "one file holds one configuration",
    ),
    ("undefined alias", "this alias (*name) was never defined", "put text that begins with * in quotes"),
    (
        "mapping values are not allowed",
        "a `: ` is in the wrong place",
        "check the indentation, or put text with `: ` in quotes",
    ),
    (
        "could not find expected ':'",
        "a key without its `:`",
        "write `key: value`, with a blank after the colon",
    ),
    (
        "expected <block end>",
        "the indentation does not fit the lines above",
        "keys of one section begin in the same column",
    ),
    (
        "while scanning a quoted scalar",
        "a quote is opened and never closed",
        "end the text with the same quote",
    ),
    ("found character", "this character cannot begin a value", "put the value in quotes"),
    ("expected ',' or", "a list or section in brackets is not closed", "add the missing `]`, `}` or `,`"),
    ("nested too deeply", "sections are nested too deeply", "see config/edged.yaml for the shape"),
    ("unknown escape character", "an unknown escape after `\\` in double quotes", "use single quotes"),
)


def syntax_problem(error: yaml.YAMLError, text: str, file: str) -> Problem:
    """The reason why PyYAML refuses `text`, in words that help to correct it."""
    if isinstance(error, yaml.reader.ReaderError):
        mark = mark_at(text, error.position)
        message = f"the invisible character U+{ord(text[error.position]):04X} is not allowed"
        return Problem(file=file, line=mark.line, column=mark.column, message=message, hint="delete it")
    said = f"{getattr(error, 'context', '')} {getattr(error, 'problem', '')}"
    at = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    mark = Mark(at.line + 1, at.column + 1) if at else Mark(1, 1)
    tab = _tab(text, mark)
    if tab is not None:
        message, hint = "a tab stands where YAML allows only spaces", "use two spaces for each level"
        return Problem(file=file, line=mark.line, column=tab, message=message, hint=hint)
    for needle, message, hint in _SYNTAX:
        if needle in said:
            return Problem(file=file, line=mark.line, column=mark.column, message=message, hint=hint)
    return Problem(file=file, line=mark.line, column=mark.column, message=f"not valid YAML: {said.strip()}")


def _tab(text: str, mark: Mark) -> int | None:
    """Column of a tab in the indentation of the marked line, or at the mark itself; None without one."""
    line = text.split("\n")[mark.line - 1 : mark.line] or [""]
    indent = line[0][: len(line[0]) - len(line[0].lstrip(" \t"))]
    if "\t" in indent:
        return indent.index("\t") + 1
    return mark.column if line[0][mark.column - 1 : mark.column] == "\t" else None
