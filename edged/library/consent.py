"""Consents: their fields and permitted values. `store.py` stores them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from edged.errors import Misconfigured
from edged.library.people import MAX_NOTE_CHARS, check_name

CLOUD: Final = "cloud"
"""The purpose that a person must consent to before edged sends anything of them to the face cloud."""

_PURPOSE = re.compile(r"[a-z][a-z0-9_]{0,31}")


@dataclass(frozen=True, kw_only=True)
class Consent:
    """One entry of the ledger.

    Attributes:
        person_id: the person who consents or not.
        purpose: `cloud`, or another word in lower case.
        given: True: given; False: refused or withdrawn.
        at: time of recording.
        recorded_by: name of the person who recorded it.
        note: for example the place of the signed form.
    """

    person_id: str
    purpose: str
    given: bool
    at: datetime
    recorded_by: str
    note: str = ""


def check_consent(consent: Consent) -> None:
    """Check that `consent` can be stored.

    Raises:
        Misconfigured: `bad_purpose`, `bad_name` (`recorded_by`) or `bad_note`.
    """
    if not _PURPOSE.fullmatch(consent.purpose):
        raise Misconfigured(
            f"{consent.purpose!r} cannot be a purpose of consent.",
            code="bad_purpose",
            hint="Use a word of a-z 0-9 _, such as cloud.",
        )
    check_name(consent.recorded_by)
    if len(consent.note) > MAX_NOTE_CHARS:
        raise Misconfigured(f"A note has at most {MAX_NOTE_CHARS} characters.", code="bad_note")


def current(ledger: tuple[Consent, ...]) -> dict[str, bool]:
    """For each purpose in `ledger` (oldest entry first) whether the consent stands."""
    return {consent.purpose: consent.given for consent in ledger}
