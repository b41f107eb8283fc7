"""Events as JSON lines for `edged demo --json`. Pure; the command prints them.

A grant's line waits until the relay has moved (or could not), so that `access_decided` can carry
`frame_to_relay_ms`. All other lines come at once.
"""

from __future__ import annotations

from typing import Any

from edged.events import AccessDecided, DoorUnlocked, Event, GrantNotExecuted, Outcome


class JsonStream:
    """Turns events, in the order of the bus, into objects ready for json.dumps."""

    def __init__(self) -> None:
        self._waiting: dict[str, dict[str, Any]] = {}

    def take(self, event: Event) -> list[dict[str, Any]]:
        """The lines that are due after `event`."""
        line = event.to_dict()
        if isinstance(event, AccessDecided):
            line["frame_to_relay_ms"] = None
            if event.outcome is Outcome.GRANTED:
                self._waiting[event.decision_id] = line
                return []
        if isinstance(event, DoorUnlocked | GrantNotExecuted):
            grant = self._waiting.pop(event.decision_id, None)
            if grant is not None:
                grant["frame_to_relay_ms"] = line.get("frame_to_relay_ms")
                return [grant, line]
        return [line]

    def rest(self) -> list[dict[str, Any]]:
        """Grants whose outcome never came."""
        lines, self._waiting = list(self._waiting.values()), {}
        return lines
