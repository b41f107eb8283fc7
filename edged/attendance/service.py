"""One punch for every granted passage, also for those granted just before the daemon was killed."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from edged.attendance.direction import by_alternation, by_schedule
from edged.attendance.punch import Direction, Punch, effective
from edged.attendance.store import PunchLedger
from edged.bus import EventBus, Overflow
from edged.clock import Clock
from edged.config import AttendanceConfig
from edged.errors import EdgedError, Misconfigured, NeedsOperator, RetryLater
from edged.events import AccessDecided, DirectionKeyPressed, Outcome, PunchRecorded
from edged.schedule import parse_shift

KEY_S = 10.0
"""Longest time between a direction key and the passage it applies to."""

MOST_WAITING = 10_000
"""Passages that wait in memory while the ledger cannot be written; the next start finds the rest."""

_LOOK_BACK = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class GrantedPassage:
    """A granted passage, from the bus or from the journal.

    Attributes:
        direction: `in` or `out` where its camera knows one way only.
        announced: its `PunchRecorded` is in the journal, where other systems get it.
    """

    decision_id: str
    person_id: str
    person_name: str
    at: datetime
    passage_id: str | None = None
    door_id: str | None = None
    camera_id: str | None = None
    direction: str | None = None
    announced: bool = False


class AttendanceService:
    """Turns granted passages into punches.

    Args:
        ledger: keeps the punches.
        zone: IANA name of the site's time zone.
    """

    def __init__(
        self, config: AttendanceConfig, ledger: PunchLedger, bus: EventBus, clock: Clock, *, zone: str
    ) -> None:
        self._config = config
        self._ledger = ledger
        self._bus = bus
        self._clock = clock
        self._zone_name = zone
        self._zone = ZoneInfo(zone)
        self._shifts = [parse_shift(text) for text in config.shifts]
        self._longest = timedelta(hours=config.max_shift_h)
        self._lock = threading.Lock()
        self._waiting: deque[GrantedPassage] = deque(maxlen=MOST_WAITING)
        self._key: tuple[Direction, float] | None = None
        self._problem: EdgedError | None = None

    @property
    def problem(self) -> EdgedError | None:
        """Why `waiting` passages have no punch yet; None: none waits. Safe from any thread."""
        return self._problem

    @property
    def waiting(self) -> int:
        """Passages that wait because the ledger cannot be written. The next granted passage tries again."""
        return len(self._waiting)

    def catch_up(self, grants: Iterable[GrantedPassage], journal_seq: int) -> int:
        """Record the granted passages that have no punch yet, and announce the punches that did not reach the
        journal before the daemon ended. Call it at the start, before `attach`.

        A punch that was announced before the ledger lost it (a backup was put back) is not announced again.

        Args:
            grants: granted passages of the journal after `ledger.caught_up()`, oldest first.
            journal_seq: number of the last record that was read for them.

        Returns:
            How many punches were missing.
        """
        missing, complete = 0, True
        for grant in grants:
            punch = self._record(grant)
            missing += punch is not None
            if not grant.announced:
                self._announce(punch or self._ledger.of_decision(grant.decision_id), grant)
            complete = complete and punch is None and grant.announced
        if complete:  # else the next start checks that the announcements of this one reached the journal
            self._ledger.mark_caught_up(journal_seq)
        return missing

    def attach(self) -> None:
        """Record every granted passage from now on, and listen to the direction keys of the doors."""
        self._bus.subscribe(
            AccessDecided, self._decided, name="attendance", capacity=256, overflow=Overflow.WAIT
        )
        self._bus.subscribe(
            DirectionKeyPressed,
            lambda event: self.press_key(Direction(event.direction)),
            name="attendance-keys",
        )

    def press_key(self, direction: Direction) -> None:
        """Set the direction of the next punch; it holds for `KEY_S` and for one person."""
        with self._lock:
            self._key = (direction, self._clock.monotonic())

    def key_command(self, peer: object, arguments: dict[str, Any]) -> dict[str, Any]:
        """`attendance.key` of the control socket. Raises Misconfigured (`direction_unknown`)."""
        try:
            direction = Direction(str(arguments.get("direction")))
        except ValueError as error:
            raise Misconfigured(
                "The direction is neither in nor out.", code="direction_unknown", hint="Say in or out."
            ) from error
        self.press_key(direction)
        return {"direction": direction.value, "for_s": KEY_S}

    def _decided(self, event: AccessDecided) -> None:
        if event.outcome is Outcome.GRANTED and event.person_id is not None:
            self._enter(
                GrantedPassage(
                    decision_id=event.decision_id,
                    person_id=event.person_id,
                    person_name=event.person_name or event.person_id,
                    at=event.at,
                    passage_id=event.passage_id,
                    door_id=event.door_id,
                    camera_id=event.camera_id,
                    direction=event.direction,
                )
            )

    def _enter(self, grant: GrantedPassage) -> None:
        """Record it after the passages that still wait because the disk was full."""
        self._waiting.append(grant)
        while self._waiting:
            first = self._waiting.popleft()
            try:
                self._announce(self._record(first), first)
            except (NeedsOperator, RetryLater) as error:
                self._waiting.appendleft(first)
                self._problem = error
                raise
        self._problem = None

    def _record(self, grant: GrantedPassage) -> Punch | None:
        last = self._last(grant.person_id, grant.at)
        direction, found_by, repeated = self._direction(last, grant)
        return self._ledger.add(
            Punch(
                person_id=grant.person_id,
                person_name=grant.person_name,
                at=grant.at,
                zone=self._zone_name,
                direction=direction,
                direction_by=found_by,
                repeated=repeated,
                decision_id=grant.decision_id,
                door_id=grant.door_id,
                camera_id=grant.camera_id,
            )
        )

    def _announce(self, punch: Punch | None, grant: GrantedPassage) -> None:
        if punch is not None:
            self._bus.publish(_recorded(punch, grant.passage_id))

    def _last(self, person_id: str, at: datetime) -> Punch | None:
        """The newest punch up to `at` that counts, with its corrections applied."""
        until = at + timedelta(milliseconds=1)
        rows = self._ledger.rows(since=at - self._longest - _LOOK_BACK, until=until, person_id=person_id)
        return next((punch for punch in reversed(effective(rows)) if punch.at <= at), None)

    def _direction(self, last: Punch | None, grant: GrantedPassage) -> tuple[Direction, str, bool]:
        """The direction, its source, and whether the passage repeats the last punch."""
        at = grant.at
        soon = last is not None and at - last.at < timedelta(seconds=self._config.dedupe_s)
        found, found_by = self._configured(grant)
        if found is None and last is not None and soon:
            return last.direction, "alternate", True  # a person who turns round at once passes once
        if found is None:
            found, found_by = by_alternation(last, at, self._longest), "alternate"
        return found, found_by, bool(soon and last and last.direction is found)

    def _configured(self, grant: GrantedPassage) -> tuple[Direction | None, str]:
        how = self._config.direction
        if how == "device":
            return Direction(grant.direction or self._config.device_direction), how
        if how == "schedule":
            return by_schedule(self._shifts, grant.at, self._zone), how
        if how == "key":
            return self._take_key(), how
        return None, how

    def _take_key(self) -> Direction | None:
        with self._lock:
            pressed, self._key = self._key, None
        if pressed is None or self._clock.monotonic() - pressed[1] > KEY_S:
            return None
        return pressed[0]


def _recorded(punch: Punch, passage_id: str | None) -> PunchRecorded:
    return PunchRecorded(
        at=punch.at,
        passage_id=passage_id,
        door_id=punch.door_id,
        camera_id=punch.camera_id,
        punch_id=punch.punch_id,
        person_id=punch.person_id,
        person_name=punch.person_name,
        direction=punch.direction.value,
        direction_by=punch.direction_by,
        repeated=punch.repeated,
        decision_id=punch.decision_id,
    )
