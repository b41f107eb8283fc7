"""What every reason code means and what to do about it, in one plain sentence each. The texts are in the
modules beside this one; no decisions here.
"""

from __future__ import annotations

from dataclasses import dataclass

from edged.faceapi.codes import lookup
from edged.faceapi.codes.transport_texts import WAY_TEXTS
from edged.reasons import machinery, person, picture

_OF_THE_CLOUD = "cloud_"
_OF_HTTP = "cloud_http_"
_OF_A_DRIVER = "spoof_"


@dataclass(frozen=True)
class Reason:
    """One reason code in words.

    Attributes:
        code: stable identifier, as it stands in events, records and counters.
        meaning: what happened, a clause without full stop.
        advice: what to do about it, one sentence; empty when nothing needs doing.
    """

    code: str
    meaning: str
    advice: str

    def __str__(self) -> str:
        return f"{self.meaning}. {self.advice}".rstrip()


_TEXTS = {**WAY_TEXTS, **picture.TEXTS, **person.TEXTS, **machinery.TEXTS}


def known_codes() -> tuple[str, ...]:
    """Every code that has a text here."""
    return tuple(_TEXTS)


def describe(code: str) -> Reason:
    """The text of `code`. A code without a text stands for itself, so an explanation never fails.

    `edged.faceapi.codes` holds the texts of face API numbers (`cloud_222207`); `cloud_http_NUMBER` is a
    status of HTTP. `spoof_NAME` may also name an operator's own liveness driver.
    """
    if code.startswith(_OF_THE_CLOUD) and (row := lookup(code.removeprefix(_OF_THE_CLOUD))):
        return Reason(code, row.meaning, row.hint)
    if code.startswith(_OF_HTTP):
        meaning, advice = _TEXTS["cloud_http"]
        return Reason(code, f"{meaning} (HTTP {code.removeprefix(_OF_HTTP)})", advice)
    if code.startswith(_OF_A_DRIVER) and code not in _TEXTS:
        name = code.removeprefix(_OF_A_DRIVER)
        return Reason(code, f"the liveness driver {name} did not see a living face at that moment", "")
    meaning, advice = _TEXTS.get(code, (code.replace("_", " "), ""))
    return Reason(code, meaning, advice)
