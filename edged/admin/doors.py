"""The doors of the running daemon: their state, and orders to them. The daemon acts and records."""

from __future__ import annotations

from typing import Any, Literal

from edged.admin.actor import Actor
from edged.admin.box import Box
from edged.admin.rights import Right, needs
from edged.ops.control import ask

ModeOrder = Literal["lock", "free", "normal"]


@needs(Right.DOORS_SEE)
def door_status(actor: Actor, box: Box, door: str | None = None) -> list[dict[str, Any]]:
    """State, mode, board, contacts and alarms of each door, or of one.

    Returns:
        JSON values by door, as docs/doors.md shows them for `edged door status --json`.

    Raises:
        NotFound: there is no such door.
        NeedsOperator: `daemon_not_running` and others; see `edged.ops.control.ask`.
    """
    return _doors(ask(box.data_dir, "door.status", door=door))


@needs(Right.DOORS_ORDER)
def open_door(
    actor: Actor, box: Box, door: str | None = None, *, by: str | None = None, extra_time: bool = False
) -> list[dict[str, Any]]:
    """Open once, as for a granted passage.

    Args:
        door: its id; may be None where there is one door.
        by: who says so, for the journal, beside the user whom the kernel names.
        extra_time: the extended open time.

    Returns:
        One answer of JSON values for the door.

    Raises:
        Misconfigured: which door is meant is open.
        NotFound: there is no such door.
        NeedsOperator: the door refuses, or no daemon answers.
    """
    return _doors(ask(box.data_dir, "door.open", door=door, by=by, extra_time=extra_time))


@needs(Right.DOORS_ORDER)
def set_door_mode(
    actor: Actor,
    box: Box,
    mode: ModeOrder,
    door: str | None = None,
    *,
    every: bool = False,
    by: str | None = None,
    for_s: float | None = None,
) -> list[dict[str, Any]]:
    """Lock down, unlock for everybody, or go back to those who are granted.

    Args:
        every: all doors of the box.
        for_s: seconds until the override ends; None: until the hours change next.

    Returns:
        One answer for each door; an answer with `error` and `hint` is a door that refused.

    Raises:
        EdgedError: as for `open_door`; of several doors the refusals are in their answers.
    """
    return _doors(ask(box.data_dir, f"door.{mode}", door=door, all=every, by=by, for_s=for_s))


@needs(Right.DOORS_ORDER)
def acknowledge_alarms(
    actor: Actor, box: Box, door: str | None = None, *, every: bool = False, by: str | None = None
) -> list[dict[str, Any]]:
    """Acknowledge the alarms of a door, or of all. Returns and raises as `set_door_mode`."""
    return _doors(ask(box.data_dir, "door.ack", door=door, all=every, by=by))


def _doors(answer: dict[str, Any]) -> list[dict[str, Any]]:
    doors: list[dict[str, Any]] = answer["doors"]
    return doors
