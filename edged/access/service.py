"""Applies the rules at every door of the site: one decision per passage, in the journal before it is out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from edged.access.decide import decide
from edged.access.model import Decision, DoorPolicy, PersonRecord, Request, Snapshot
from edged.access.site_state import SiteState
from edged.bus import EventBus, Overflow
from edged.clock import Clock
from edged.errors import EdgedError
from edged.events import AccessDecided, Event, FaceIdentified, GrantNotExecuted, Outcome, PassageExhausted
from edged.ids import new_id

QUEUE = 64
"""Answers that may wait at one door. Recognition waits for room rather than lose one."""


@dataclass(frozen=True, kw_only=True)
class AccessDoor:
    """One door: what the service asks about it at the moment of a decision.

    Attributes:
        policy: the limits that apply to an answer; each engine has its own.
        person: the library's record of a person as this door sees it, None when there is none.
        gate_ready: whether the relay board is connected and in a known state.
        grant_ttl_s: how long after the decision the relay may still be moved.
        locked_down: whether the door is in lockdown.
    """

    door_id: str
    policy: Callable[[FaceIdentified], DoorPolicy]
    person: Callable[[str], PersonRecord | None]
    gate_ready: Callable[[], bool]
    grant_ttl_s: float
    locked_down: Callable[[], bool] = lambda: False


class AccessService:
    """Turns `FaceIdentified` and `PassageExhausted` into one `AccessDecided` per passage, for all doors.

    A decision is committed through `commit` before it is published, so the gate can only act on what the
    journal holds. When it cannot be committed the passage is denied, openly.

    Every door has a subscription of its own, and so a queue and a thread: the events of a passage are handled
    in order, and no door waits for another.

    Args:
        commit: writes the decision durably or raises an EdgedError. Safe to call from any thread.
        direction: which way people walk in front of a camera, `in` or `out`; None for both ways.
        state: what the site remembers; a new one unless given.
    """

    def __init__(
        self,
        bus: EventBus,
        clock: Clock,
        *,
        commit: Callable[[AccessDecided], object],
        direction: Callable[[str | None], str | None] = lambda camera_id: None,
        state: SiteState | None = None,
    ) -> None:
        self._bus = bus
        self._clock = clock
        self._commit = commit
        self._direction = direction
        self._state = SiteState() if state is None else state
        self._problem: EdgedError | None = None

    @property
    def problem(self) -> EdgedError | None:
        """Why the newest decision could not be committed; None: it was. Safe from any thread."""
        return self._problem

    def add_door(self, door: AccessDoor, last_grants: Mapping[str, datetime] | None = None) -> None:
        """Decide at this door from now on.

        Args:
            last_grants: person id -> wall time, from the journal, so that cool-down survives a restart.
        """
        self._state.recall_grants(door.door_id, self._monotonic_times(last_grants or {}))
        kinds: tuple[type[Event], ...] = (FaceIdentified, PassageExhausted, GrantNotExecuted)
        self._bus.subscribe(
            kinds,
            partial(self._handle, door),
            name=f"access:{door.door_id}",
            capacity=QUEUE,
            overflow=Overflow.WAIT,
        )

    def _monotonic_times(self, last_grants: Mapping[str, datetime]) -> dict[str, float]:
        """Grants of an earlier run as monotonic times; one from the future counts as just now."""
        now, monotonic = self._clock.now(), self._clock.monotonic()
        return {
            person_id: monotonic - max(0.0, (now - at).total_seconds())
            for person_id, at in last_grants.items()
        }

    def _handle(self, door: AccessDoor, event: Event) -> None:
        if isinstance(event, GrantNotExecuted):
            self._state.withdraw_grant(event.decision_id, door.door_id)
            return
        passage_id = event.passage_id
        if event.door_id != door.door_id or passage_id is None or self._state.is_decided(passage_id):
            return
        if isinstance(event, FaceIdentified):
            self._state.count_shot(passage_id)
            if event.final:
                self._close(door, passage_id, self._answer(door, event))
        elif isinstance(event, PassageExhausted):
            self._close(door, passage_id, self._give_up(event))

    def _close(self, door: AccessDoor, passage_id: str, decided: AccessDecided) -> None:
        self._state.close_passage(passage_id)
        self._bus.publish(self._commit_or_deny(door, decided))

    def _commit_or_deny(self, door: AccessDoor, decided: AccessDecided) -> AccessDecided:
        granted = decided.outcome is Outcome.GRANTED
        try:
            self._commit(decided)
        except EdgedError as error:
            self._problem = error
            reasons = ("journal_unavailable", error.code)
            return (
                replace(decided, outcome=Outcome.DENIED, reasons=reasons, expires_s=None)
                if granted
                else decided
            )
        self._problem = None
        if granted and decided.person_id:
            now_s = self._clock.monotonic()
            self._state.grant(decided.decision_id, decided.person_id, door.door_id, now_s)
        return decided

    def _answer(self, door: AccessDoor, event: FaceIdentified) -> AccessDecided:
        now_s, now = self._clock.monotonic(), self._clock.now()
        snapshot = self._snapshot(door, event, now_s)
        decision = decide(_request(event, door, now_s), snapshot, now)
        named = event.score >= snapshot.policy.threshold
        person = snapshot.person if named else None
        return replace(
            self._decided(event, decision, now),
            person_id=event.person_id if named else None,
            person_name=person.name if person else None,
            groups=tuple(sorted(person.groups)) if person else (),
            margin=event.margin,
            threshold=snapshot.policy.threshold,
            captured_s=event.captured_s,
            expires_s=now_s + door.grant_ttl_s if decision.outcome is Outcome.GRANTED else None,
            liveness=event.liveness,
            extra_time=person.extra_time if person else False,
            timings_ms=event.timings_ms,
        )

    def _give_up(self, event: PassageExhausted) -> AccessDecided:
        decision = Decision(outcome=Outcome.DENIED, reasons=event.reasons)
        return self._decided(event, decision, self._clock.now())

    def _decided(
        self, event: FaceIdentified | PassageExhausted, decision: Decision, now: datetime
    ) -> AccessDecided:
        """The decision with all that both kinds of passage know; nobody is named yet."""
        return AccessDecided(
            at=now,
            passage_id=event.passage_id,
            door_id=event.door_id,
            camera_id=event.camera_id,
            decision_id=new_id("d", now),
            outcome=decision.outcome,
            person_id=None,
            person_name=None,
            track_id=event.track_id,
            score=event.score,
            reasons=decision.reasons,
            rules=decision.rules,
            engine=event.engine,
            engine_reason=event.engine_reason,
            measures=event.measures,
            recognitions=self._state.shots(event.passage_id or ""),
            direction=self._direction(event.camera_id),
        )

    def _snapshot(self, door: AccessDoor, event: FaceIdentified, now_s: float) -> Snapshot:
        policy = door.policy(event)
        granted_s = self._state.last_grant_s(event.person_id, door.door_id)
        return Snapshot(
            policy=policy,
            person=_record_of(event, door),
            since_last_grant_s=None if granted_s is None else now_s - granted_s,
            gate_ready=door.gate_ready(),
            locked_down=door.locked_down(),
        )


def _request(event: FaceIdentified, door: AccessDoor, now_s: float) -> Request:
    return Request(
        door_id=door.door_id,
        person_id=event.person_id,
        score=event.score,
        margin=event.margin,
        agreeing_shots=event.agreeing_shots,
        age_s=now_s - event.captured_s,
        library_empty=event.person_id is None and event.engine == "local",
        liveness=event.liveness,
    )


def _record_of(event: FaceIdentified, door: AccessDoor) -> PersonRecord | None:
    """The library's record; for a person it does not know, the answer of the cloud where that counts."""
    if event.person_id is None:
        return None
    known = door.person(event.person_id)
    if known is not None or not event.cloud_groups:
        return known
    return PersonRecord(
        person_id=event.person_id,
        name=event.cloud_name or event.person_id,
        groups=frozenset(event.cloud_groups),
    )
