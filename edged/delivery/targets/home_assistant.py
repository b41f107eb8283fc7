"""Announcements of this box to Home Assistant by MQTT discovery. Pure; publishes nothing itself.

Entities are events, not states: a value that Home Assistant reads again after a restart cannot trigger an
event entity. Nothing here opens a door.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from edged import __version__
from edged.delivery.records import ALARM, ALARMS, DECISION, PUNCH

_ENTITIES = {
    DECISION: ("Passage", "mdi:door", ("pass", "deny", "stranger", "not_executed")),
    PUNCH: ("Punch", "mdi:clock-in", ("in", "out", "punch_corrected")),
    ALARM: ("Alarm", "mdi:alert", tuple(sorted(ALARMS))),
}


def announcements(
    prefix: str, base: str, device: str, site: str, kinds: frozenset[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Retained messages, topic and content: a connectivity sensor, an event entity for each kind of record.

    Args:
        prefix: discovery prefix of Home Assistant.
        base: beginning of the topics of this box.
        device: id of the box, letters, digits, `_` and `-` only.
        site: name of the site.
        kinds: kinds of records that the target sends.
    """
    node = f"edged_{device}"
    about = {
        "device": {
            "identifiers": [node],
            "name": site,
            "manufacturer": "edged",
            "model": "face terminal",
            "sw_version": __version__,
        },
        "origin": {"name": "edged", "sw_version": __version__},
    }
    yield (
        f"{prefix}/binary_sensor/{node}/connection/config",
        {
            "name": "Connection",
            "unique_id": f"{node}_connection",
            "device_class": "connectivity",
            "entity_category": "diagnostic",
            "state_topic": f"{base}/status",
            "payload_on": "online",
            "payload_off": "offline",
            **about,
        },
    )
    for kind in sorted(kinds & _ENTITIES.keys()):
        name, icon, types = _ENTITIES[kind]
        yield (
            f"{prefix}/event/{node}/{kind}/config",
            {
                "name": name,
                "unique_id": f"{node}_{kind}",
                "icon": icon,
                "state_topic": f"{base}/{kind}",
                "event_types": list(types),
                "availability_topic": f"{base}/status",
                **about,
            },
        )
