"""The crash laboratory in short: a few dozen seeded faults. `scripts/crashlab` does a thousand and more."""

from __future__ import annotations

from pathlib import Path

import crash_lab_faults as faults
import pytest
from crash_lab import CrashLab
from crash_lab_power import flush_notes
from tiers import slow_but


@pytest.fixture
def on_small_disk(tmp_path, mount_disk):
    """A lab whose box lies on a small file system of its own."""
    data_dir = mount_disk(faults.DISK_MB) / "data"
    with CrashLab(tmp_path / "lab", seed=5, data_dir=data_dir).running() as lab:
        yield lab


def lab_in(folder: Path, seed: int = 1, **options) -> CrashLab:
    return CrashLab(folder / "lab", seed, **options)


def expect_whole(*points) -> None:
    assert [point for point in points if point.wrong] == []


FILES = ["journal.sqlite3", "library.db", "attendance.db"]


@pytest.mark.parametrize("kills", slow_but([3, 24], 3))
def test_a_box_killed_at_any_moment_loses_nothing_and_does_nothing_twice(tmp_path, kills):
    with lab_in(tmp_path).running() as lab:
        expect_whole(*(lab.kill() for _ in range(kills)), lab.settle())
        assert lab.told.acknowledged
        assert lab.told.acted


@pytest.mark.slow
def test_delivered_records_survive_a_power_cut(tmp_path):
    library = flush_notes(tmp_path)
    if library is None:
        pytest.skip("needs a C compiler to see what was flushed")
    with lab_in(tmp_path, seed=2, preload=library).running() as lab:
        expect_whole(*(lab.power_cut() for _ in range(10)), lab.settle())
        assert lab.lost_bytes


@pytest.mark.slow
def test_records_survive_a_clock_that_is_set(tmp_path):
    with lab_in(tmp_path, seed=3).running() as lab:
        steps = (3600.0, -3600.0, -3600.0, 3600.0)
        expect_whole(*(lab.clock_step(by_s) for by_s in steps), lab.settle())


@pytest.mark.parametrize("times", slow_but([1, 4], 1))
def test_a_full_disk_stops_grants_and_loses_nothing(on_small_disk, times):
    expect_whole(*(faults.full_disk(on_small_disk) for _ in range(times)), on_small_disk.settle())


@pytest.mark.slow
def test_a_read_only_disk_is_refused_and_nothing_on_it_changed(on_small_disk):
    expect_whole(faults.read_only(on_small_disk), on_small_disk.settle())


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_a_file_of_a_newer_edged_is_left_alone(tmp_path, name):
    with lab_in(tmp_path, seed=4).running() as lab:
        expect_whole(faults.newer_schema(lab, name), lab.settle())


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_without_a_backup_is_left_for_a_person(tmp_path, name):
    with lab_in(tmp_path, seed=6).running() as lab:
        expect_whole(faults.damaged_without_backup(lab, name), lab.settle())


@pytest.mark.slow
def test_people_pass_while_nobody_knows_how_far_delivery_had_come(tmp_path):
    with lab_in(tmp_path, seed=9).running() as lab:
        expect_whole(faults.damaged_outbox(lab), lab.settle())


@pytest.mark.slow
def test_a_damaged_journal_is_put_back_and_gives_no_number_twice(tmp_path):
    with lab_in(tmp_path, seed=7).running() as lab:
        expect_whole(faults.damaged_journal(lab))


@pytest.mark.slow
def test_receivers_that_were_away_get_everything_in_order_and_once(tmp_path):
    with lab_in(tmp_path, seed=8).running() as lab:
        point, _ = faults.target_down(lab, records=800, drain_s=600.0)
        expect_whole(point, lab.settle())
