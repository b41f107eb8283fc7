"""One door of the box at work: its relay's keeper and its rules of access. Starts and ends them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from zoneinfo import ZoneInfo

from edged.access import AccessDoor, AccessService, DoorPolicy, PersonRecord
from edged.bus import EventBus
from edged.clock import Clock
from edged.config import Config, GateConfig
from edged.events import FaceIdentified
from edged.gallery.score import default_threshold
from edged.gate.board.pool import PortPool
from edged.gate.door.interlock import Interlock
from edged.gate.door.timetable import ModeOrder
from edged.gate.service import GateService
from edged.journal import Journal
from edged.library.store import LibraryStore
from edged.ops.heartbeat import Heartbeats
from edged.recognition.consensus import rules_by_engine
from edged.recognition.protocol import LOCAL

BEAT_S = 5.0


def interlocks(gates: Iterable[GateConfig]) -> dict[str, Interlock]:
    """The interlock of each door that has one, by door id."""
    together: dict[str, list[str]] = {}
    for gate in gates:
        if gate.interlock is not None:
            together.setdefault(gate.interlock, []).append(gate.id)
    shared = {name: Interlock(door_ids) for name, door_ids in together.items()}
    return {door_id: shared[name] for name, door_ids in together.items() for door_id in door_ids}


def site_access(config: Config, journal: Journal, bus: EventBus, clock: Clock) -> AccessService:
    """The access service of the site; each `DoorUnit` adds its door when it starts."""
    directions: dict[str | None, str] = {
        camera.id: camera.direction for camera in config.cameras if camera.direction != "both"
    }
    return AccessService(bus, clock, commit=journal.commit_decision, direction=directions.get)


class DoorUnit:
    """A door's gate service and its place in the access service of the site.

    Args:
        access: decides who may pass; this door adds itself.
        gate: which door.
        pool: the ports of the box.
        interlock: shared with the doors of which only one may be unlocked at a time.
        order: who may pass, as somebody ordered it in an earlier run.
        part: how it is called among the heartbeats and subscriptions, after `gate`; empty for the only one.
    """

    def __init__(
        self,
        config: Config,
        gate: GateConfig,
        journal: Journal,
        library: LibraryStore,
        bus: EventBus,
        clock: Clock,
        *,
        access: AccessService,
        heartbeats: Heartbeats,
        pool: PortPool,
        interlock: Interlock | None = None,
        order: ModeOrder | None = None,
        part: str = "",
    ) -> None:
        self.gate = gate
        self._config = config
        self._journal = journal
        self._library = library
        self._bus = bus
        self._clock = clock
        self._access = access
        self._heartbeats = heartbeats
        self._part = f"gate{part}"
        self._rules = rules_by_engine(config.recognition, config.vision.max_shots)
        self.keeper = GateService(
            gate,
            bus,
            clock,
            on_beat=heartbeats.register(self._part, BEAT_S),
            pool=pool,
            zone=ZoneInfo(config.timezone),
            interlock=interlock,
            order=order,
        )

    def start(self) -> None:
        """The keeper first, so that the first grant finds it. Raises what `GateService.start` raises."""
        self.keeper.start()
        since = self._clock.now() - timedelta(seconds=self._config.access.cool_down_s)
        self._access.add_door(
            AccessDoor(
                door_id=self.gate.id,
                policy=self._policy,
                person=self._person,
                gate_ready=lambda: self.keeper.ready,
                locked_down=lambda: self.keeper.locked_down,
                grant_ttl_s=self.gate.grant_ttl_s,
            ),
            self._journal.last_grants(self.gate.id, since),
        )

    def ask_to_stop(self) -> None:
        """Begin to end, without waiting for it; `stop` must follow."""
        self.keeper.ask_to_stop()

    def stop(self, timeout_s: float) -> bool:
        """Relay off, thread ended. True when both are sure."""
        return self.keeper.stop(timeout_s)

    def forget_beats(self) -> None:
        """It is being stopped: silence is no sign of a hang any more."""
        self._heartbeats.forget(self._part)

    def _policy(self, answer: FaceIdentified) -> DoorPolicy:
        """The door's rules for an answer: the scores of each engine have limits of their own."""
        access = self._config.access
        rules = self._rules.get(answer.engine, self._rules[LOCAL])
        threshold = default_threshold(answer.gallery_people) if rules.threshold is None else rules.threshold
        return DoorPolicy(
            allowed_groups=frozenset(access.allowed_groups),
            threshold=threshold,
            margin=rules.margin,
            agreeing_shots=rules.agreeing_shots,
            cool_down_s=access.cool_down_s,
            max_age_s=access.max_age_s,
            liveness=self._config.vision.liveness.mode,
        )

    def _person(self, person_id: str) -> PersonRecord | None:
        person = self._library.find(person_id)
        if person is None:
            return None
        return PersonRecord(
            person_id=person.person_id,
            name=person.name,
            groups=frozenset(person.groups),
            active=person.active,
            valid_from=person.valid_from,
            valid_until=person.valid_until,
            extra_time=not set(person.groups).isdisjoint(self.gate.accessibility_groups),
        )
