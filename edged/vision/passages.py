"""What has become of each passage, as far as vision must know: go on measuring, stop, or start a new one."""

from __future__ import annotations

import threading
from collections import OrderedDict
from enum import Enum

from edged.bus import EventBus, Overflow
from edged.events import AccessDecided, FaceIdentified, Outcome

_REMEMBERED = 1024


class PassageState(Enum):
    """Where one passage stands."""

    OPEN = "open"
    """No decision is in sight: shots are welcome."""
    SETTLED = "settled"
    """Recognition is sure, or the person was let in: no more shots."""
    DENIED = "denied"
    """Denied. Someone who stays in view gets a new passage after a pause."""


class PassageBook:
    """Follows `FaceIdentified` and `AccessDecided` on the bus. Safe to ask from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._states: OrderedDict[str, PassageState] = OrderedDict()

    def attach(self, bus: EventBus) -> None:
        """Subscribe."""
        bus.subscribe(
            (FaceIdentified, AccessDecided), self.take_in, name="passages", overflow=Overflow.DROP_OLDEST
        )

    def take_in(self, event: FaceIdentified | AccessDecided) -> None:
        """Note what `event` says of its passage."""
        if event.passage_id is None or (isinstance(event, FaceIdentified) and not event.final):
            return
        denied = isinstance(event, AccessDecided) and event.outcome is Outcome.DENIED
        with self._lock:
            self._states[event.passage_id] = PassageState.DENIED if denied else PassageState.SETTLED
            self._states.move_to_end(event.passage_id)
            while len(self._states) > _REMEMBERED:
                self._states.popitem(last=False)

    def state(self, passage_id: str) -> PassageState:
        """Where the passage stands; OPEN when nothing was heard of it."""
        with self._lock:
            return self._states.get(passage_id, PassageState.OPEN)
