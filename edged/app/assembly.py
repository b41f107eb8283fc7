"""Makes the parts, starts them from top to bottom, stops them, and asks all for their health."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import structlog

from edged.app.health import StateTimes, health_of
from edged.app.part import Part, PartHealth
from edged.app.parts import FLOW, STOP_FIRST, PartFactory
from edged.app.site import Site
from edged.app.stop_in_turn import stop_in_turn

DRAIN_S = 5.0

_log = structlog.get_logger(__name__)


class Assembly:
    """The parts of one daemon, in the order of their table."""

    def __init__(self, site: Site, factories: Sequence[PartFactory]) -> None:
        self._site = site
        self._factories = factories
        self._parts: list[Part] = []
        self._begun: dict[str, Part] = {}
        self._started: set[str] = set()
        self._times = StateTimes(site.clock)

    def start(self) -> None:
        """Make all parts, then start one after the other. `stop` must follow, also when this raises.

        Raises:
            EdgedError: what the first part that cannot start raises.
        """
        self._parts = [make(self._site) for make in self._factories]
        for part in self._parts:
            self._begun[part.name] = part
            part.start()
            self._site.offer(part.jobs(), part.commands())
            self._started.add(part.name)

    def finish(self) -> None:
        """Wait, along the way from a frame to a relay, until what has begun is done; a limited time."""
        for name in FLOW:
            if name in self._begun:
                _ended(self._begun[name], self._begun[name].finish)
            self._site.bus.drain(DRAIN_S)

    def stop(self, limit_s: float) -> bool:
        """Stop what moves within `limit_s`, then the bus, then close all parts from bottom to top.

        Returns:
            True when everything that moves ended in time, and no part raised.
        """
        site, begun = self._site, list(self._begun.values())
        self._started.clear()
        for part in begun:
            for name in part.beats():
                site.heartbeats.forget(name)
        asked = [_ended(part, part.ask_to_stop) for part in begun]
        moving = [self._begun[name] for name in STOP_FIRST if name in self._begun]
        stops = [partial(_ended, part, part.stop) for part in moving]
        in_time = stop_in_turn([*stops, site.bus.close], limit_s, site.clock)
        closed = [_ended(part, part.close) for part in reversed(begun)]
        return in_time and all([*asked, *closed])

    def health(self) -> list[PartHealth]:
        """The health of every part, in the order of the table; empty before the parts are made."""
        hung = self._site.heartbeats.stale()
        return [
            self._times.dated(health_of(part, started=part.name in self._started, hung=hung))
            for part in self._parts
        ]


def _ended(part: Part, end: Callable[..., bool | None], *arguments: float) -> bool:
    """Whether a step of ending did what it should. None, of a step that tells nothing, counts as yes."""
    try:
        return end(*arguments) is not False
    except Exception:  # noqa: BLE001 - the parts after this one still get their turn: a relay may be on
        _log.exception("part_not_ended", part=part.name)
        return False
