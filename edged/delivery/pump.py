"""Brings one target up to date, step by step: what to send next, what a failure means. No threads here.

The rules: records go in order; none is passed over before the receiver has it or has refused it for good; a
record over which the receiver fails again and again becomes a dead letter only when another record passes; a
receiver that refuses everything is left alone, because then the fault is not in the records.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from edged.backoff import Backoff, PauseRule
from edged.clock import Clock, iso
from edged.config.delivery_section import TargetConfig
from edged.delivery.outbox import DeadLetter, Outbox, Refusal, TargetPlace, written_at
from edged.delivery.records import RecordMaker, kind_of, wanted_kinds
from edged.delivery.source import OpenRecords, RecordSource
from edged.delivery.state import Reporter
from edged.delivery.target import CONFLICT, DeliveryFailed, Message, Receipt, Refused, Target, shortened
from edged.errors import EdgedError, NeedsOperator
from edged.record import Record

PAGE = 500
IDLE_S = 1.0
"""Time between two looks at the journal while nothing new is announced."""

MOST_REFUSED_IN_A_ROW = 20
_WITHOUT_ANSWER = ("delivery_timeout", "delivery_broken_answer")
PROBES = 5
LONGEST_ASKED_PAUSE_S = 3600.0
"""A receiver that asks for a longer pause gets this one."""

PAUSE_SPREAD = (0.5, 1.0)
"""Share of a pause that chance chooses, so that many boxes do not come back together."""


@dataclass(frozen=True)
class NextStep:
    """Time to the next step, seconds from now. `idle`: news may cut it short."""

    wait_s: float
    idle: bool = False


@dataclass(frozen=True)
class _Chunk:
    """Records in their order, of which `messages` are wanted."""

    records: Sequence[Record]
    messages: Sequence[Message]


class _MovesOn(DeliveryFailed):
    """The queue goes on without its head, so there is no reason to wait."""


class Pump:
    """Moves records from the journal to one target. Used by one thread.

    Args:
        settings: configuration of the target.
        build: makes the target; called again after an error that closes it.
        open_records: opens the journal for reading.
        chance: spreads the pauses.
    """

    def __init__(
        self,
        settings: TargetConfig,
        build: Callable[[], Target],
        outbox: Outbox,
        open_records: OpenRecords,
        maker: RecordMaker,
        reporter: Reporter,
        clock: Clock,
        chance: random.Random,
    ) -> None:
        self._settings = settings
        self._build = build
        self._outbox = outbox
        self._open_records = open_records
        self._maker = maker
        self._reporter = reporter
        self._clock = clock
        rule = PauseRule(settings.retry_s, settings.retry_max_s, spread=PAUSE_SPREAD)
        self._backoff = Backoff(rule, chance.random)
        self._wanted = wanted_kinds(settings.events)
        self._target: Target | None = None
        self._records: RecordSource | None = None
        self._page: deque[Record] = deque()
        self._same_journal = False
        self._head: tuple[str, int] = ("", 0)  # id of the first message that failed, and how often
        self._one_by_one = 0
        self._refused_in_row = 0
        self._in_doubt: frozenset[str] = frozenset()  # sent, and no answer came back
        # ids taken out of turn, to find out whether the record or the receiver is at fault
        self._early: set[str] = set()
        self._due_s = clock.monotonic()

    def step(self) -> NextStep:
        """Send what comes next, or find that there is nothing."""
        try:
            place = self._outbox.place(self._settings.name)
            if place.paused_at is not None:
                self._page.clear()
                self._reporter.paused()
                return NextStep(IDLE_S, idle=True)
            return self._work(place)
        except EdgedError as error:
            return self.failed(error)

    def failed(self, error: EdgedError) -> NextStep:
        """The pause after `error`: twice as long each time, or as long as the receiver asks for."""
        self._page.clear()
        if isinstance(error, _MovesOn):
            return NextStep(0)
        asked_s = error.retry_after_s if isinstance(error, DeliveryFailed) else None
        if not isinstance(error, DeliveryFailed):
            self.close()  # the next attempt reads keys and certificates anew
        pause_s = self._backoff.failed(
            self._clock.monotonic(), at_least_s=min(asked_s or 0.0, LONGEST_ASKED_PAUSE_S)
        )
        self._reporter.failed(error, self._backoff.failures, pause_s)
        return NextStep(pause_s)

    def forget_failures(self) -> None:
        """An operator has found the fault: begin with the shortest pause, and dead-letter records again."""
        self._backoff.reset()
        self._refused_in_row = 0

    def close(self) -> None:
        """Let go of the target and the journal."""
        target, self._target = self._target, None
        records, self._records = self._records, None
        if target is not None:
            target.close()
        if records is not None:
            records.close()

    # -- one step

    def _work(self, place: TargetPlace) -> NextStep:
        if self._target is None:
            self._target = self._build()
        if self._records is None:
            self._records = self._open_records()
        if not self._same_journal:
            place = self._recognise_journal(place)
        if dead := self._outbox.next_retry(place.name):
            self._retry_dead_letter(dead, self._target)
            return NextStep(0)
        chunk = self._next_chunk(place)
        if chunk is None:
            self._target.tend()
            self._well()
            return NextStep(IDLE_S, idle=True)
        receipt = self._send(chunk, self._target)
        if receipt is not None:
            self._settle(chunk, receipt)
            self._well()
        return NextStep(self._pause_for(len(chunk.messages)))

    def _next_chunk(self, place: TargetPlace) -> _Chunk | None:
        """The next records, with as many wanted ones as may be sent together; None at the end."""
        if not self._page:
            self._page.extend(self._read(place.seq, PAGE))
        room = 1 if self._one_by_one else self._target.batch if self._target else 1
        records: list[Record] = []
        messages: list[Message] = []
        for record in self._page:
            if self._settings.pictures and self._maker.awaits_picture(record):
                break
            if kind_of(record.event) in self._wanted:
                if len(messages) == room:
                    break
                messages.append(self._message(record, place.series))
            records.append(record)
        return _Chunk(records, messages) if records else None

    def _send(self, chunk: _Chunk, target: Target) -> Receipt | None:
        """Send the messages, without those the target took out of turn. None: send them one by one now."""
        early = frozenset(message.id for message in chunk.messages) & self._early
        to_send = [message for message in chunk.messages if message.id not in self._early]
        if not to_send:
            return Receipt(early)
        try:
            receipt = target.deliver(to_send)
        except Refused as error:
            if len(to_send) > 1:
                self._one_by_one = len(chunk.messages)  # one of them is the reason; the others may pass
                return None
            if error.code == CONFLICT and to_send[0].id in self._in_doubt:
                receipt = Receipt(frozenset({to_send[0].id}))  # it had arrived that time
            else:
                receipt = Receipt(frozenset(), {to_send[0].id: error.message})
        except DeliveryFailed as error:
            if error.code in _WITHOUT_ANSWER:
                self._in_doubt |= {message.id for message in to_send}
            if error.about_record and len(to_send) > 1:
                self._one_by_one = len(chunk.messages)
            raise self._after_attempt(to_send[0], error) from error
        return Receipt(receipt.taken | early, receipt.refused)

    def _settle(self, chunk: _Chunk, receipt: Receipt) -> None:
        """Store the new place of the target. Raises DeliveryFailed when the receiver left a record out."""
        messages = {message.seq: message for message in chunk.messages}
        refusals: list[Refusal] = []
        last, taken, left_out = None, 0, None
        for record in chunk.records:
            message = messages.get(record.seq)
            if message is not None and message.id in receipt.refused:
                refusals.append(self._refusal(record, message, receipt.refused[message.id]))
            elif message is not None and message.id in receipt.taken:
                taken += 1
                self._refused_in_row = 0
            elif message is not None:
                left_out = message
                break
            last = record
        if last is not None:
            self._move_to(last, taken, refusals)
        if left_out is not None:
            self._one_by_one = len(chunk.messages)
            error = DeliveryFailed(
                f"{self._settings.name} did not acknowledge {left_out.id}.",
                code="delivery_no_acknowledgement",
                about_record=True,
            )
            raise self._after_attempt(left_out, error)

    def _move_to(self, last: Record, taken: int, refusals: Sequence[Refusal]) -> None:
        self._outbox.advance(self._settings.name, last, taken, refusals)
        self._in_doubt = frozenset() if not self._one_by_one else self._in_doubt
        while self._page and self._page[0].seq <= last.seq:
            passed = self._page.popleft()
            self._one_by_one -= bool(self._one_by_one and kind_of(passed.event) in self._wanted)
        if self._early and not self._page:
            self._early.clear()
        for refusal in refusals:
            self._reporter.dead_lettered(refusal)

    def _refusal(self, record: Record, message: Message, reason: str) -> Refusal:
        """Raises NeedsOperator (`delivery_all_refused`) before the whole journal becomes dead letters."""
        self._refused_in_row += 1
        if self._refused_in_row > MOST_REFUSED_IN_A_ROW:
            raise NeedsOperator(
                f"{self._settings.name} has refused the last {MOST_REFUSED_IN_A_ROW} records, and then "
                f"{message.id}: {reason}",
                code="delivery_all_refused",
                hint=f"Find out why; `edged delivery resume {self._settings.name}` goes on putting aside.",
            )
        attempts = self._head[1] + 1 if self._head[0] == message.id else 1
        return Refusal(record, "delivery_refused", _impersonal(reason, message), attempts)

    # -- a record over which the receiver fails while others pass

    def _after_attempt(self, head: Message, error: DeliveryFailed) -> DeliveryFailed:
        """Count a failure over `head`. After enough of them, find out whether a later record passes."""
        if not error.about_record:
            return error
        attempts = self._head[1] + 1 if self._head[0] == head.id else 1
        self._head = (head.id, attempts)
        beyond = attempts - self._settings.max_attempts
        if beyond >= 0 and self._passes(head, beyond % PROBES):
            if not self._takes(head):  # else the receiver has only just come back
                self._dead_letter(head, error, attempts + 1)
            return _MovesOn(f"The queue goes on behind {head.id}.", code="delivery_moves_on")
        return error

    def _passes(self, head: Message, skip: int) -> bool:
        """Whether the receiver takes a record after `head`; `skip` picks another one each time."""
        assert self._target is not None
        series = self._outbox.place(self._settings.name).series
        wanted = (r for r in self._read(head.seq, PAGE) if kind_of(r.event) in self._wanted)
        later = [r for r in wanted if self._maker.message_id(r.seq, series) not in self._early]
        if len(later) <= skip:
            return False
        return self._takes(self._message(later[skip], series))

    def _takes(self, message: Message) -> bool:
        """Whether the receiver takes `message` alone and out of turn; then it is not sent again in turn."""
        assert self._target is not None
        try:
            taken = message.id in self._target.deliver([message]).taken
        except (DeliveryFailed, Refused):
            return False
        if taken:
            self._early.add(message.id)
        return taken

    def _dead_letter(self, head: Message, error: DeliveryFailed, attempts: int) -> None:
        record = next(r for r in self._read(head.seq - 1, 1))
        refusal = Refusal(record, error.code, _impersonal(error.message, head), attempts)
        self._move_to(record, 0, [refusal])

    # -- dead letters that an operator wants sent again

    def _retry_dead_letter(self, dead: DeadLetter, target: Target) -> None:
        found = [r for r in self._read(dead.seq - 1, 1) if r.seq == dead.seq]
        if not found or dead.series != self._outbox.place(dead.target).series:
            gone = "the record is no longer in the journal"
            self._outbox.dead_letter_refused(dead, "delivery_record_gone", gone)
            return
        message = self._message(found[0], dead.series)
        try:
            receipt = target.deliver([message])
        except Refused as error:
            self._outbox.dead_letter_refused(dead, error.code, _impersonal(error.message, message))
        except DeliveryFailed as error:
            if not error.about_record:
                raise
            self._outbox.dead_letter_refused(dead, error.code, _impersonal(error.message, message))
        else:
            if message.id in receipt.taken:
                self._outbox.dead_letter_taken(dead)
            else:
                reason = receipt.refused.get(message.id, "not acknowledged")
                self._outbox.dead_letter_refused(dead, "delivery_refused", _impersonal(reason, message))

    # -- the journal

    def _read(self, after: int, limit: int) -> Sequence[Record]:
        """Records that a power cut cannot take away; else a receiver could get one number for two records."""
        assert self._records is not None
        records = self._records.list(after_seq=after, newest_first=False, limit=limit)
        if records:
            self._records.settle()
        return records

    def _message(self, record: Record, series: int) -> Message:
        return self._maker.make(record, series=series, pictures=self._settings.pictures)

    def _recognise_journal(self, place: TargetPlace) -> TargetPlace:
        """Check that the journal is the one the target was fed from; else go on with what is new in this one.

        A journal that was restored from a backup, or begun anew, gives numbers a second time.

        Returns:
            The place in this journal.
        """
        assert self._records is not None
        newest = self._records.list(limit=1)
        if not newest:
            return place  # an empty journal proves nothing; the next step asks again
        at_place = [r for r in self._read(place.seq - 1, 1) if r.seq == place.seq] if place.seq else []
        other = place.at is not None and any(
            (iso(r.at), r.event) != (place.at, place.event) for r in at_place
        )
        if newest[0].seq < place.seq or other:
            self._outbox.begin_series(place.name, self._dealt_with(place, newest[0]))
            self._page.clear()
            place = self._outbox.place(place.name)
        self._same_journal = True
        return place

    def _dealt_with(self, place: TargetPlace, newest: Record) -> int:
        """Number of the last record that is older than what was delivered before; rather one too few."""
        assert self._records is not None
        last_at = written_at(place)
        if last_at is None:
            return 0
        since = last_at + timedelta(milliseconds=1)
        later = self._records.list(since=since, newest_first=False, limit=1)
        return later[0].seq - 1 if later else newest.seq

    # -- pauses

    def _pause_for(self, sent: int) -> float:
        """The pause that keeps to `max_rate`; a slow receiver does not earn a burst later."""
        now_s = self._clock.monotonic()
        self._due_s = max(self._due_s, now_s - IDLE_S / 10) + sent / self._settings.max_rate
        return max(0.0, self._due_s - now_s)

    def _well(self) -> None:
        self._backoff.reset()
        self._reporter.well()


def _impersonal(reason: str, message: Message) -> str:
    """`reason` without the person, so that an erasure does not have to look here."""
    for text in sorted(message.personal, key=len, reverse=True):
        reason = reason.replace(text, "***")
    return shortened(reason)
