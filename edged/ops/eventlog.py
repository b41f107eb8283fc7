"""Which events get a line in the log, and at which level."""

from __future__ import annotations

import structlog

from edged.events import (
    AccessDecided,
    BackupFailed,
    BackupMade,
    CameraConnected,
    CameraLost,
    ClockStepped,
    ComponentFailed,
    DaemonStarted,
    DaemonStopping,
    DeliveryDegraded,
    DeliveryRecovered,
    DoorLocked,
    DoorModeChanged,
    DoorOrdered,
    DoorUnlocked,
    Event,
    GateAlarmAcknowledged,
    GateAlarmEnded,
    GateAlarmRaised,
    GateConnected,
    GateLost,
    GrantNotExecuted,
    JournalFilling,
    JournalRestored,
    LibraryChanged,
    RecordPutAside,
    SourceEnded,
    SubscriberFailed,
    SubscriberOverflowed,
)

_LEVELS: dict[type[Event], str] = {
    DaemonStarted: "info",
    DaemonStopping: "info",
    CameraConnected: "info",
    SourceEnded: "info",
    GateConnected: "info",
    AccessDecided: "info",
    DoorUnlocked: "info",
    DoorLocked: "info",
    DoorModeChanged: "info",
    DoorOrdered: "info",
    GateAlarmAcknowledged: "info",
    GateAlarmEnded: "info",
    LibraryChanged: "info",
    DeliveryRecovered: "info",
    DeliveryDegraded: "warning",
    RecordPutAside: "warning",
    CameraLost: "warning",
    GateLost: "warning",
    GrantNotExecuted: "warning",
    SubscriberOverflowed: "warning",
    SubscriberFailed: "error",
    ComponentFailed: "error",
    BackupMade: "info",
    BackupFailed: "error",
    ClockStepped: "warning",
    JournalFilling: "error",
    JournalRestored: "error",
    GateAlarmRaised: "error",
}

_LONG = ("rules", "measures", "timings_ms")
"""Fields that are in the journal and would drown a log line."""


class EventLog:
    """A bus subscriber that writes log lines; events not listed above are logged at debug level."""

    def __init__(self) -> None:
        self._log = structlog.get_logger("edged")

    def take(self, event: Event) -> None:
        """Log one event."""
        fields = event.to_dict()
        name = fields.pop("event")
        del fields["at"]
        for field in _LONG:
            fields.pop(field, None)
        level = _LEVELS.get(type(event), "debug")
        getattr(self._log, level)(name, **{k: v for k, v in fields.items() if v is not None})
