"""What people agree to: the ledger of one person, and a new entry in it."""

from __future__ import annotations

from edged.admin.actor import Actor
from edged.admin.box import Box, opened_library
from edged.admin.rights import Right, needs
from edged.errors import Misconfigured
from edged.library.consent import CLOUD, Consent

__all__ = ["CLOUD", "Consent", "list_consents", "record_consent"]


@needs(Right.PEOPLE_SEE)
def list_consents(actor: Actor, box: Box, person_id: str) -> tuple[Consent, ...]:
    """The ledger of one person, oldest entry first. Raises NotFound (`person_unknown`)."""
    with opened_library(box) as store:
        store.get(person_id)
        return store.consents(person_id)


@needs(Right.CONSENTS_RECORD)
def record_consent(
    actor: Actor, box: Box, person_id: str, purpose: str, *, given: bool, recorded_by: str, note: str = ""
) -> tuple[Consent, ...]:
    """Record that a person gives (`given`) or withdraws consent to a purpose; the ledger after it.

    Without consent to `cloud` nothing of a person leaves the box; withdrawing it queues the deletion of what
    is in the cloud.

    Raises:
        NotFound: `person_unknown`.
        Misconfigured: `bad_name` of the person who records it, `bad_purpose` or `bad_note`.
    """
    with opened_library(box) as store:
        store.get(person_id)
        if not recorded_by:
            raise Misconfigured(
                "Nobody is named who records this.", code="bad_name", hint="Name yourself with --by."
            )
        store.record_consent(person_id, purpose, given=given, recorded_by=recorded_by, note=note)
        return store.consents(person_id)
