"""While `delivery.db` cannot be read, nobody knows what is still to be delivered: nothing may be removed."""

from __future__ import annotations

from delivery_rig import service

from edged.bus import EventBus
from edged.clock import SystemClock
from edged.delivery.outbox import FILE_NAME
from edged.events import ComponentFailed
from edged.journal import Journal, journal_path


def test_every_record_is_kept_while_the_places_of_the_targets_are_unknown(tmp_path):
    bus, failed = EventBus(SystemClock()), []
    bus.subscribe(ComponentFailed, failed.append, name="test")
    Journal.open(journal_path(tmp_path), SystemClock()).close()
    (tmp_path / FILE_NAME).write_bytes(b"this is no database at all" * 100)
    target = {"name": "office", "kind": "http", "url": "http://127.0.0.1:1"}
    delivery = service(tmp_path, bus, {"targets": [target]})

    assert not delivery.start()

    assert delivery.undelivered_from() == 0
    assert bus.drain(30)
    assert [event.component for event in failed] == ["delivery"]
    delivery.stop()
    bus.close()
