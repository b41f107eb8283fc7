"""May this person pass this door now: one service for the site, and its rules as pure functions.

`decide` is the pure core, `AccessService` applies it to what recognition finds, `SiteState` is what the site
remembers between two decisions.
"""

from edged.access.decide import decide
from edged.access.model import AccessRule, Decision, DoorPolicy, PersonRecord, Request, Snapshot
from edged.access.service import AccessDoor, AccessService
from edged.access.site_state import SiteState

__all__ = [
    "AccessDoor",
    "AccessRule",
    "AccessService",
    "Decision",
    "DoorPolicy",
    "PersonRecord",
    "Request",
    "SiteState",
    "Snapshot",
    "decide",
]
