"""Which right each function of this package needs, and whether an actor has it."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from edged.errors import NeedsOperator

if TYPE_CHECKING:
    from edged.admin.actor import Actor

P = ParamSpec("P")
R = TypeVar("R")


class Right(StrEnum):
    """Rights by area: to see it, and to change it."""

    PEOPLE_SEE = "people.see"
    PEOPLE_CHANGE = "people.change"
    PEOPLE_ERASE = "people.erase"
    CONSENTS_RECORD = "consents.record"
    DOORS_SEE = "doors.see"
    DOORS_ORDER = "doors.order"
    RECORDS_SEE = "records.see"
    ATTENDANCE_SEE = "attendance.see"
    ATTENDANCE_CORRECT = "attendance.correct"
    DELIVERY_SEE = "delivery.see"
    DELIVERY_CHANGE = "delivery.change"
    CLOUD_SEE = "cloud.see"
    CLOUD_CHANGE = "cloud.change"
    BOX_SEE = "box.see"
    BOX_CHANGE = "box.change"


_ATTRIBUTE = "needed_right"


def needs(
    right: Right,
) -> Callable[[Callable[Concatenate[Actor, P], R]], Callable[Concatenate[Actor, P], R]]:
    """Decorator: the function runs only for an actor who has `right`.

    The question is asked when the function is called, also for a generator that runs later.

    Raises:
        NeedsOperator: `not_allowed`, from the decorated function.
    """

    def declare(function: Callable[Concatenate[Actor, P], R]) -> Callable[Concatenate[Actor, P], R]:
        @wraps(function)
        def checked(actor: Actor, /, *args: P.args, **kwargs: P.kwargs) -> R:
            require(actor, right)
            return function(actor, *args, **kwargs)

        setattr(checked, _ATTRIBUTE, right)
        return checked

    return declare


def needed(function: Callable[..., object]) -> Right | None:
    """The right that `function` declares; None for a function without one."""
    right = getattr(function, _ATTRIBUTE, None)
    return right if isinstance(right, Right) else None


def may(actor: Actor, function: Callable[..., object]) -> bool:
    """Whether `actor` may call `function`. Nobody may call a function that declares no right."""
    right = needed(function)
    return right is not None and right in actor.role.rights


def require(actor: Actor, right: Right) -> None:
    """Return when `actor` has `right`. Raises NeedsOperator (`not_allowed`) otherwise."""
    if right not in actor.role.rights:
        raise NeedsOperator(
            f"{actor.user} ({actor.role.name}) has no right to {right}.",
            code="not_allowed",
            hint="Ask somebody who has it, or have the role changed.",
        )
