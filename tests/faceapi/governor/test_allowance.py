"""The counters of the cloud's allowance: shared by processes, kept over restarts, never one too few."""

import contextlib
import signal
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from places import SUPPORT

from edged.clock import ManualClock, SystemClock
from edged.config.recognition_section import CloudConfig
from edged.faceapi.calls import Call
from edged.faceapi.governor.allowance import AllowanceStore, Used
from edged.faceapi.governor.call_limits import service_of
from edged.faceapi.governor.rate_governor import GovernorLimits
from edged.faceapi.governor.token_bucket import Bucket

PROCESS = SUPPORT / "cloud_allowance_process.py"
RATE = Bucket(10, slack_s=0.0)
NOON = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)  # 12:00 in UTC+8


@pytest.fixture
def clock():
    return ManualClock(now=NOON)


@contextlib.contextmanager
def _store(tmp_path, clock, service="test", boot="boot 1"):
    store = AllowanceStore.open(tmp_path, clock, service=service, boot=boot)
    try:
        yield store
    finally:
        store.close()


def _take(store, clock, how_many, call=Call.SEARCH, **allowance):
    """Take turns as fast as the rate allows; what was taken."""
    taken = 0
    for _ in range(how_many):
        taken += store.take(call, RATE, **allowance).taken
        clock.advance(RATE.interval_s)
    return taken


def _used(store, call):
    return store.used().get(call, Used())


def _process(tmp_path, *arguments):
    command = [sys.executable, str(PROCESS), str(tmp_path), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_each_call_counts_for_itself(tmp_path, clock):
    with _store(tmp_path, clock) as store:
        _take(store, clock, 3)
        _take(store, clock, 2, Call.DETECT)
        assert (_used(store, Call.SEARCH), _used(store, Call.DETECT)) == (Used(3, 3), Used(2, 2))


def test_each_service_counts_for_itself(tmp_path, clock):
    with _store(tmp_path, clock) as store, _store(tmp_path, clock, service="other") as other:
        _take(store, clock, 3)
        assert _used(other, Call.SEARCH) == Used(0, 0)


def test_a_private_servers_libraries_are_different_services():
    one = CloudConfig(dialect="private", url="http://10.0.0.1:8300/", appid="site1")
    two = CloudConfig(dialect="private", url="http://10.0.0.1:8300", appid="site2")
    assert service_of(one) == "http://10.0.0.1:8300?appid=site1"
    assert service_of(one) != service_of(two)


def test_management_calls_have_no_allowance():
    limits = GovernorLimits.of(CloudConfig(daily_calls=10, total_calls=20))
    assert limits.allowance(Call.SEARCH) == (10, 20)
    assert limits.allowance(Call.GROUP_GETLIST) == (0, 0)


def test_counters_and_rate_survive_a_restart(tmp_path, clock):
    with _store(tmp_path, clock) as store:
        store.take(Call.SEARCH, RATE)
    with _store(tmp_path, clock) as store:
        assert _used(store, Call.SEARCH) == Used(1, 1)
        assert store.take(Call.SEARCH, RATE).wait_s == pytest.approx(RATE.interval_s)


def test_a_restart_of_the_machine_does_not_lock_the_rate(tmp_path, clock):
    with _store(tmp_path, clock) as store:
        store.take(Call.SEARCH, RATE)
    rebooted = ManualClock(now=clock.now(), monotonic=1.0)
    with _store(tmp_path, rebooted, boot="boot 2") as store:
        assert store.take(Call.SEARCH, RATE).taken
        assert _used(store, Call.SEARCH) == Used(2, 2)


def test_the_day_is_over_at_midnight_of_the_cloud_and_the_total_is_not(tmp_path, clock):
    with _store(tmp_path, clock) as store:
        assert _take(store, clock, 6, most_today=4) == 4
        assert store.take(Call.SEARCH, RATE, most_today=4).spent == "day"
        clock.advance(store.day_left_s() - 0.01)
        assert store.take(Call.SEARCH, RATE, most_today=4).spent == "day"
        clock.advance(0.02)
        assert store.take(Call.SEARCH, RATE, most_today=4).taken
        assert _used(store, Call.SEARCH) == Used(1, 5)


@pytest.mark.parametrize("stepped_s", [86400, -86400, 400 * 86400, -400 * 86400])
def test_a_jump_of_the_wall_clock_frees_nothing_and_locks_for_a_day_at_most(tmp_path, clock, stepped_s):
    with _store(tmp_path, clock) as store:
        _take(store, clock, 2, most_today=2)
        clock.step_wall(stepped_s)
        assert store.take(Call.SEARCH, RATE, most_today=2).spent == "day"
        clock.advance(86400)
        assert store.take(Call.SEARCH, RATE, most_today=2).taken


def test_a_used_up_total_stays_used_up(tmp_path, clock):
    with _store(tmp_path, clock) as store:
        assert _take(store, clock, 5, most_total=3) == 3
        clock.advance(40 * 86400)
        assert store.take(Call.SEARCH, RATE, most_total=3).spent == "total"
        assert store.take(Call.SEARCH, RATE, most_total=4).taken


def test_a_turn_that_is_not_taken_is_not_counted(tmp_path, clock):
    with _store(tmp_path, clock) as store:
        store.take(Call.SEARCH, RATE)
        assert not store.take(Call.SEARCH, RATE).taken
        assert _used(store, Call.SEARCH) == Used(1, 1)


def test_two_processes_share_one_allowance(tmp_path):
    """30 turns are asked for, 16 may be had."""
    rate, most = 20, 16
    both = [_process(tmp_path, rate, 15, most) for _ in range(2)]
    said = [line for process in both for line in process.communicate(timeout=60)[0].split()]

    turns = [line for line in said if line[0].isdigit()]
    assert len(turns) == most
    assert set(said) - set(turns) == {"cloud_daily_quota"}
    with _store(tmp_path, SystemClock(), boot=None) as store:
        assert _used(store, Call.SEARCH) == Used(most, most)


def test_a_killed_process_has_counted_everything_it_may_have_sent(tmp_path):
    process = _process(tmp_path, 200, 100_000, 1_000_000)
    sent = [process.stdout.readline() for _ in range(20)]
    process.send_signal(signal.SIGKILL)
    sent += process.stdout.read().splitlines()
    process.wait(timeout=30)
    process.stdout.close()

    with _store(tmp_path, SystemClock(), boot=None) as store:
        counted = _used(store, Call.SEARCH).total
    assert len(sent) <= counted <= len(sent) + 1
