"""The parts of the daemon in the order in which they start. A new part is one file and one line here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from edged.app.access_part import AccessPart
from edged.app.attendance_part import AttendancePart
from edged.app.camera_part import CameraPart
from edged.app.cloud_part import CloudPart
from edged.app.control_part import ControlPart
from edged.app.delivery_part import DeliveryPart
from edged.app.doors_part import DoorsPart
from edged.app.jobs_part import JobsPart
from edged.app.journal_part import JournalPart
from edged.app.library_part import LibraryPart
from edged.app.lock_part import LockPart
from edged.app.part import Part
from edged.app.recognition_part import RecognitionPart
from edged.app.site import Site
from edged.app.upkeep_part import UpkeepPart

PartFactory = Callable[[Site], Part]

PARTS: Final[tuple[PartFactory, ...]] = (
    LockPart,
    JournalPart,
    LibraryPart,
    AttendancePart,  # reads the journal, and writes into it what people corrected meanwhile
    DeliveryPart,
    UpkeepPart,  # asks delivery what it may remove
    DoorsPart,
    AccessPart,  # asks the doors whether they are ready
    CloudPart,
    RecognitionPart,
    CameraPart,  # the first frame finds everything that answers it
    JobsPart,  # runs the jobs of the parts above
    ControlPart,  # answers with the commands of the parts above
)

FLOW: Final = (CameraPart.name, RecognitionPart.name, DoorsPart.name)
"""The way from a frame to a relay: the order in which passages are finished when a source has ended."""

STOP_FIRST: Final = (DoorsPart.name, CameraPart.name, RecognitionPart.name)
"""What stops within the limit, in this order, before the bus: relays off before everything else."""
