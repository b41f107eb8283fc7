"""State of a gate as plain values for status pages and `edged door status`. Reads only."""

from __future__ import annotations

from typing import Any

from edged.clock import iso
from edged.config import GateConfig
from edged.gate.controller import GateController
from edged.gate.door.alarms import Alarm
from edged.gate.door.machine import Door
from edged.gate.door_inputs import DoorSenses


def gate_health(
    config: GateConfig,
    door: Door,
    controller: GateController | None,
    senses: DoorSenses | None,
    events_lost: int,
    now: float,
) -> dict[str, Any]:
    """The state of one door.

    Args:
        controller, senses: None before the gate has started.
        events_lost: so far, because the queue to the bus was full.
        now: monotonic.

    Returns:
        `ready`, `port`, `protocol`, `state`; `mode` with `mode_by` (`schedule`, `order`) and `mode_until`
        (wall time at which it ends by itself, or None); `relay_on`; `contacts` (by key of the configuration:
        active, not, or None: not known); `alarms`; `readback`; `pulse` and `max_on` (`hardware`,
        `software`); `error_code`, `error`, `events_lost`.
    """
    error = controller.last_error if controller else None
    ends = senses.mode_ends() if senses else None
    return {
        "ready": bool(controller and controller.connected),
        "port": config.port,
        "protocol": config.protocol,
        "state": door.state.value,
        "mode": door.mode.value,
        "mode_by": "order" if senses and senses.standing_order else "schedule",
        "mode_until": iso(ends) if ends else None,
        "relay_on": door.relay_on,
        "contacts": senses.states() if senses else {},
        "alarms": [_plain(alarm, now) for alarm in door.alarms],
        "readback": bool(controller and controller.readback),
        "pulse": "hardware" if controller and controller.hardware_pulse else "software",
        "max_on": "hardware" if controller and controller.hardware_limit else "software",
        "error_code": error.code if error else None,
        "error": str(error) if error else None,
        "events_lost": events_lost,
    }


def _plain(alarm: Alarm, now: float) -> dict[str, Any]:
    return {
        "code": alarm.code,
        "reason": alarm.reason,
        "active": alarm.active,
        "acknowledged_by": alarm.acknowledged_by,
        "count": alarm.count,
        "age_s": round(now - alarm.raised_s, 1),
    }
