"""The real parts of the daemon: order, health, commands, and a start that fails anywhere."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edged.app.daemon import Daemon
from edged.app.part import PartHealth, PartState
from edged.app.parts import FLOW, PARTS, STOP_FIRST
from edged.app.site import Site
from edged.app.site_part import SitePart
from edged.clock import SystemClock
from edged.config import Config
from edged.errors import NeedsOperator
from edged.events import Event
from edged.ops.control import FILE_NAME, ask
from edged.ops.lock import lock_data_dir

ARCHITECTURE = Path(__file__).parents[2] / "docs" / "architecture.md"
NAMES = [
    "lock", "journal", "library", "attendance", "delivery", "upkeep", "doors", "access", "cloud",
    "recognition", "cameras", "jobs", "control",
]  # fmt: skip
COMMANDS = {
    "attendance.corrected", "attendance.key", "delivery.pause", "delivery.resume", "delivery.retry",
    "delivery.status", "door.ack", "door.free", "door.lock", "door.normal", "door.open", "door.status",
}  # fmt: skip


@pytest.fixture
def daemon(small_site, no_thread_stays) -> Iterator[Daemon]:
    daemon = Daemon(small_site, SystemClock())
    daemon.start()
    yield daemon
    daemon.stop()


def test_every_part_tells_its_health_in_one_shape_ready_for_json_in_the_order_of_the_table(daemon):
    health = daemon.health()
    assert [one.part for one in health] == NAMES
    for one in health:
        plain = one.to_dict()
        assert list(plain) == ["part", "state", "summary", "since", "details"]
        assert json.loads(json.dumps(plain)) == plain
        assert one.summary.endswith(".")
    states = {one.part: one.state for one in health}
    assert states.pop("cloud") is PartState.OFF
    assert states.pop("cameras") is PartState.FAILED  # there is no such camera
    assert states.pop("library") is PartState.DEGRADED  # nobody is enrolled
    assert states["journal"] is states["access"] is states["attendance"] is PartState.OK


def test_the_socket_answers_the_commands_of_all_parts(daemon):
    (control,) = (one for one in daemon.health() if one.part == "control")
    assert set(control.details["commands"]) == COMMANDS
    assert ask(daemon.config.data_dir, "attendance.key", direction="out")["direction"] == "out"


def test_the_timed_jobs_of_all_parts_wait_for_their_time(daemon):
    (jobs,) = (one for one in daemon.health() if one.part == "jobs")
    assert set(jobs.details["next_runs"]) == {"retention", "backup"}


def rows(page: str, first: str) -> list[str]:
    """The first column of the table of `page` whose first column is headed `first`."""
    table = page.split(f"\n| {first} |")[1].split("\n\n")[0]
    return [line.split("|")[1].strip() for line in table.splitlines()[2:]]


def test_the_page_for_maintainers_shows_the_parts_in_their_order():
    assert rows(ARCHITECTURE.read_text("utf-8"), "part") == NAMES


KINDS = (
    ("bus:access:", "bus:access:DOOR"),
    ("bus:", "bus:NAME"),
    ("camera:", "camera:ID"),
    ("delivery:", "delivery:NAME"),
    ("recognition-", "recognition-N"),
)
"""Beginnings of thread names, and how the page calls all threads of the kind."""


def kind_of(thread: str) -> str:
    return next((kind for beginning, kind in KINDS if thread.startswith(beginning)), thread)


def test_every_thread_of_the_daemon_is_on_the_page_for_maintainers(no_thread_stays, daemon):
    named = {name for row in rows(ARCHITECTURE.read_text("utf-8"), "thread") for name in row.split(", ")}
    kinds = {kind_of(thread.name) for thread in set(threading.enumerate()) - no_thread_stays}
    assert {kind for _, kind in KINDS} | {"gate", "vision", "journal", "control"} <= kinds
    assert kinds <= named


def test_the_doors_stop_first_of_all():
    assert STOP_FIRST == ("doors", "cameras", "recognition")


class Failing(SitePart):
    """A part that cannot start."""

    name = "failing"

    def start(self) -> None:
        raise NeedsOperator("It cannot start.", code="toy")

    def health(self) -> PartHealth:
        return self._is(PartState.OK, "Never.")


def failing_start(config: Config, *parts) -> list[Event]:
    """A start that raises; gives what was on the bus."""
    daemon, events = Daemon(config, SystemClock(), parts=parts), []
    daemon.bus.subscribe(Event, events.append, name="test")
    with pytest.raises(NeedsOperator, match="It cannot start"):
        daemon.start()
    return events


@pytest.mark.parametrize("number", range(len(PARTS) + 1))
def test_a_part_that_fails_to_start_leaves_nothing_running(number, small_site, no_thread_stays):
    events = failing_start(small_site, *PARTS[:number], Failing, *PARTS[number:])
    assert "DaemonStarted" not in {type(event).__name__ for event in events}
    assert not (small_site.data_dir / FILE_NAME).exists()
    lock_data_dir(small_site.data_dir, clock=SystemClock()).release()


def test_a_second_daemon_on_the_same_data_is_refused(daemon):
    with pytest.raises(NeedsOperator) as refused:
        Daemon(daemon.config, SystemClock()).start()
    assert refused.value.code == "data_dir_in_use"


def test_a_camera_that_can_never_be_opened_shows_before_anything_is_touched(small_site):
    camera = small_site.camera.model_copy(update={"source": str(small_site.data_dir / "film.mp4")})
    with pytest.raises(Exception, match="no such file"):
        Daemon(small_site.model_copy(update={"camera": camera}), SystemClock()).start()
    assert not small_site.data_dir.exists()


def test_a_part_that_needs_what_stands_below_it_says_what_is_missing(small_site, no_thread_stays):
    upside_down = (PARTS[0], *PARTS[2:])  # without the journal
    with pytest.raises(RuntimeError, match=r"upkeep|journal"):
        Daemon(small_site, SystemClock(), parts=upside_down).start()


def test_every_part_of_the_table_has_a_name_of_its_own(small_site):
    site = Site(small_site, SystemClock())
    names = [make(site).name for make in PARTS]
    assert names == NAMES
    assert {*FLOW, *STOP_FIRST} <= set(names)
    assert site.bus.close(1.0)
