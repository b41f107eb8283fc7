"""Delivery to other systems: state of the targets, pause and resume, dead letters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from edged.admin.actor import Actor
from edged.admin.box import Box
from edged.admin.rights import Right, needs
from edged.delivery.outbox import DeadLetter, Outbox, place_dict
from edged.errors import NeedsOperator, NotFound
from edged.journal import JournalReader, journal_path
from edged.ops.control import ask

T = TypeVar("T")
_NOT_RUNNING = "daemon_not_running"


@needs(Right.DELIVERY_SEE)
def delivery_status(actor: Actor, box: Box) -> list[dict[str, Any]]:
    """How far each target is, from the running daemon, or without one from its database.

    Returns:
        JSON values by target, as docs/delivery.md shows them; `state` is `not_running` or `paused` without a
        daemon.

    Raises:
        NotFound: nothing was ever delivered here.
        NeedsOperator: the daemon does not answer.
    """
    try:
        targets: list[dict[str, Any]] = ask(box.data_dir, "delivery.status")["targets"]
    except NeedsOperator as error:
        if error.code != _NOT_RUNNING:
            raise
        return _without_daemon(box)
    return targets


@needs(Right.DELIVERY_CHANGE)
def pause_target(actor: Actor, box: Box, target: str) -> bool:
    """Send nothing to a target until it is resumed, also after a restart. False: it was paused already.

    Raises:
        NotFound: there is no such target.
    """
    by = actor.user
    return _order(
        box, "delivery.pause", "changed", lambda outbox: outbox.pause(target, by), target=target, by=by
    )


@needs(Right.DELIVERY_CHANGE)
def resume_target(actor: Actor, box: Box, target: str) -> bool:
    """Go on sending at once, and end the wait after failures. False: it was not paused. Raises NotFound."""
    return _order(box, "delivery.resume", "changed", lambda outbox: outbox.resume(target), target=target)


@needs(Right.DELIVERY_SEE)
def list_dead_letters(
    actor: Actor, box: Box, target: str | None = None, *, limit: int | None = None
) -> list[DeadLetter]:
    """Records that a target refused, and why. Raises NotFound for an unknown target."""
    with _outbox(box) as outbox:
        if target is not None:
            outbox.place(target)
        return outbox.dead_letters(target, limit)


@needs(Right.DELIVERY_CHANGE)
def retry_dead_letters(actor: Actor, box: Box, target: str, letter: int | None = None) -> int:
    """Send dead letters of a target again, before anything else; how many.

    Args:
        letter: number of the only one meant.

    Raises:
        NotFound: there is no such target or letter.
    """
    return _order(
        box,
        "delivery.retry",
        "letters",
        lambda outbox: outbox.retry(target, letter),
        target=target,
        letter=letter,
    )


# -- inside


def _order(box: Box, command: str, key: str, alone: Callable[[Outbox], T], **arguments: Any) -> T:
    """Have the daemon do it and take `key` of its answer; when none runs, do it for the next one."""
    try:
        answer: T = ask(box.data_dir, command, **arguments)[key]
    except NeedsOperator as error:
        if error.code != _NOT_RUNNING:
            raise
    else:
        return answer
    with _outbox(box, writing=True) as outbox:
        return alone(outbox)


@contextmanager
def _outbox(box: Box, *, writing: bool = False) -> Iterator[Outbox]:
    outbox = Outbox.open_readonly(box.data_dir, box.clock)  # raises when there is none, instead of making one
    if writing:
        outbox.close()
        outbox = Outbox.open(box.data_dir, box.clock)
    try:
        yield outbox
    finally:
        outbox.close()


def _without_daemon(box: Box) -> list[dict[str, Any]]:
    with _outbox(box) as outbox:
        places = [place for place in outbox.places() if place.configured]
    newest = _newest_seq(box)
    return [
        {**place_dict(place, newest), "state": "paused" if place.paused_at else "not_running"}
        for place in places
    ]


def _newest_seq(box: Box) -> int:
    try:
        journal = JournalReader.open_readonly(journal_path(box.data_dir))
    except NotFound:
        return 0
    try:
        records = journal.list(limit=1)
        return records[0].seq if records else 0
    finally:
        journal.close()
