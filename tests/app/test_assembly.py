"""The order of starting and stopping, and health in one shape, with parts that write down what happens."""

from __future__ import annotations

import json

import pytest

from edged.app.assembly import Assembly
from edged.app.part import PartHealth, PartState, Reloadable
from edged.app.parts import FLOW, STOP_FIRST
from edged.app.site import Site
from edged.app.site_part import SitePart
from edged.clock import ManualClock
from edged.config import Config
from edged.errors import NeedsOperator, RetryLater

NAMES = ("lock", "journal", "doors", "recognition", "cameras", "control")
LIMIT_S = 2.5


class Diary:
    """Makes parts that write into it, and knows which of them fails."""

    def __init__(self, fails: str = "", raises: str = "") -> None:
        self.lines: list[str] = []
        self.waited_s: list[float] = []
        self.fails = fails
        self.raises = raises
        """A line at which the part raises what nobody expects, e.g. `stop doors`."""
        self.trouble: dict[str, Exception] = {}

    def part(self, name: str):
        return lambda site: Noting(site, name, self)


class Noting(SitePart):
    def __init__(self, site: Site, name: str, diary: Diary) -> None:
        super().__init__(site)
        self.name = name
        self._diary = diary
        diary.lines.append(f"made {name}")

    def _note(self, what: str) -> None:
        line = f"{what} {self.name}"
        self._diary.lines.append(line)
        if line == self._diary.raises:
            raise RuntimeError("a fault of the program")

    def start(self) -> None:
        self._note("start")
        self._site.heartbeats.register(self.name, 1.0)
        if self.name == self._diary.fails:
            raise NeedsOperator("It cannot start.", code="toy")

    def finish(self) -> None:
        self._note("finish")

    def ask_to_stop(self) -> None:
        self._note("ask")

    def stop(self, timeout_s: float) -> bool:
        self._note("stop")
        self._diary.waited_s.append(timeout_s)
        self._site.clock.advance(2.0)
        return self.name != "cameras"

    def close(self) -> None:
        self._note("close")

    def beats(self) -> list[str]:
        return [self.name]

    def health(self) -> PartHealth:
        if self.name in self._diary.trouble:
            raise self._diary.trouble[self.name]
        return self._is(PartState.OK, "Fine.", number=1)


def assembled(diary: Diary) -> tuple[Site, Assembly]:
    site = Site(Config(), ManualClock())
    return site, Assembly(site, [diary.part(name) for name in NAMES])


def of(diary: Diary, *kinds: str) -> list[str]:
    return [line for line in diary.lines if line.split()[0] in kinds]


def test_all_parts_are_made_before_the_first_starts_and_start_from_top_to_bottom():
    diary = Diary()
    _, assembly = assembled(diary)
    assembly.start()
    assert diary.lines == [f"made {name}" for name in NAMES] + [f"start {name}" for name in NAMES]
    assembly.stop(LIMIT_S)


def test_all_parts_are_asked_to_stop_then_what_moves_stops_doors_first_then_all_close_from_bottom_to_top():
    diary = Diary()
    _, assembly = assembled(diary)
    assembly.start()
    del diary.lines[:]
    assert assembly.stop(LIMIT_S) is False  # the cameras did not end in time
    assert diary.lines == [
        *(f"ask {name}" for name in NAMES),
        "stop doors",
        "stop cameras",
        "stop recognition",
        *(f"close {name}" for name in reversed(NAMES)),
    ]


def test_the_limit_is_shared_and_leaves_the_last_part_a_moment():
    diary = Diary()
    _, assembly = assembled(diary)
    assembly.start()
    assembly.stop(LIMIT_S)
    assert diary.waited_s == pytest.approx([2.5, 0.5, 0.1])


def test_the_silence_of_a_part_that_stops_is_no_hang():
    site, assembly = assembled(Diary())
    assembly.start()
    assembly.stop(LIMIT_S)
    site.clock.advance(60.0)
    assert site.heartbeats.stale() == []


def test_passages_finish_along_the_way_from_a_frame_to_a_relay():
    diary = Diary()
    _, assembly = assembled(diary)
    assembly.start()
    assembly.finish()
    assert of(diary, "finish") == [f"finish {name}" for name in FLOW]
    assembly.stop(LIMIT_S)


@pytest.mark.parametrize("name", NAMES)
def test_a_part_that_cannot_start_is_stopped_and_closed_with_those_above_it_and_nothing_else(name):
    diary = Diary(fails=name)
    _, assembly = assembled(diary)
    with pytest.raises(NeedsOperator):
        assembly.start()
    assembly.stop(LIMIT_S)
    begun = NAMES[: NAMES.index(name) + 1]
    assert of(diary, "close") == [f"close {each}" for each in reversed(begun)]
    assert of(diary, "stop") == [f"stop {each}" for each in STOP_FIRST if each in begun]


@pytest.mark.parametrize(
    "line", ["ask lock", "ask doors", "stop doors", "stop recognition", "close control", "close lock"]
)
def test_a_part_that_raises_while_it_stops_keeps_no_other_from_its_turn(line):
    diary, undisturbed = Diary(raises=line), Diary()
    for each in (diary, undisturbed):
        _, assembly = assembled(each)
        assembly.start()
        assert assembly.stop(LIMIT_S) is False
    assert diary.lines == undisturbed.lines


def test_a_part_that_raises_while_passages_finish_keeps_no_other_from_its_turn():
    diary = Diary(raises=f"finish {FLOW[0]}")
    _, assembly = assembled(diary)
    assembly.start()
    assembly.finish()
    assert of(diary, "finish") == [f"finish {name}" for name in FLOW]
    assembly.stop(LIMIT_S)


# -- health


def test_health_is_in_the_order_of_the_table_and_says_what_has_not_started():
    diary = Diary(fails="doors")
    _, assembly = assembled(diary)
    assert assembly.health() == []
    with pytest.raises(NeedsOperator):
        assembly.start()
    health = assembly.health()
    assert [one.part for one in health] == list(NAMES)
    assert [one.state.value for one in health] == ["ok", "ok", "off", "off", "off", "off"]
    assembly.stop(LIMIT_S)


def test_a_part_that_cannot_say_how_it_is_has_failed_with_code_and_hint():
    diary = Diary()
    _, assembly = assembled(diary)
    assembly.start()
    diary.trouble["journal"] = RetryLater("The database is locked.", code="toy_busy", hint="Wait.")
    failed = assembly.health()[1]
    assert (failed.state, failed.summary) == (PartState.FAILED, "The database is locked.")
    assert failed.details == {"code": "toy_busy", "hint": "Wait."}
    assembly.stop(LIMIT_S)


def test_a_fault_in_one_answer_leaves_the_health_of_the_others():
    diary = Diary()
    _, assembly = assembled(diary)
    assembly.start()
    diary.trouble["doors"] = KeyError("door1")
    health = {one.part: one for one in assembly.health()}
    assert (health["doors"].state, health["control"].state) == (PartState.FAILED, PartState.OK)
    assert "KeyError: 'door1'" in health["doors"].summary
    assembly.stop(LIMIT_S)


def test_parts_that_have_stopped_are_off():
    _, assembly = assembled(Diary())
    assembly.start()
    assembly.stop(LIMIT_S)
    assert {one.state for one in assembly.health()} == {PartState.OFF}


def test_a_part_whose_thread_hangs_has_failed_whatever_it_says():
    site, assembly = assembled(Diary())
    assembly.start()
    site.clock.advance(5.0)
    site.heartbeats.register("doors", 1.0)
    states = {one.part: one.state for one in assembly.health()}
    assert states["recognition"] is PartState.FAILED
    assert states["doors"] is PartState.OK
    assembly.stop(LIMIT_S)


def test_since_is_the_first_look_that_found_the_state():
    diary = Diary()
    site, assembly = assembled(diary)
    assembly.start()
    first = site.clock.now()
    assembly.health()
    site.clock.advance(0.5)
    assert assembly.health()[1].since == first
    diary.trouble["journal"] = RetryLater("Busy.", code="toy_busy")
    assert assembly.health()[1].since == site.clock.now()
    assembly.stop(LIMIT_S)


def test_health_is_ready_for_json():
    _, assembly = assembled(Diary())
    assembly.start()
    plain = json.loads(json.dumps(assembly.health()[0].to_dict()))
    assert plain == {
        "part": "lock",
        "state": "ok",
        "summary": "Fine.",
        "since": "2026-01-01T08:00:00.000Z",
        "details": {"number": 1},
    }
    assembly.stop(LIMIT_S)


# -- reload


class Reloads(Noting):
    def reload(self, config: Config) -> None:
        self._note("reload")


def test_a_part_declares_that_it_reloads_by_having_the_method():
    diary = Diary()
    site = Site(Config(), ManualClock())
    parts = [Reloads(site, "journal", diary), Noting(site, "lock", diary)]
    assert [isinstance(part, Reloadable) for part in parts] == [True, False]
