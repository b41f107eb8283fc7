"""Orders of people and hours of the wall clock, with services, boards on ptys and a real journal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from gate_bench import DEADLINE_S, GateBench
from leaping_clock import LeapingClock

from edged.errors import EdgedError, Misconfigured, NeedsOperator, NotFound, RetryLater
from edged.events import (
    DoorLocked,
    DoorModeChanged,
    DoorOrdered,
    DoorStateChanged,
    DoorUnlocked,
    GateLost,
    GrantNotExecuted,
)
from edged.gate.door.model import DoorMode
from edged.gate.door.timetable import ModeOrder
from edged.gate.override_store import FILE_NAME, OverrideStore
from edged.gate.overrides import door_commands
from edged.gate.service import GateService
from edged.journal import Journal, journal_path


@dataclass(frozen=True)
class Guard:
    """Who gives the orders."""

    uid: int = 1000
    user: str = "guard"


class WallClock(LeapingClock):
    """Its wall time can be set."""

    def __init__(self) -> None:
        super().__init__()
        self.ahead = timedelta()

    def set(self, to: datetime) -> None:
        self.ahead = to - super().now()

    def now(self) -> datetime:
        return super().now() + self.ahead


class Desk:
    """A desk, as the daemon has it."""

    def __init__(self, bench: GateBench, services: list[GateService], directory: Path) -> None:
        self.journal = Journal.open(journal_path(directory), bench.clock)
        bench.callback(self.journal.close)
        self.journal.attach(bench.bus)
        self.commit = self.journal.commit_decision
        self.book = OverrideStore(directory)
        self._commands = door_commands(
            {service.door_id: service for service in services},
            self.book,
            bench.clock,
            commit=lambda event: self.commit(event),
            publish=bench.bus.publish,
        )

    def __call__(self, action: str, **arguments: object) -> list[dict]:
        return self._commands[f"door.{action}"](Guard(), arguments)["doors"]

    def code_of_refusal(self, action: str, **arguments: object) -> str:
        with pytest.raises(EdgedError) as caught:
            self(action, **arguments)
        return caught.value.code


@pytest.fixture
def bench():
    with GateBench(WallClock()) as made:
        yield made


def names(journal: Journal, decision_id: str) -> list[str]:
    return [record.event for record in journal.find(decision_id)]


def test_an_order_to_open_is_in_the_journal_before_the_relay_moves(bench, tmp_path):
    board = bench.board("sim:lcus")
    desk = Desk(bench, [bench.service(board.link, pulse_s=0.2)], tmp_path)
    moved_at_commit: list[int] = []

    def commit(event: DoorOrdered) -> int:
        seq = desk.journal.commit_decision(event)
        moved_at_commit.append(len(board.edges))
        return seq

    desk.commit = commit
    (answer,) = desk("open", by="Mia at the desk")
    assert answer["outcome"] == "opened"
    unlocked = bench.wait_for(DoorUnlocked)
    assert unlocked.decision_id == answer["decision_id"]
    assert moved_at_commit == [0]
    bench.wait_for(DoorLocked)
    bench.bus.drain(DEADLINE_S)
    assert names(desk.journal, answer["decision_id"])[:2] == ["door_ordered", "door_unlocked"]
    (record,) = desk.journal.list(event="door_ordered")
    assert (record.payload["user"], record.payload["uid"]) == ("guard", 1000)
    assert record.payload["by"] == "Mia at the desk"
    assert desk.journal.unfinished_grants() == []


def test_an_order_that_cannot_be_recorded_moves_nothing(bench, tmp_path):
    board = bench.board("sim:lcus")
    desk = Desk(bench, [bench.service(board.link)], tmp_path)

    def commit(event: DoorOrdered) -> int:
        raise NeedsOperator("The disk is full.", code="journal_full")

    desk.commit = commit
    assert desk.code_of_refusal("open") == "journal_full"
    assert desk.code_of_refusal("free", for_s=60) == "journal_full"
    assert bench.wait_for(DoorOrdered).code == "journal_unavailable"
    assert list(board.edges) == []


def test_an_order_that_was_cut_off_is_told_at_the_next_start(bench, tmp_path):
    desk = Desk(bench, [bench.service(bench.board("sim:lcus").link)], tmp_path)
    event = DoorOrdered(
        at=bench.clock.now(), door_id="door1", decision_id="o_1", action="open", user="guard", uid=1
    )
    desk.journal.commit_decision(event)
    assert [record.decision_id for record in desk.journal.close_unfinished()] == ["o_1"]
    assert names(desk.journal, "o_1") == ["door_ordered", "grant_not_executed"]


def test_without_its_board_an_order_to_open_is_refused_and_recorded(bench, tmp_path):
    board = bench.board("sim:lcus?firmware=feedback")
    desk = Desk(bench, [bench.service(board.link, firmware="feedback")], tmp_path)
    board.unplug()
    bench.wait_for(GateLost)
    assert desk.code_of_refusal("open") == "board_offline"
    assert bench.wait_for(DoorOrdered).code == "board_offline"


def test_in_a_lock_down_grants_and_orders_to_open_are_refused_until_normal(bench, tmp_path):
    board = bench.board("sim:lcus")
    desk = Desk(bench, [bench.service(board.link, pulse_s=0.1)], tmp_path)
    desk("lock", by="Mia")
    assert bench.wait_for(DoorModeChanged).mode == "locked"
    bench.decide("d1")
    assert bench.wait_for(GrantNotExecuted, decision_id="d1").code == "door_locked_down"
    assert desk.code_of_refusal("open") == "door_locked_down"
    desk("normal")
    desk("open")
    bench.wait_for(DoorUnlocked)


def test_free_holds_the_relay_on_again_after_the_board_was_without_power_and_ends_surely(bench, tmp_path):
    board = bench.board("sim:modbus")
    desk = Desk(bench, [bench.service(board.link, protocol="modbus", max_on_s=0.5)], tmp_path)
    desk("free", for_s=3600)
    bench.wait_until(lambda: board.relays[0])
    board.power_off()
    assert board.wait_for(lambda b: b.relays[0], DEADLINE_S), "seen at the next readback"
    bench.decide("d1")
    assert bench.wait_for(DoorUnlocked, decision_id="d1").extended, "whoever is granted may pass"
    began_s = board.edges[0].at_s
    desk("normal")
    locked = bench.wait_for(DoorLocked, reason="free_over")
    assert locked.acknowledged
    assert locked.on_ms == pytest.approx((board.edges[-1].at_s - began_s) * 1000, abs=200)
    assert not board.relays[0]


def test_free_without_an_end_is_refused(bench, tmp_path):
    board = bench.board("sim:lcus")
    desk = Desk(bench, [bench.service(board.link)], tmp_path)
    assert desk.code_of_refusal("free") == "order_needs_end"
    desk("free", for_s=1)
    bench.wait_for(DoorStateChanged, state="free")
    bench.wait_for(DoorLocked, reason="free_over")


def test_hours_begin_and_end_with_the_wall_clock_also_when_it_is_set(bench):
    bench.clock.set(datetime(2026, 11, 16, 7, 59, 59, tzinfo=UTC))  # a Monday
    board = bench.board("sim:lcus")
    bench.service(board.link, free=["Mon-Fri 08:00-17:30"], locked=["Mon 12:00-13:00"])
    assert bench.wait_for(DoorModeChanged).source == "schedule"
    bench.wait_until(lambda: board.relays[0])
    bench.clock.set(datetime(2026, 11, 16, 12, 30, tzinfo=UTC))
    bench.wait_for(DoorModeChanged, previous="free", mode="locked")
    bench.clock.set(datetime(2026, 11, 16, 17, 29, 59, tzinfo=UTC))
    bench.wait_for(DoorModeChanged, previous="locked", mode="free")
    bench.wait_for(DoorModeChanged, previous="free", mode="normal")
    bench.wait_for(DoorLocked, count=2, reason="free_over")
    assert not board.relays[0]


def test_an_order_stands_until_the_hours_change_and_survives_a_restart_until_then(bench, tmp_path):
    bench.clock.set(datetime(2026, 11, 16, 9, 0, tzinfo=UTC))
    board = bench.board("sim:lcus")
    hours = {"free": ["Mon 08:00-17:30"]}
    service = bench.service(board.link, **hours)
    desk = Desk(bench, [service], tmp_path)
    bench.wait_for(DoorStateChanged, state="free")
    (answer,) = desk("lock")
    assert answer["mode_until"] == "2026-11-16T17:30:00.000Z"
    service.stop(DEADLINE_S)
    again = bench.service(board.link, order=OverrideStore(tmp_path).order("door1"), **hours)
    assert again.health()["mode"] == "locked"
    bench.clock.set(datetime(2026, 11, 16, 17, 30, tzinfo=UTC))
    bench.wait_for(DoorModeChanged, count=1, previous="locked", mode="normal")


def test_several_doors_are_locked_at_once_and_one_is_named(bench, tmp_path):
    services = [bench.service(bench.board("sim:lcus").link, id=name) for name in ("front", "back")]
    desk = Desk(bench, services, tmp_path)
    assert [each["mode"] for each in desk("lock", all=True)] == ["locked", "locked"]
    assert [each["door"] for each in desk("status")] == ["front", "back"]
    with pytest.raises(Misconfigured):
        desk("open")
    with pytest.raises(NotFound):
        desk("open", door="side")
    assert desk("normal", door="front")[0]["mode"] == "normal"


def test_of_interlocked_doors_one_opens_when_the_other_is_locked(bench, tmp_path):
    services = bench.interlocked("front", "back", mode="hold", hold_s=30.0, protocol="modbus")
    desk = Desk(bench, services, tmp_path)
    desk("open", door="front")
    with pytest.raises(RetryLater) as caught:
        desk("open", door="back")
    assert caught.value.code == "interlocked"
    assert desk.code_of_refusal("free", door="back", for_s=60) == "order_free_interlocked"


@pytest.mark.parametrize(
    "arguments",
    [{"by": "x\ny"}, {"by": "x" * 81}, {"for_s": 0}, {"for_s": "60"}, {"for_s": True}, {"for_s": 1e12}],
)
def test_orders_that_make_no_sense_are_refused(bench, tmp_path, arguments):
    desk = Desk(bench, [bench.service(bench.board("sim:lcus").link)], tmp_path)
    assert desk.code_of_refusal("lock", **arguments) == "order_malformed"
    assert bench.seen(DoorOrdered) == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        *(({"door": door}, "door_unknown") for door in ("", [], True)),
        *(({flag: value}, "order_malformed") for flag in ("all", "extra_time") for value in ("true", 1)),
    ],
)
def test_an_order_that_is_not_understood_opens_nothing_even_where_there_is_one_door(
    bench, tmp_path, arguments, code
):
    board = bench.board("sim:lcus")
    desk = Desk(bench, [bench.service(board.link)], tmp_path)
    assert desk.code_of_refusal("open", **arguments) == code
    assert not board.edges


def test_a_gate_that_has_ended_says_so_and_the_order_is_not_carried_out_later(bench, tmp_path):
    service = bench.service(bench.board("sim:lcus").link)
    desk = Desk(bench, [service], tmp_path)
    service.stop(DEADLINE_S)
    assert desk.code_of_refusal("lock") == "gate_busy"


def test_a_damaged_memory_of_orders_is_put_aside(tmp_path):
    now = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)
    order = ModeOrder(DoorMode.LOCKED, now, now + timedelta(hours=1))
    book = OverrideStore(tmp_path)
    book.keep("door1", order)
    assert OverrideStore(tmp_path).order("door1") == order
    for damage in (b"", b"{", b"[]", b'{"door1": {"mode": "ajar"}}', b'{"door1": 5}', b"\xff"):
        (tmp_path / FILE_NAME).write_bytes(damage)
        again = OverrideStore(tmp_path)
        assert again.order("door1") is None
        assert again.damaged == (tmp_path / FILE_NAME).with_suffix(".damaged")
        assert (tmp_path / FILE_NAME).with_suffix(".damaged").read_bytes() == damage
