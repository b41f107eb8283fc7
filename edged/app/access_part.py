"""Access: applies the rules to what recognition answers, for every door of the site."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from edged.access import AccessDoor, AccessService, DoorPolicy, PersonRecord
from edged.app.part import PartHealth, PartState, PlainValue
from edged.app.site import Site
from edged.app.site_part import SitePart
from edged.config import GateConfig
from edged.events import FaceIdentified
from edged.gallery.score import default_threshold
from edged.recognition.consensus import rules_by_engine
from edged.recognition.protocol import LOCAL


class AccessPart(SitePart):
    """Decides each passage, with the journal, the library and the doors to ask."""

    name = "access"

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self._rules = rules_by_engine(site.config.recognition, site.config.vision.max_shots)
        self._service: AccessService | None = None

    def start(self) -> None:
        """Decide for every door; its gate runs already, so that the first grant finds it."""
        site = self._site
        directions: dict[str | None, str] = {
            camera.id: camera.direction for camera in site.config.cameras if camera.direction != "both"
        }
        self._service = AccessService(
            site.bus, site.clock, commit=site.journal.commit_decision, direction=directions.get
        )
        since = site.clock.now() - timedelta(seconds=site.config.access.cool_down_s)
        for gate in site.config.gates:
            self._service.add_door(self._door(gate), site.journal.last_grants(gate.id, since))

    def health(self) -> PartHealth:
        """`doors`: by door, the counters of its subscription.

        The state is failed while no decision can be written into the journal: nobody is let in then.
        """
        doors: dict[str, PlainValue] = {
            gate.id: self._subscriber(f"access:{gate.id}") for gate in self._site.config.gates
        }
        state, summary = PartState.OK, f"Decides for {', '.join(doors)}."
        if problem := self._service.problem if self._service else None:
            state, summary = PartState.FAILED, f"Nobody is let in: {problem.message}"
        return self._is(state, summary, doors=doors)

    def _door(self, gate: GateConfig) -> AccessDoor:
        service = self._site.gates[gate.id]
        return AccessDoor(
            door_id=gate.id,
            policy=self._policy,
            person=partial(self._person, gate),
            gate_ready=lambda: service.ready,
            locked_down=lambda: service.locked_down,
            grant_ttl_s=gate.grant_ttl_s,
        )

    def _policy(self, answer: FaceIdentified) -> DoorPolicy:
        """The rules for an answer: the scores of each engine have limits of their own."""
        config = self._site.config
        rules = self._rules.get(answer.engine, self._rules[LOCAL])
        threshold = default_threshold(answer.gallery_people) if rules.threshold is None else rules.threshold
        return DoorPolicy(
            allowed_groups=frozenset(config.access.allowed_groups),
            threshold=threshold,
            margin=rules.margin,
            agreeing_shots=rules.agreeing_shots,
            cool_down_s=config.access.cool_down_s,
            max_age_s=config.access.max_age_s,
            liveness=config.vision.liveness.mode,
        )

    def _person(self, gate: GateConfig, person_id: str) -> PersonRecord | None:
        person = self._site.library.find(person_id)
        if person is None:
            return None
        return PersonRecord(
            person_id=person.person_id,
            name=person.name,
            groups=frozenset(person.groups),
            active=person.active,
            valid_from=person.valid_from,
            valid_until=person.valid_until,
            extra_time=not set(person.groups).isdisjoint(gate.accessibility_groups),
        )
