"""Mistakes in a configuration file, in a form for people and programs. Finds none itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from edged.errors import Misconfigured


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One mistake, or one piece of advice, with its position.

    Attributes:
        file: the file as the caller named it.
        line: counted from 1; None when the problem has no position in the text (it concerns a default).
        column: counted from 1, in characters; None together with `line`.
        key: dotted path of the key, e.g. `gate.channel` or `access.allowed_groups[0]`; empty for the file.
        message: what the file says.
        hint: what to write instead; may be empty.
    """

    file: str
    line: int | None = None
    column: int | None = None
    key: str = ""
    message: str
    hint: str = ""

    def __str__(self) -> str:
        """`edged.yaml:12:3: gate.chanel: unknown key; did you mean "channel"? …`, as editors expect it."""
        place = self.file if self.line is None else f"{self.file}:{self.line}:{self.column}"
        parts = [place, self.key, self.message] if self.key else [place, self.message]
        text = ": ".join(parts)
        return f"{text}; {self.hint}" if self.hint else text

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, all fields."""
        return asdict(self)


def in_file_order(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """`problems` from the top of the file to its end; those without a position come last."""
    return tuple(sorted(problems, key=lambda p: (p.line is None, p.line or 0, p.column or 0)))


class ConfigProblems(Misconfigured):
    """The configuration has mistakes; `problems` holds all of them, in the order of the file."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = in_file_order(problems)
        super().__init__(
            "\n".join(str(p) for p in self.problems),
            code="config_invalid",
            hint="",
        )
