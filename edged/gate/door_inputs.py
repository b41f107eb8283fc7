"""Inputs of a door from outside: its contacts and the hours of the wall clock. For the gate's thread.

Turns settled contacts into inputs of the door machine and gives the mode it should be in. Moves nothing.
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
"""Gives the door machine one input at a monotonic time."""


class DoorSenses:
    """Contacts and hours of one door.

    Args:
        zone: time zone of the site, for the hours.
        order: override of an earlier run, which may still be in force.
        on_key: called when an attendance key is pressed.
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
        """The order in force; None: the hours count."""
        return self._hours.order

    def states(self) -> dict[str, bool | None]:
        """Each wired contact by its key in the configuration: active, not, or (None) not known."""
        return self._contacts.states()

    def hours_change(self, at: datetime) -> datetime | None:
        """When the hours next give another mode than at `at`; None: not within a week."""
        return self._hours.next_change(at)

    def order(self, order: ModeOrder) -> None:
        """Put a manual override in force."""
        self._hours.give(order, self._clock.now(), self._clock.monotonic())

    def mode(self) -> tuple[DoorMode, Literal["order", "schedule"]]:
        """The mode the door should be in now, and its source."""
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
        """Monotonic time of the next work; `board`: the board is connected. Infinite: never."""
        hours_s = self._hours.due(self._clock.now(), self._clock.monotonic())
        contacts_s = self._contacts.due_s(board)
        return hours_s if contacts_s is None else min(hours_s, contacts_s)

    def poll(self, board: bool) -> list[Tell]:
        """Read the contacts that are due. Raises RetryLater: the board counts as lost."""
        if not self._contacts:
            return []
        return [tell for seen in self._contacts.poll(board) for tell in self._meaning(seen)]

    def board_lost(self) -> list[Tell]:
        """The contacts on the board are unknown from now on."""
        return self._unknown(self._contacts.board_lost())

    def close(self) -> None:
        """Release the lines taken for reading."""
        self._contacts.close()

    def _meaning(self, seen: ContactsSeen) -> list[Tell]:
        inputs = self._unknown(seen.lost)
        if seen.problem is not None:
            what = f"Contacts cannot be read: {seen.problem}"
            inputs.append(lambda door, now: door.trouble(now, "inputs_lost", what))
        if seen.ended:
            inputs.append(lambda door, now: door.trouble(now, "inputs_lost", None))
        inputs += [tell for edge in seen.edges if (tell := self._edge(edge))]
        return inputs

    def _edge(self, edge: InputEdge) -> Tell | None:
        active, first = edge.active, edge.first
        match edge.kind:
            case InputKind.DOOR:
                return lambda door, now: door.contact(now, active, first=first)
            case InputKind.FIRE:
                return lambda door, now: door.fire(now, active)
            case InputKind.TAMPER:
                return lambda door, now: door.tamper(now, active)
        if first or not active:  # a momentary contact counts at its beginning, if that was seen
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
        """Fire keeps its last state: an unreadable contact never locks a door."""
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
