"""Doors: a gate service for each door, with the ports, interlocks and overrides the doors share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from zoneinfo import ZoneInfo

from edged.app.part import PartHealth, PartState, PlainValue
from edged.app.site import Site
from edged.app.site_part import SitePart
from edged.app.stop_in_turn import stop_in_turn
from edged.command import Command
from edged.config import GateConfig
from edged.events import ComponentFailed
from edged.gate.board.pool import PortPool
from edged.gate.door.interlock import Interlock
from edged.gate.override_store import OverrideStore
from edged.gate.overrides import door_commands
from edged.gate.service import GateService

BEAT_S = 5.0
CLOSE_S = 1.0
"""How long a door that did not stop in time gets once more, before its simulated board goes away."""


def interlocks(gates: Iterable[GateConfig]) -> dict[str, Interlock]:
    """The interlock of each door that has one, by door id."""
    together: dict[str, list[str]] = {}
    for gate in gates:
        if gate.interlock is not None:
            together.setdefault(gate.interlock, []).append(gate.id)
    shared = {name: Interlock(door_ids) for name, door_ids in together.items()}
    return {door_id: shared[name] for name, door_ids in together.items() for door_id in door_ids}


class DoorsPart(SitePart):
    """Provides `gates`: the gate services by door id, in the order of the configuration."""

    name = "doors"

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self._gates: dict[str, GateService] = {}
        self._commands: Mapping[str, Command] = {}

    def start(self) -> None:
        """Start one door after the other; a board that is missing is waited for.

        Raises:
            Misconfigured: a simulated board cannot be made as its address wants it.
        """
        site = self._site
        overrides = self._open_overrides()
        pool, together = PortPool(site.config.gates, site.clock), interlocks(site.config.gates)
        self._stack.callback(pool.close)
        for gate in site.config.gates:
            self._start_gate(gate, pool, together.get(gate.id), overrides)
        site.gates = self._gates
        self._commands = door_commands(
            self._gates,
            overrides,
            site.clock,
            commit=site.journal.commit_decision,
            publish=site.bus.publish,
        )

    def finish(self) -> None:
        """Let the last on-time of every door run out."""
        for gate in self._site.config.gates:
            self._gates[gate.id].wait_idle(gate.max_on_s + 1.0)

    def ask_to_stop(self) -> None:
        """All doors at once: none stays open while the board of another does not answer."""
        for gate in self._gates.values():
            gate.ask_to_stop()

    def stop(self, timeout_s: float) -> bool:
        """Relays off, threads ended. True when both are sure for every door."""
        return stop_in_turn([gate.stop for gate in self._gates.values()], timeout_s, self._site.clock)

    def beats(self) -> Sequence[str]:
        """`gate`, or `gate:DOOR` for each of several doors."""
        return [self._beat_of(gate) for gate in self._site.config.gates]

    def commands(self) -> Mapping[str, Command]:
        """See `OrderDesk.commands`."""
        return self._commands

    def health(self) -> PartHealth:
        """`doors`: by door, what `gate_health` tells.

        Without its board a door is out of service: with one such door, or an alarm, the state is degraded;
        with all doors out of service it is failed.
        """
        doors = {door_id: gate.health() for door_id, gate in self._gates.items()}
        out = [door_id for door_id, door in doors.items() if not door["ready"]]
        alarmed = [
            door_id for door_id, door in doors.items() if any(alarm["active"] for alarm in door["alarms"])
        ]
        details: dict[str, PlainValue] = dict(doors)
        if out:
            state = PartState.FAILED if len(out) == len(doors) else PartState.DEGRADED
            return self._is(state, f"Without their relay board: {', '.join(out)}.", doors=details)
        if alarmed:
            return self._is(PartState.DEGRADED, f"Alarm at: {', '.join(alarmed)}.", doors=details)
        return self._is(PartState.OK, "Every door has its board, and no alarm.", doors=details)

    def _open_overrides(self) -> OverrideStore:
        site = self._site
        overrides = OverrideStore(site.config.data_dir)
        if overrides.damaged is not None:
            site.bus.publish(
                ComponentFailed(
                    at=site.clock.now(),
                    component="door orders",
                    error=f"what was ordered before makes no sense and was put aside: {overrides.damaged}",
                    hint="A lock-down from before the start does not stand any more: edged door lock.",
                )
            )
        return overrides

    def _start_gate(
        self, config: GateConfig, pool: PortPool, interlock: Interlock | None, overrides: OverrideStore
    ) -> None:
        site = self._site
        gate = GateService(
            config,
            site.bus,
            site.clock,
            on_beat=site.heartbeats.register(self._beat_of(config), BEAT_S),
            pool=pool,
            zone=ZoneInfo(site.config.timezone),
            interlock=interlock,
            order=overrides.order(config.id),
        )
        self._gates[config.id] = gate
        self._stack.callback(gate.stop, CLOSE_S)
        gate.start()

    def _beat_of(self, gate: GateConfig) -> str:
        return f"gate:{gate.id}" if self._site.config.more_gates else "gate"
