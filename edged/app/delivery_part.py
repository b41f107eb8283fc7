"""Delivery: what it needs to know of the box, and the pictures the journal keeps."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from edged.app.part import PartHealth, PartState
from edged.app.site_part import SitePart
from edged.command import Command
from edged.database.device import device_id
from edged.delivery import state
from edged.delivery.outbox import Outbox
from edged.delivery.service import DeliveryService
from edged.delivery.targets import Surroundings
from edged.errors import EdgedError
from edged.journal import JournalReader, journal_path
from edged.journal.snapshots import snapshot_path
from edged.record import Record
from edged.upkeep.files import DELIVERY

STOP_S = 1.0


class DeliveryPart(SitePart):
    """Provides `delivery`: None where the configuration names no target.

    A backup replaces a damaged `delivery.db`. Where there is none, the service announces that and delivers
    nothing; the door does not depend on it.
    """

    name = "delivery"

    def start(self) -> None:
        """Begin to deliver the records of the journal."""
        site, config = self._site, self._site.config
        if not config.delivery.targets:
            site.delivery = None
            return
        with suppress(EdgedError):  # the service meets it again, and announces it
            site.upkeep.opened(DELIVERY, lambda: Outbox.open(config.data_dir, site.clock)).close()
        service = DeliveryService(
            config.delivery,
            config.data_dir,
            partial(JournalReader.open_readonly, journal_path(config.data_dir)),
            Surroundings(device_id(config.data_dir), config.site, ZoneInfo(config.timezone), site.clock),
            site.bus,
            environ=os.environ,
            picture_of=self._picture_of if config.journal.snapshots != "none" else None,
        )
        service.start()
        site.delivery = service
        self._stack.callback(service.stop, STOP_S)

    def commands(self) -> Mapping[str, Command]:
        """`delivery.status`, `.pause`, `.resume` and `.retry`, where there is a target."""
        return self._site.delivery.commands() if self._site.delivery else {}

    def health(self) -> PartHealth:
        """`targets`: what `edged delivery status` shows of each."""
        if self._site.delivery is None:
            return self._is(PartState.OFF, "No delivery target is configured.")
        targets = self._site.delivery.status()
        part_state, summary = state_of(targets)
        return self._is(part_state, summary, targets=targets)

    def _picture_of(self, record: Record) -> bytes | None:
        journal = self._site.journal
        digest = journal.snapshot(record.decision_id) if record.decision_id else None
        if digest is None:
            return None
        try:
            return snapshot_path(self._site.config.data_dir, digest).read_bytes()
        except OSError:  # retention removed it a moment ago
            return None


def state_of(targets: Sequence[Mapping[str, Any]]) -> tuple[PartState, str]:
    """Failed when a target needs a person, degraded when one waits or is paused; with a sentence.

    Args:
        targets: as `DeliveryService.status()` gives them.
    """
    stuck = [t["target"] for t in targets if t["state"] == state.NEEDS_OPERATOR]
    behind = [t["target"] for t in targets if t["state"] in (state.WAITING, state.PAUSED)]
    if stuck:
        return PartState.FAILED, f"Somebody must look after: {', '.join(stuck)}."
    if behind:
        return PartState.DEGRADED, f"Records wait for: {', '.join(behind)}."
    return PartState.OK, "Records are delivered as they come."
