"""What the site remembers between two decisions: grants by person and door, and passages decided already.

This is the room for state that belongs to the site and not to one door. The areas of an anti-passback rule
(which area a person is in, which door leads where) belong here too: every door reads and writes this one
object, so a grant at one door counts at the next. Nothing here decides; the rules do, on a snapshot.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

REMEMBERED = 8192
"""Passages and grants that are remembered. A site has at most 8 doors, and 1024 passages of each are far
more than can be in view or on their way to a relay."""

Value = TypeVar("Value")


@dataclass(frozen=True)
class _Grantee:
    person_id: str
    door_id: str


class SiteState:
    """Shared by all doors of the site. Safe to use from any thread; times are monotonic seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._granted_s: dict[_Grantee, float] = {}
        self._grantees: OrderedDict[str, _Grantee] = OrderedDict()
        self._decided: OrderedDict[str, None] = OrderedDict()
        self._shots: OrderedDict[str, int] = OrderedDict()

    # -- grants

    def recall_grants(self, door_id: str, granted_s: Mapping[str, float]) -> None:
        """Take over the grants of an earlier run at a door, by person."""
        with self._lock:
            self._granted_s |= {_Grantee(person, door_id): at_s for person, at_s in granted_s.items()}

    def last_grant_s(self, person_id: str | None, door_id: str) -> float | None:
        """When the person was last granted a passage at the door; None when no such grant counts."""
        with self._lock:
            return None if person_id is None else self._granted_s.get(_Grantee(person_id, door_id))

    def grant(self, decision_id: str, person_id: str, door_id: str, at_s: float) -> None:
        """A committed decision lets the person pass the door."""
        with self._lock:
            grantee = _Grantee(person_id, door_id)
            self._granted_s[grantee] = at_s
            _remember(self._grantees, decision_id, grantee)

    def withdraw_grant(self, decision_id: str, door_id: str) -> None:
        """The door did not open on this decision, so the person may ask again at once. Decisions of other
        doors are left alone: each door withdraws its own, in the order of its own events."""
        with self._lock:
            grantee = self._grantees.get(decision_id)
            if grantee is not None and grantee.door_id == door_id:
                del self._grantees[decision_id]
                self._granted_s.pop(grantee, None)

    # -- passages

    def count_shot(self, passage_id: str) -> None:
        """One more shot of the passage was answered."""
        with self._lock:
            _remember(self._shots, passage_id, self._shots.get(passage_id, 0) + 1)

    def shots(self, passage_id: str) -> int:
        """How many shots of an undecided passage were answered."""
        with self._lock:
            return self._shots.get(passage_id, 0)

    def close_passage(self, passage_id: str) -> None:
        """The passage is decided; later answers about it change nothing."""
        with self._lock:
            _remember(self._decided, passage_id, None)
            self._shots.pop(passage_id, None)

    def is_decided(self, passage_id: str) -> bool:
        """Whether the passage was decided before."""
        with self._lock:
            return passage_id in self._decided


def _remember(memory: OrderedDict[str, Value], key: str, value: Value) -> None:
    memory[key] = value
    memory.move_to_end(key)
    while len(memory) > REMEMBERED:
        memory.popitem(last=False)
