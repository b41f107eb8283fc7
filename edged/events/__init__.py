"""The vocabulary: every fact that one package tells another is one of these frozen dataclasses.

Names are in the past tense because events are facts. One passage of one person carries one
`passage_id` through all of its events. Pixels travel in fields marked `metadata={"private": True}`; such
fields never reach a log, a journal or a JSON line.
"""

from edged.events.access_events import AccessDecided, Outcome, RuleCheck
from edged.events.attendance_events import PunchCorrected, PunchRecorded
from edged.events.base import PRIVATE, Event, event_name
from edged.events.camera_events import CameraConnected, CameraLost, SourceEnded
from edged.events.cloud_events import CloudDegraded, CloudRecovered
from edged.events.daemon_events import (
    ComponentFailed,
    DaemonStarted,
    DaemonStopping,
    SubscriberFailed,
    SubscriberOverflowed,
)
from edged.events.delivery_events import DeliveryDegraded, DeliveryRecovered, RecordPutAside
from edged.events.gate_events import (
    DirectionKeyPressed,
    DoorLocked,
    DoorModeChanged,
    DoorOrdered,
    DoorStateChanged,
    DoorUnlocked,
    ExitRequested,
    GateAlarmAcknowledged,
    GateAlarmEnded,
    GateAlarmRaised,
    GateConnected,
    GateLost,
    GrantNotExecuted,
    GrantUnused,
    PersonPassed,
)
from edged.events.library_events import LibraryChanged
from edged.events.recognition_events import FaceIdentified, PassageExhausted, RecognitionFailed
from edged.events.upkeep_events import (
    BackupFailed,
    BackupMade,
    ClockStepped,
    JournalFilling,
    JournalPruned,
    JournalRestored,
    PersonErased,
)
from edged.events.vision_events import (
    GuidanceChanged,
    Liveness,
    Measures,
    ShotChosen,
    ShotRefused,
    TrackEnded,
    TrackStarted,
)

__all__ = [
    "PRIVATE",
    "AccessDecided",
    "BackupFailed",
    "BackupMade",
    "CameraConnected",
    "CameraLost",
    "ClockStepped",
    "CloudDegraded",
    "CloudRecovered",
    "ComponentFailed",
    "DaemonStarted",
    "DaemonStopping",
    "DeliveryDegraded",
    "DeliveryRecovered",
    "DirectionKeyPressed",
    "DoorLocked",
    "DoorModeChanged",
    "DoorOrdered",
    "DoorStateChanged",
    "DoorUnlocked",
    "Event",
    "ExitRequested",
    "FaceIdentified",
    "GateAlarmAcknowledged",
    "GateAlarmEnded",
    "GateAlarmRaised",
    "GateConnected",
    "GateLost",
    "GrantNotExecuted",
    "GrantUnused",
    "GuidanceChanged",
    "JournalFilling",
    "JournalPruned",
    "JournalRestored",
    "LibraryChanged",
    "Liveness",
    "Measures",
    "Outcome",
    "PassageExhausted",
    "PersonErased",
    "PersonPassed",
    "PunchCorrected",
    "PunchRecorded",
    "RecognitionFailed",
    "RecordPutAside",
    "RuleCheck",
    "ShotChosen",
    "ShotRefused",
    "SourceEnded",
    "SubscriberFailed",
    "SubscriberOverflowed",
    "TrackEnded",
    "TrackStarted",
    "event_name",
]
