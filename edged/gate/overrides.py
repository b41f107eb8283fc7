"""Operator commands for the doors: open, lock down, unlock, back to normal, acknowledge; and their status.

Every order, a refused one as well, becomes a `DoorOrdered` that is committed before anything moves because of
it. This module does not know how an order arrived (command line, page).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from edged.clock import Clock, iso
from edged.command import Asker, Command
from edged.errors import EdgedError, Misconfigured, NeedsOperator, NotFound, RetryLater
from edged.events import DoorOrdered, Event, GrantNotExecuted
from edged.gate.door.model import DoorMode, Grant, QueuedGrant, RefusedGrant
from edged.gate.door.timetable import ModeOrder
from edged.gate.override_store import OverrideStore
from edged.gate.service import GateService
from edged.ids import new_id
from edged.reasons import describe

LONGEST_S = 366 * 86_400.0
"""Longest timed override. For anything longer, change the configuration."""
MODES = {"lock": DoorMode.LOCKED, "free": DoorMode.FREE, "normal": DoorMode.NORMAL}
_PASSING = ("too_soon", "door_busy", "gate_busy", "board_offline", "grant_expired", "interlocked")
"""Refusals that may pass within moments."""


@dataclass(frozen=True)
class _Order:
    """One order as received."""

    asker: Asker
    door_id: str
    action: str
    by: str | None
    seconds: float | None
    extra_time: bool = False


class OrderDesk:
    """Takes the orders for all doors of the box.

    Args:
        gates: by door id.
        store: keeps overrides over a restart.
        commit: writes an order durably or raises an EdgedError, which stops the order.
        publish: takes the events for everybody else, committed ones included.
    """

    def __init__(
        self,
        gates: Mapping[str, GateService],
        store: OverrideStore,
        clock: Clock,
        *,
        commit: Callable[[DoorOrdered], object],
        publish: Callable[[Event], object],
    ) -> None:
        self._gates = dict(gates)
        self._store = store
        self._clock = clock
        self._commit = commit
        self._publish = publish

    def commands(self) -> dict[str, Command]:
        """By name: `door.status`, `door.open`, `door.lock`, `door.free`, `door.normal`, `door.ack`.

        Arguments: `door` (an id; may be left out when there is one), `all` (true: every door, not for open),
        `by` (the name they give), `for_s` (lock, free, normal: seconds), `extra_time` (open). Each returns
        `{"doors": [...]}` and raises an EdgedError with code and hint when the order is refused; with `all`
        a refusal is the entry of its door, with `code`, `error` and `hint`.
        """
        actions = ("open", *MODES, "ack")
        return {"door.status": self._status, **{f"door.{a}": partial(self._order, a) for a in actions}}

    # -- commands

    def _status(self, asker: Asker, arguments: dict[str, Any]) -> dict[str, Any]:
        chosen = self._doors(arguments, every=arguments.get("door") is None)
        return {"doors": [{"door": door_id, **self._gates[door_id].health()} for door_id in chosen]}

    def _order(self, action: str, asker: Asker, arguments: dict[str, Any]) -> dict[str, Any]:
        every = _flag(arguments.get("all")) and action != "open"
        by = _name(arguments.get("by"))
        seconds = _seconds(arguments.get("for_s")) if action in MODES else None
        extra_time = _flag(arguments.get("extra_time"))
        chosen = self._doors(arguments, every=every)
        orders = [_Order(asker, door_id, action, by, seconds, extra_time) for door_id in chosen]
        if len(orders) == 1:
            return {"doors": [self._carry_out(orders[0])]}
        return {"doors": [self._try(order) for order in orders]}

    def _try(self, order: _Order) -> dict[str, Any]:
        """One of several doors: a refusal of one must not keep the others from being locked."""
        try:
            return self._carry_out(order)
        except EdgedError as error:
            return {
                "door": order.door_id,
                "action": order.action,
                "code": error.code,
                "error": error.message,
                "hint": error.hint,
            }

    def _doors(self, arguments: dict[str, Any], *, every: bool) -> list[str]:
        if every:
            return list(self._gates)
        door_id, known = arguments.get("door"), ", ".join(self._gates)
        if door_id is None and len(self._gates) == 1:
            return list(self._gates)
        if door_id is None:
            raise Misconfigured("Which door?", code="door_not_named", hint=f"Name one of: {known}.")
        if not isinstance(door_id, str) or door_id not in self._gates:
            what = f"There is no door {str(door_id)[:50]!r}."
            raise NotFound(what, code="door_unknown", hint=f"The doors are: {known}.")
        return [door_id]

    def _carry_out(self, order: _Order) -> dict[str, Any]:
        if order.action == "open":
            return self._open(order)
        if order.action == "ack":
            return self._acknowledge(order)
        return self._set_mode(order)

    # -- actions

    def _open(self, order: _Order) -> dict[str, Any]:
        gate, now_s = self._gates[order.door_id], self._clock.monotonic()
        expires_s = now_s + gate.grant_ttl_s
        if not gate.ready:
            raise self._refused(order, "board_offline", "The relay board is not connected.")
        event = self._event(order, expires_s=expires_s)
        self._record(order, event)
        grant = Grant(
            decision_id=event.decision_id,
            person_id=None,
            expires_s=expires_s,
            extra_time=order.extra_time,
            decided_s=now_s,
        )
        try:
            answer = gate.open_once(grant)
        except RetryLater as error:
            self._publish(
                GrantNotExecuted(
                    at=self._clock.now(),
                    door_id=order.door_id,
                    decision_id=event.decision_id,
                    code=error.code,
                    reason=error.message,
                )
            )
            raise
        if isinstance(answer, RefusedGrant):
            raise _refusal(order.door_id, answer.code, answer.reason)
        waits = isinstance(answer, QueuedGrant)
        return self._answer(order, event, outcome="queued" if waits else "opened")

    def _set_mode(self, order: _Order) -> dict[str, Any]:
        gate, now = self._gates[order.door_id], self._clock.now()
        until = None if order.seconds is None else now + timedelta(seconds=order.seconds)
        change = gate.hours_change(now) if until is None else None
        wanted = ModeOrder(MODES[order.action], now, until, change)
        if wanted.mode is DoorMode.FREE and gate.interlocked:
            raise self._refused(order, "order_free_interlocked", "The door belongs to an interlock.")
        if wanted.mode is DoorMode.FREE and not wanted.has_end:
            raise self._refused(order, "order_needs_end", "The door would be free without an end.")
        event = self._event(order, until=until)
        self._record(order, event)
        try:
            self._store.keep(order.door_id, wanted)
        finally:  # a lockdown that would not survive a restart is better than none
            gate.order_mode(wanted)
        return self._answer(order, event, outcome=wanted.mode.value)

    def _acknowledge(self, order: _Order) -> dict[str, Any]:
        event = self._event(order)
        self._record(order, event)
        codes = self._gates[order.door_id].acknowledge(order.by or order.asker.user or "unknown")
        return self._answer(order, event, outcome="acknowledged", alarms=codes)

    # -- the record

    def _event(self, order: _Order, **more: Any) -> DoorOrdered:
        now = self._clock.now()
        return DoorOrdered(
            at=now,
            door_id=order.door_id,
            decision_id=new_id("o", now),
            action=order.action,
            user=order.asker.user,
            uid=order.asker.uid,
            by=order.by,
            **more,
        )

    def _record(self, order: _Order, event: DoorOrdered) -> None:
        """Commit and publish. Raises what `commit` raises, after publishing the refusal."""
        try:
            self._commit(event)
        except EdgedError as error:
            self._publish(self._event(order, code="journal_unavailable", reason=error.message))
            raise
        self._publish(event)

    def _refused(self, order: _Order, code: str, reason: str) -> EdgedError:
        self._publish(self._event(order, code=code, reason=reason))
        return _refusal(order.door_id, code, reason)

    def _answer(self, order: _Order, event: DoorOrdered, **more: Any) -> dict[str, Any]:
        health = self._gates[order.door_id].health()
        return {
            "door": order.door_id,
            "action": order.action,
            "decision_id": event.decision_id,
            "until": None if event.until is None else iso(event.until),
            **more,
            **{key: health[key] for key in ("state", "mode", "mode_by", "mode_until", "ready")},
        }


def door_commands(
    gates: Mapping[str, GateService],
    store: OverrideStore,
    clock: Clock,
    *,
    commit: Callable[[DoorOrdered], object],
    publish: Callable[[Event], object],
) -> dict[str, Command]:
    """The commands of `OrderDesk`, for the control server."""
    return OrderDesk(gates, store, clock, commit=commit, publish=publish).commands()


def _refusal(door_id: str, code: str, reason: str) -> EdgedError:
    kind = RetryLater if code in _PASSING else NeedsOperator
    return kind(f"{door_id}: {reason}", code=code, hint=describe(code).advice)


def _name(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > 80 or re.search(r"[\x00-\x1f\x7f]", value):
        raise Misconfigured(
            "The name of who gives the order cannot be used.",
            code="order_malformed",
            hint="Up to 80 ordinary characters.",
        )
    return value


def _flag(value: Any) -> bool:
    if not (value is None or isinstance(value, bool)):
        raise Misconfigured(
            f"{str(value)[:50]!r} is neither true nor false.", code="order_malformed", hint="Leave it out."
        )
    return value is True


def _seconds(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value <= LONGEST_S:
        raise Misconfigured(
            "The time of the order cannot be used.",
            code="order_malformed",
            hint="From one second to a year, e.g. --for 30m.",
        )
    return float(value)
