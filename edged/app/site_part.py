"""The beginning of a part: it knows the site, closes what it opened, and has none of what a part may have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict

from edged.app.part import PartHealth, PartState, PlainValue, TimedJob
from edged.app.site import Site
from edged.command import Command


class SitePart:
    """Fulfils `Part` but for `start` and `health`.

    Attributes:
        name: how the part is called in the table, in health and in messages.
    """

    name = ""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._stack = ExitStack()

    def finish(self) -> None:
        """Nothing to wait for."""

    def ask_to_stop(self) -> None:
        """Nothing to begin: `close` ends it."""

    def stop(self, timeout_s: float) -> bool:
        """Nothing moves here."""
        return True

    def close(self) -> None:
        """Close what `start` has opened, last first."""
        self._stack.close()

    def beats(self) -> Sequence[str]:
        """No thread is watched."""
        return ()

    def jobs(self) -> Sequence[TimedJob]:
        """No timed jobs."""
        return ()

    def commands(self) -> Mapping[str, Command]:
        """No commands."""
        return {}

    # -- for health

    def _is(self, state: PartState, summary: str, **details: PlainValue) -> PartHealth:
        return PartHealth(self.name, state, summary, details)

    def _subscriber(self, name: str) -> dict[str, PlainValue]:
        """Counters of a subscription of this part; empty when there is none."""
        counters = self._site.bus.counters().get(name)
        return {} if counters is None else asdict(counters)
