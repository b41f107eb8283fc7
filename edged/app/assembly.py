"""Makes the parts, starts them from top to bottom, stops them, and asks all for their health."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from edged.app.health import StateTimes, health_of
from edged.app.part import Part, PartHealth
from edged.app.parts import FLOW, STOP_FIRST, PartFactory
from edged.app.site import Site

LEAST_STOP_S = 0.1
"""A part whose turn to stop comes late still gets this long."""

DRAIN_S = 5.0


class Assembly:
    """The parts of one daemon, in the order of their table."""

    def __init__(self, site: Site, factories: Sequence[PartFactory]) -> None:
        self._site = site
        self._factories = factories
        self._parts: list[Part] = []
        self._begun: dict[str, Part] = {}
        self._started: set[str] = set()
        self._times = StateTimes(site.clock)
        self._stack = ExitStack()

    def start(self) -> None:
        """Make all parts, then start one after the other. `stop` must follow, also when this raises.

        Raises:
            EdgedError: what the first part that cannot start raises.
        """
        self._parts = [make(self._site) for make in self._factories]
        for part in self._parts:
            self._begun[part.name] = part
            self._stack.callback(part.close)
            part.start()
            self._site.offer(part.jobs(), part.commands())
            self._started.add(part.name)

    def finish(self) -> None:
        """Wait, along the way from a frame to a relay, until what has begun is done; a limited time."""
        for name in FLOW:
            if name in self._begun:
                self._begun[name].finish()
            self._site.bus.drain(DRAIN_S)

    def stop(self, limit_s: float) -> bool:
        """Stop what moves within `limit_s`, then the bus, then close all parts from bottom to top.

        Returns:
            True when everything that moves ended in time.
        """
        site, until_s = self._site, self._site.clock.monotonic() + limit_s
        for part in self._begun.values():
            for name in part.beats():
                site.heartbeats.forget(name)
        for part in self._begun.values():
            part.ask_to_stop()
        stops = [self._begun[name].stop for name in STOP_FIRST if name in self._begun]
        in_time = [
            stop(max(LEAST_STOP_S, until_s - site.clock.monotonic())) for stop in (*stops, site.bus.close)
        ]
        self._stack.close()
        return all(in_time)

    def health(self) -> list[PartHealth]:
        """The health of every part, in the order of the table; empty before the parts are made."""
        hung = self._site.heartbeats.stale()
        return [
            self._times.dated(health_of(part, started=part.name in self._started, hung=hung))
            for part in self._parts
        ]
