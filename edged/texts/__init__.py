"""The words people see, by language: hints for the person before the camera, meanings of reason codes.

The English meanings of reasons are those of `edged.reasons`; a language is one YAML file beside this module.
No decisions here about when to show them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType

import yaml

from edged.reasons import describe

DEFAULT_LANGUAGE = "en"
LANGUAGES = (DEFAULT_LANGUAGE, "zh")


@dataclass(frozen=True)
class Catalogue:
    """The texts of one language.

    Attributes:
        language: `en`, `zh`.
        hints: by hint code (`edged.vision.guidance.HINTS`).
        reasons: meanings by reason code; empty for English, whose meanings are those of `edged.reasons`.
    """

    language: str
    hints: Mapping[str, str]
    reasons: Mapping[str, str]

    def hint(self, code: str) -> str:
        """The text of a hint code; in English when the language has none, else the code itself."""
        if code in self.hints:
            return self.hints[code]
        if self.language != DEFAULT_LANGUAGE:
            return catalogue(DEFAULT_LANGUAGE).hint(code)
        return code.replace("_", " ").capitalize()

    def reason(self, code: str) -> str:
        """The meaning of a reason code, a clause without full stop; in English when the language has none."""
        return self.reasons.get(code) or describe(code).meaning


def catalogue(language: str) -> Catalogue:
    """The texts of a language.

    Args:
        language: `zh`, `zh-CN`, `zh_CN.UTF-8`, …; only the first part counts. A language outside `LANGUAGES`
            gives English, so that a wrong setting never leaves a screen empty.
    """
    wanted = language.replace("_", "-").split("-")[0].strip().lower()
    return _read(wanted if wanted in LANGUAGES else DEFAULT_LANGUAGE)


@cache
def _read(language: str) -> Catalogue:
    text = (resources.files(__package__) / f"{language}.yaml").read_text(encoding="utf-8")
    parts = yaml.safe_load(text)
    return Catalogue(
        language=language,
        hints=MappingProxyType(dict(parts["hints"])),
        reasons=MappingProxyType(dict(parts.get("reasons") or {})),
    )
