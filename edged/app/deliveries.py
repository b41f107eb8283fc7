"""Delivery as part of the daemon: what it needs to know of the box, and the pictures the journal keeps."""

from __future__ import annotations

import os
from contextlib import ExitStack, suppress
from functools import partial
from zoneinfo import ZoneInfo

from edged.bus import EventBus
from edged.clock import Clock
from edged.config import Config
from edged.database.device import device_id
from edged.delivery.outbox import Outbox
from edged.delivery.service import DeliveryService
from edged.delivery.targets import Surroundings
from edged.errors import EdgedError
from edged.journal import Journal, JournalReader, journal_path
from edged.journal.snapshots import snapshot_path
from edged.record import Record
from edged.upkeep.files import DELIVERY
from edged.upkeep.service import Upkeep

STOP_S = 1.0


def start_delivery(
    config: Config, journal: Journal, upkeep: Upkeep, bus: EventBus, clock: Clock, stack: ExitStack
) -> DeliveryService | None:
    """Deliver the records of `journal` to the configured targets; `stack` ends it. None without a target.

    A damaged `delivery.db` is put back from a backup. Where there is none the service says so and delivers
    nothing; the door does not depend on it.
    """
    if not config.delivery.targets:
        return None
    with suppress(EdgedError):  # the service meets it again, and announces it
        upkeep.opened(DELIVERY, lambda: Outbox.open(config.data_dir, clock)).close()

    def picture_of(record: Record) -> bytes | None:
        digest = journal.snapshot(record.decision_id) if record.decision_id else None
        if digest is None:
            return None
        try:
            return snapshot_path(config.data_dir, digest).read_bytes()
        except OSError:  # its time was over a moment ago
            return None

    service = DeliveryService(
        config.delivery,
        config.data_dir,
        partial(JournalReader.open_readonly, journal_path(config.data_dir)),
        Surroundings(device_id(config.data_dir), config.site, ZoneInfo(config.timezone), clock),
        bus,
        environ=os.environ,
        picture_of=picture_of if config.journal.snapshots != "none" else None,
    )
    service.start()
    stack.callback(service.stop, STOP_S)
    return service
