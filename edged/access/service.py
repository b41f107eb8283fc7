"""Applies the rules to what recognition says: one decision per passage, journalled before it is acted on."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from edged.access.rules import DoorPolicy, PersonRecord, Request, Snapshot, decide
from edged.bus import EventBus, Overflow
from edged.clock import Clock
from edged.errors import EdgedError
from edged.events import AccessDecided, FaceIdentified, GrantNotExecuted, Outcome, PassageExhausted
from edged.ids import new_id

REMEMBERED_PASSAGES = 1024
"""Passages whose decision is remembered so that none is decided twice; far more than can be in view."""


class AccessService:
    """Turns `FaceIdentified` and `PassageExhausted` into one `AccessDecided` per passage.

    A decision is committed through `commit` before it is published, so the gate can only act on what the
    journal holds. When it cannot be committed the passage is denied, openly.

    Args:
        policy: asked at each decision, with the answer it rests on: each engine has limits of its own.
        person: the library's record of a person, None when there is none.
        gate_ready: is the relay board connected and in a known state.
        commit: writes the decision durably or raises an EdgedError.
        grant_ttl_s: how long after the decision the relay may still be moved.
        last_grants: person id -> wall time, from the journal, so that cool-down survives a restart.
        locked_down: whether nobody is let in at this door now.
        direction: which way people go whom a camera sees, `in` or `out`; None when it does not say.
    """

    def __init__(
        self,
        bus: EventBus,
        clock: Clock,
        *,
        door_id: str,
        policy: Callable[[FaceIdentified], DoorPolicy],
        person: Callable[[str], PersonRecord | None],
        gate_ready: Callable[[], bool],
        commit: Callable[[AccessDecided], object],
        grant_ttl_s: float,
        last_grants: Mapping[str, datetime] | None = None,
        locked_down: Callable[[], bool] = lambda: False,
        direction: Callable[[str | None], str | None] = lambda camera_id: None,
    ) -> None:
        self._bus = bus
        self._clock = clock
        self._door_id = door_id
        self._policy = policy
        self._person = person
        self._gate_ready = gate_ready
        self._commit = commit
        self._grant_ttl_s = grant_ttl_s
        self._locked_down = locked_down
        self._direction = direction
        self._granted_s = self._monotonic_times(last_grants or {})
        self._grantee: OrderedDict[str, str] = OrderedDict()
        self._decided: OrderedDict[str, None] = OrderedDict()
        self._shots: OrderedDict[str, int] = OrderedDict()

    def attach(self) -> None:
        """Subscribe. One subscription, so the events of a passage are handled in order."""
        self._bus.subscribe(
            (FaceIdentified, PassageExhausted, GrantNotExecuted),
            self._handle,
            name=f"access:{self._door_id}",
            capacity=64,
            overflow=Overflow.WAIT,
        )

    def _monotonic_times(self, last_grants: Mapping[str, datetime]) -> dict[str, float]:
        """Grants of an earlier run as monotonic times; one from the future counts as just now."""
        now, monotonic = self._clock.now(), self._clock.monotonic()
        return {
            person_id: monotonic - max(0.0, (now - at).total_seconds())
            for person_id, at in last_grants.items()
        }

    def _handle(self, event: FaceIdentified | PassageExhausted | GrantNotExecuted) -> None:
        if isinstance(event, GrantNotExecuted):
            self._forget_grant(event.decision_id)
            return
        passage_id = event.passage_id
        if event.door_id != self._door_id or passage_id is None or passage_id in self._decided:
            return
        if isinstance(event, FaceIdentified):
            shots = self._shots.get(passage_id, 0) + 1
            _remember(self._shots, passage_id, shots)
            if not event.final:
                return
            decision = self._decide(event, shots)
        else:
            decision = self._give_up(event)
        _remember(self._decided, passage_id, None)
        self._shots.pop(passage_id, None)
        self._publish(decision)

    def _forget_grant(self, decision_id: str) -> None:
        """The door did not open, so the person may ask again at once."""
        person_id = self._grantee.pop(decision_id, None)
        if person_id is not None:
            self._granted_s.pop(person_id, None)

    def _decide(self, event: FaceIdentified, shots: int) -> AccessDecided:
        now_s, now = self._clock.monotonic(), self._clock.now()
        policy = self._policy(event)
        person = self._record_of(event)
        granted_s = self._granted_s.get(event.person_id or "")
        decision = decide(
            Request(
                door_id=self._door_id,
                person_id=event.person_id,
                score=event.score,
                margin=event.margin,
                agreeing_shots=event.agreeing_shots,
                age_s=now_s - event.captured_s,
                library_empty=event.person_id is None and event.engine == "local",
                liveness=event.liveness,
            ),
            Snapshot(
                policy=policy,
                person=person,
                since_last_grant_s=None if granted_s is None else now_s - granted_s,
                gate_ready=self._gate_ready(),
                locked_down=self._locked_down(),
            ),
            now,
        )
        known = event.score >= policy.threshold
        return AccessDecided(
            at=now,
            passage_id=event.passage_id,
            door_id=self._door_id,
            camera_id=event.camera_id,
            decision_id=new_id("d", now),
            outcome=decision.outcome,
            person_id=event.person_id if known else None,
            person_name=person.name if known and person else None,
            track_id=event.track_id,
            groups=tuple(sorted(person.groups)) if known and person else (),
            score=event.score,
            margin=event.margin,
            threshold=policy.threshold,
            reasons=decision.reasons,
            rules=decision.rules,
            engine=event.engine,
            engine_reason=event.engine_reason,
            captured_s=event.captured_s,
            expires_s=now_s + self._grant_ttl_s if decision.outcome is Outcome.GRANTED else None,
            measures=event.measures,
            liveness=event.liveness,
            recognitions=shots,
            direction=self._direction(event.camera_id),
            extra_time=bool(known and person and person.extra_time),
            timings_ms=event.timings_ms,
        )

    def _record_of(self, event: FaceIdentified) -> PersonRecord | None:
        """The library's record; for somebody it does not know, the word of the cloud where that counts."""
        if event.person_id is None:
            return None
        known = self._person(event.person_id)
        if known is not None or not event.cloud_groups:
            return known
        return PersonRecord(
            person_id=event.person_id,
            name=event.cloud_name or event.person_id,
            groups=frozenset(event.cloud_groups),
        )

    def _give_up(self, event: PassageExhausted) -> AccessDecided:
        now = self._clock.now()
        return AccessDecided(
            at=now,
            passage_id=event.passage_id,
            door_id=self._door_id,
            camera_id=event.camera_id,
            decision_id=new_id("d", now),
            outcome=Outcome.DENIED,
            person_id=None,
            person_name=None,
            track_id=event.track_id,
            score=event.score,
            reasons=event.reasons,
            engine=event.engine,
            engine_reason=event.engine_reason,
            measures=event.measures,
            recognitions=self._shots.get(event.passage_id or "", 0),
            direction=self._direction(event.camera_id),
        )

    def _publish(self, decision: AccessDecided) -> None:
        try:
            self._commit(decision)
        except EdgedError as error:
            if decision.outcome is Outcome.GRANTED:
                decision = replace(
                    decision,
                    outcome=Outcome.DENIED,
                    reasons=("journal_unavailable", error.code),
                    expires_s=None,
                )
        else:
            if decision.outcome is Outcome.GRANTED and decision.person_id:
                self._granted_s[decision.person_id] = self._clock.monotonic()
                _remember(self._grantee, decision.decision_id, decision.person_id)
        self._bus.publish(decision)


def _remember(memory: OrderedDict, key: str, value: object) -> None:
    memory[key] = value
    memory.move_to_end(key)
    while len(memory) > REMEMBERED_PASSAGES:
        memory.popitem(last=False)
