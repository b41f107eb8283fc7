"""From raw input bits over time to settled states of a door's contacts. Pure: no board, no clock, no door.

A safety contact is wired normally closed: current flows while all is well, so a cut wire, a lost plug
and an opened contact look alike, and all read as active (docs/reference/relay-boards.md 2.4). A cut wire to
the fire panel then reads as fire and one to the door contact as an open door; one to an exit button, wired
open, does not read as a REX.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class InputKind(StrEnum):
    """Meaning of an active contact."""

    DOOR = "door"  # the door is open
    EXIT = "exit"  # the exit button is pressed
    PASSAGE = "passage"  # a person passes
    PASSAGE_OUT = "passage_out"  # a person passes in the other direction
    FIRE = "fire"  # the fire panel releases
    TAMPER = "tamper"  # a housing was opened
    KEY_IN = "key_in"  # attendance key: coming
    KEY_OUT = "key_out"  # attendance key: going


@dataclass(frozen=True)
class InputRule:
    """One contact.

    Attributes:
        kind: its meaning when active.
        number: which input of the board, from 1.
        normally_closed: the contact is closed while it is not active.
        debounce_s: a change counts after it has lasted this long, seconds; 0: at once.
    """

    kind: InputKind
    number: int
    normally_closed: bool
    debounce_s: float

    def is_active(self, bit: bool) -> bool:
        """What a raw bit means; True: the contact is closed."""
        return bit is not self.normally_closed


@dataclass(frozen=True)
class InputEdge:
    """A settled change. Times are monotonic seconds.

    Attributes:
        active: the new state.
        began_s: when it was first seen.
        at_s: when it had lasted for the debounce time.
        first: the state was unknown before, so this may be no change.
    """

    kind: InputKind
    active: bool
    began_s: float
    at_s: float
    first: bool


class Debouncer:
    """One contact. Its state is None until a first value has lasted long enough.

    With samples further apart than `debounce_s`, two in a row that agree settle a change, so that one sample
    that was disturbed never does.
    """

    def __init__(self, rule: InputRule) -> None:
        self.rule = rule
        self.active: bool | None = None
        self._candidate: bool | None = None
        self._since_s = 0.0

    @property
    def due_s(self) -> float | None:
        """When a further equal sample would settle the change, monotonic; None: no change is pending."""
        return None if self._candidate is None else self._since_s + self.rule.debounce_s

    def sample(self, bit: bool, at_s: float) -> InputEdge | None:
        """Take one raw bit, seen at `at_s` (never earlier than the sample before)."""
        active = self.rule.is_active(bit)
        if active is self.active:
            self._candidate = None
            return None
        if active is not self._candidate:
            self._candidate, self._since_s = active, at_s
        # as in due_s: a sum, not a difference, or a sample at exactly that time would sometimes be too early
        if at_s < self._since_s + self.rule.debounce_s:
            return None
        first, self.active, self._candidate = self.active is None, active, None
        return InputEdge(self.rule.kind, active, self._since_s, at_s, first)

    def forget(self) -> None:
        """Make the state unknown."""
        self.active = self._candidate = None


class DoorInputs:
    """The contacts of one door.

    Args:
        rules: at most one of each kind, each on an input of its own. ValueError otherwise.
    """

    def __init__(self, rules: Sequence[InputRule]) -> None:
        for what in ("kind", "number"):
            values = [getattr(rule, what) for rule in rules]
            if len(set(values)) != len(values):
                raise ValueError(f"two inputs have the same {what}: {', '.join(map(str, values))}")
        if any(rule.number < 1 or rule.debounce_s < 0 for rule in rules):
            raise ValueError("inputs count from 1, and a debounce time is not negative")
        self._contacts = [Debouncer(rule) for rule in rules]

    @property
    def highest(self) -> int:
        """The highest number in use: the board must have so many inputs. 0: there are none."""
        return max((contact.rule.number for contact in self._contacts), default=0)

    @property
    def due_s(self) -> float | None:
        """Latest monotonic time for the next sample besides polling; None: no change is pending."""
        return min((contact.due_s for contact in self._contacts if contact.due_s is not None), default=None)

    def active(self, kind: InputKind) -> bool | None:
        """Whether a contact is active; None: not wired, or not known (yet, or since the board was lost)."""
        return next((each.active for each in self._contacts if each.rule.kind is kind), None)

    def sample(self, bits: Sequence[bool], at_s: float) -> list[InputEdge]:
        """Take one reading of the board.

        Args:
            bits: its inputs, first one first; True: energised or closed.
            at_s: monotonic time of the reading.

        Returns:
            The changes that this reading settles, in the order of the rules.

        Raises:
            ValueError: the board has fewer inputs than are configured.
        """
        if len(bits) < self.highest:
            raise ValueError(f"the board reports {len(bits)} inputs, number {self.highest} is configured")
        edges = [contact.sample(bits[contact.rule.number - 1], at_s) for contact in self._contacts]
        return [edge for edge in edges if edge is not None]

    def lost(self) -> None:
        """The board cannot be read: all states are unknown, and the next settled ones are `first`."""
        for contact in self._contacts:
            contact.forget()
