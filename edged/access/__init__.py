"""May this person pass this door now: rules as pure functions, and the service that applies them."""

from edged.access.rules import Decision, DoorPolicy, PersonRecord, Request, Snapshot, decide

__all__ = ["Decision", "DoorPolicy", "PersonRecord", "Request", "Snapshot", "decide"]
