"""Groups of people: which there are, and who joins them."""

from __future__ import annotations

from collections.abc import Sequence

from edged.admin.actor import Actor
from edged.admin.box import Box, opened_library
from edged.admin.rights import Right, needs
from edged.library.reader import Group


@needs(Right.PEOPLE_SEE)
def list_groups(actor: Actor, box: Box) -> tuple[Group, ...]:
    """All groups by id, with the number of their members."""
    with opened_library(box) as store:
        return store.groups()


@needs(Right.PEOPLE_CHANGE)
def join_groups(actor: Actor, box: Box, person_id: str, groups: Sequence[str]) -> bool:
    """Add a person to groups, made when they do not exist. True when that changed anything.

    Raises:
        NotFound: `person_unknown`.
        Misconfigured: `bad_id` of a group.
    """
    with opened_library(box) as store:
        return store.add_to_groups(person_id, groups)
