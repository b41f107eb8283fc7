"""State of each passage as vision needs it: go on measuring, stop, or start a new one."""

from __future__ import annotations

import threading
from collections import OrderedDict
from enum import Enum
from typing import TypeVar

from edged.bus import EventBus, Overflow
from edged.events import AccessDecided, FaceIdentified, Outcome

_REMEMBERED = 1024

_V = TypeVar("_V")


class PassageState(Enum):
    """Where one passage stands."""

    OPEN = "open"
    """No decision yet: more shots help."""
    SETTLED = "settled"
    """Recognition is sure, or the passage is granted: no more shots."""
    DENIED = "denied"
    """Denied. Someone who stays in view gets a new passage after a pause."""


class PassageVerdicts:
    """Follows `FaceIdentified` and `AccessDecided` on the bus. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._states: OrderedDict[str, PassageState] = OrderedDict()
        self._promising: OrderedDict[str, bool] = OrderedDict()
        self._verdicts: OrderedDict[str, tuple[str, ...]] = OrderedDict()

    def attach(self, bus: EventBus) -> None:
        """Subscribe."""
        kinds: tuple[type[FaceIdentified | AccessDecided], ...] = (FaceIdentified, AccessDecided)
        bus.subscribe(kinds, self.take_in, name="passages", overflow=Overflow.DROP_OLDEST)

    def take_in(self, event: FaceIdentified | AccessDecided) -> None:
        """Note the state that `event` gives its passage."""
        if event.passage_id is None:
            return
        with self._lock:
            if isinstance(event, AccessDecided):
                denied = event.outcome is Outcome.DENIED
                _note(self._states, event.passage_id, PassageState.DENIED if denied else PassageState.SETTLED)
                _note(self._verdicts, event.passage_id, event.reasons)
            elif event.final:
                _note(self._states, event.passage_id, PassageState.SETTLED)
            else:
                _note(self._promising, event.passage_id, event.agreeing_shots > 0)

    def verdict(self, passage_id: str) -> tuple[str, ...] | None:
        """The reasons of the decision, the deciding one first; None while there is none."""
        with self._lock:
            return self._verdicts.get(passage_id)

    def spoof_suspected(self, passage_id: str) -> bool:
        """The passage was denied because the face may be a picture of one."""
        return bool({"spoof_suspected", "not_live"} & set(self.verdict(passage_id) or ()))

    def promising(self, passage_id: str) -> bool | None:
        """Whether another shot may confirm the latest answer; None before the first answer."""
        with self._lock:
            return self._promising.get(passage_id)

    def state(self, passage_id: str) -> PassageState:
        """Where the passage stands; OPEN for an unknown one."""
        with self._lock:
            return self._states.get(passage_id, PassageState.OPEN)


def _note(memory: OrderedDict[str, _V], passage_id: str, value: _V) -> None:
    memory[passage_id] = value
    memory.move_to_end(passage_id)
    while len(memory) > _REMEMBERED:
        memory.popitem(last=False)
