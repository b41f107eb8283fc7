"""What describes one error code of the face API. The codes themselves are in the files beside this."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Reaction(Enum):
    """What has to be done about an answer; the classes of docs/reference/face-api.md 7."""

    RETRY = "retry"
    """The service had a passing fault: the same request may be repeated with back-off."""
    REAUTH = "reauth"
    """The token is not valid: fetch one, repeat once."""
    RATE = "rate"
    """Too many calls this second: pause this call."""
    QUOTA = "quota"
    """The day's or the total allowance is used up, or the account is in arrears."""
    FRAME = "frame"
    """This picture cannot be used; the next one may be."""
    SPOOF = "spoof"
    """As FRAME, and it looked like a presentation attack with a picture or a screen."""
    DENY = "deny"
    """A definite no: nobody in the library resembles this face."""
    CONFIG = "config"
    """The operator must correct a setting, a permission or a group."""
    BUG = "bug"
    """The request was malformed: a fault of the program."""
    IDEM = "idem"
    """The item has the requested state already, or is absent."""
    WAIT = "wait"
    """The service is still working on an earlier request: repeat after minutes."""


HINTS = {
    Reaction.RETRY: "Nothing needs doing once; if it goes on, the server or its operator has a fault.",
    Reaction.REAUTH: "A new token is fetched by itself; if it goes on, check the keys or the token you gave.",
    Reaction.RATE: "Nothing needs doing; if it goes on, lower recognition.cloud.qps or buy a higher rate.",
    Reaction.QUOTA: "Look at quota and balance in the console of the service.",
    Reaction.FRAME: "Look at the camera again, or use another photograph.",
    Reaction.SPOOF: "Let the person stand before the camera in person; look at the picture if it repeats.",
    Reaction.DENY: "A stranger is meant to end here; add the person if they belong here.",
    Reaction.CONFIG: "Check the settings of recognition.cloud against the console of the service.",
    Reaction.BUG: "This is a fault of edged; please report it with the code and the log id.",
    Reaction.IDEM: "Nothing needs doing; `edged library diff` shows where both sides differ.",
    Reaction.WAIT: "Wait some minutes and repeat.",
}
"""Hints for the operator, for codes without a text of their own."""


@dataclass(frozen=True)
class CodeRow:
    """One code.

    Attributes:
        code: number; text for the few codes that client SDKs make up themselves (`SDK108`).
        message: official English text, `""` where the documentation does not give it. Never match on it.
        meaning: what happened, a clause in plain words without full stop.
        reaction: what to do.
        hint: what the operator should do, in sentences.
        scope: `""`: every call; else the call (`group_delete`) or the family (`video`) it is about.
        exists: IDEM only: True: the item exists already; False: it is absent.
    """

    code: int | str
    message: str
    meaning: str
    reaction: Reaction
    hint: str = ""
    scope: str = ""
    exists: bool = False

    def __post_init__(self) -> None:
        if not self.hint:
            object.__setattr__(self, "hint", HINTS[self.reaction])
