"""Backups and erasure when the disk is full or read-only, and a daemon that is killed while they run."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from small_disks import fill
from upkeep_box import Box, noise

from edged.clock import SystemClock
from edged.errors import NeedsOperator
from edged.journal import Journal, JournalReader, journal_path
from edged.upkeep.backup import check_backup, list_backups, make_backup
from edged.upkeep.erasure.forget import forget, unfinished
from edged.upkeep.restore import restore
from edged.upkeep.verify import Level, verify

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount")


@pytest.fixture
def small_disk(mount_disk) -> Path:
    """A file system of twenty megabytes."""
    return mount_disk(20)


def filled(data_dir: Path) -> Box:
    box = Box(data_dir, SystemClock())
    box.enrol("planted_person", "Planted Person", 1)
    box.pass_through("planted_person", "Planted Person", 3)
    return box


def sound(box: Box) -> bool:
    found = verify(box.data_dir, box.clock, backup_dirs=(), expect_backup=False)
    return not any(finding.level is Level.PROBLEM for finding in found)


@needs_root
def test_a_backup_onto_a_full_disk_says_how_much_is_missing_and_leaves_nothing(tmp_path, small_disk):
    box = filled(tmp_path / "data")
    fill(small_disk)

    with pytest.raises(NeedsOperator) as raised:
        make_backup(box.data_dir, small_disk, box.clock)

    assert raised.value.code == "disk_full"
    assert "needs" in raised.value.message
    assert [path.name for path in small_disk.iterdir()] == ["filler"]


@needs_root
def test_restoring_onto_a_full_disk_changes_nothing(tmp_path, small_disk):
    box = filled(small_disk / "data")
    backup = make_backup(box.data_dir, tmp_path / "b", box.clock)
    before = (box.data_dir / "journal.sqlite3").read_bytes()
    fill(small_disk, leave=64 * 1024)

    with pytest.raises(NeedsOperator) as raised:
        restore(backup.path, box.data_dir, box.clock)

    assert raised.value.code == "disk_full"
    (small_disk / "filler").unlink()
    assert (box.data_dir / "journal.sqlite3").read_bytes() == before
    assert sound(box)
    restore(backup.path, box.data_dir, box.clock)
    assert sound(box)


@needs_root
def test_an_erasure_on_a_full_disk_is_finished_when_there_is_room(small_disk):
    box = filled(small_disk / "data")
    fill(small_disk)

    with pytest.raises(NeedsOperator) as raised:
        forget(box.data_dir, "planted_person", box.clock)
    assert raised.value.code == "disk_full"

    (small_disk / "filler").unlink()
    done = forget(box.data_dir, "planted_person", box.clock)

    assert done.left == []
    assert unfinished(box.data_dir) is None
    assert not any(
        noise(1)[5000:5060] in file.read_bytes() for file in small_disk.rglob("*") if file.is_file()
    )
    assert sound(box)


@needs_root
def test_a_disk_that_became_read_only_can_be_read_and_is_named(small_disk):
    box = filled(small_disk / "data")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)

    try:
        with pytest.raises(NeedsOperator) as raised:
            Journal.open(journal_path(box.data_dir), box.clock)
        assert raised.value.code == "data_dir_read_only"
        reader = JournalReader.open_readonly(journal_path(box.data_dir))
        assert len(reader.list(event="access_decided")) == 3
        reader.close()
        assert sound(box)
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)

    Journal.open(journal_path(box.data_dir), box.clock).close()


@needs_root
def test_a_backup_of_a_disk_that_became_read_only_is_possible(tmp_path, small_disk):
    """The last chance to save what is on a dying card."""
    box = filled(small_disk / "data")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)

    try:
        made = make_backup(box.data_dir, tmp_path / "b", box.clock)
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)

    check_backup(made)
    assert [backup.path for backup in list_backups(tmp_path / "b")] == [made.path]
