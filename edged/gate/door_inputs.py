"""What a door learns from outside: its contacts and the hours of the wall clock. For the gate's thread.

Turns settled contacts into inputs of the door machine and knows which mode it should be in. Moves nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from typing import Literal

from edged.clock import Clock
from edged.config import GateConfig
from edged.gate.board.contacts import Contacts, ContactsSeen
from edged.gate.door.inputs import InputEdge, InputKind
from edged.gate.door.machine import Door
from edged.gate.door.model import Action, DoorMode, DoorRules
from edged.gate.door.timetable import ModeOrder, Timetable
from edged.schedule import parse

Tell = Callable[[Door, float], list[Action]]
"""Tells the door machine one thing at a monotonic time."""


class DoorSenses:
    """Contacts and hours of one door.

    Args:
        zone: of the site, for the hours.
        order: of an earlier run, which may still stand.
        on_key: an attendance key was pressed.
    """

    def __init__(
        self,
        config: GateConfig,
        contacts: Contacts,
        clock: Clock,
        *,
        zone: tzinfo,
        order: ModeOrder | None,
        on_key: Callable[[Literal["in", "out"]], None],
    ) -> None:
        self._contacts = contacts
        self._clock = clock
        self._on_key = on_key
        self._hours = Timetable(parse(config.free), parse(config.locked), zone)
        if order is not None:
            self.order(order)

    @property
    def standing_order(self) -> ModeOrder | None:
        """The order that stands in place of the hours."""
        return self._hours.order

    def states(self) -> dict[str, bool | None]:
        """Each wired contact by its key in the configuration: active, not, or (None) not known."""
        return self._contacts.states()

    def hours_change(self, at: datetime) -> datetime | None:
        """When the hours next say something else than at `at`; None: not within a week."""
        return self._hours.next_change(at)

    def order(self, order: ModeOrder) -> None:
        """Somebody has said who may pass."""
        self._hours.give(order, self._clock.now(), self._clock.monotonic())

    def mode(self) -> tuple[DoorMode, Literal["order", "schedule"]]:
        """The mode the door should be in now, and who says so."""
        mode = self._hours.mode(self._clock.now(), self._clock.monotonic())
        return mode, "order" if self._hours.order else "schedule"

    def mode_ends(self) -> datetime | None:
        """Wall time at which the mode ends by itself; None: not within a week."""
        now, monotonic = self._clock.now(), self._clock.monotonic()
        if self._hours.order is None:
            return self._hours.next_change(now)
        due_s = self._hours.due(now, monotonic)
        return now + timedelta(seconds=due_s - monotonic) if math.isfinite(due_s) else None

    def due_s(self, board: bool) -> float:
        """Monotonic time at which there is something to do; `board`: it is connected. Infinite: never."""
        hours_s = self._hours.due(self._clock.now(), self._clock.monotonic())
        contacts_s = self._contacts.due_s(board)
        return hours_s if contacts_s is None else min(hours_s, contacts_s)

    def poll(self, board: bool) -> list[Tell]:
        """Read the contacts that are due. Raises RetryLater: the board is to be taken for lost."""
        if not self._contacts:
            return []
        return [tell for seen in self._contacts.poll(board) for tell in self._meaning(seen)]

    def board_lost(self) -> list[Tell]:
        """Nothing is known any more of the contacts that are read through the board."""
        return self._unknown(self._contacts.board_lost())

    def close(self) -> None:
        """Give back what was taken for reading."""
        self._contacts.close()

    def _meaning(self, seen: ContactsSeen) -> list[Tell]:
        told = self._unknown(seen.lost)
        if seen.problem is not None:
            what = f"Contacts cannot be read: {seen.problem}"
            told.append(lambda door, now: door.trouble(now, "inputs_lost", what))
        if seen.ended:
            told.append(lambda door, now: door.trouble(now, "inputs_lost", None))
        told += [tell for edge in seen.edges if (tell := self._edge(edge))]
        return told

    def _edge(self, edge: InputEdge) -> Tell | None:
        active, first = edge.active, edge.first
        match edge.kind:
            case InputKind.DOOR:
                return lambda door, now: door.contact(now, active, first=first)
            case InputKind.FIRE:
                return lambda door, now: door.fire(now, active)
            case InputKind.TAMPER:
                return lambda door, now: door.tamper(now, active)
        if first or not active:  # what is a moment counts when it begins, and only when that was seen
            return None
        match edge.kind:
            case InputKind.EXIT:
                return lambda door, now: door.rex(now)
            case InputKind.PASSAGE | InputKind.PASSAGE_OUT as kind:
                return lambda door, now: door.passage(now, out=kind is InputKind.PASSAGE_OUT)
            case InputKind.KEY_IN | InputKind.KEY_OUT as kind:
                self._on_key("in" if kind is InputKind.KEY_IN else "out")
        return None

    def _unknown(self, lost: tuple[InputKind, ...]) -> list[Tell]:
        """Fire stays as it was last seen: what cannot be read never locks a door."""
        return [lambda door, now: door.contact_unknown(now)] if InputKind.DOOR in lost else []


def door_rules(config: GateConfig) -> DoorRules:
    """The rules of the door machine, as configured."""
    return DoorRules(
        mode=config.mode,
        pulse_s=config.pulse_s,
        hold_s=config.hold_s,
        max_on_s=config.max_on_s,
        min_interval_s=config.min_interval_s,
        queue=config.queue,
        has_contact=config.door_contact is not None,
        has_passage=config.passage_sensor is not None,
        has_passage_out=config.passage_out is not None,
        free_exit=config.free_exit,
        passage_window_s=config.passage_window_s,
        relock_on=config.relock_on,
        rex_unlocks=config.rex_unlocks,
        held_warn_s=config.held_warn_s,
        held_alarm_s=config.held_alarm_s,
        accessibility_factor=config.accessibility_factor,
    )
