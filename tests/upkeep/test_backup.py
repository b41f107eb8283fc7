"""Backups: complete, checked, beside a running daemon; and what is refused when they are put back."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
from datetime import timedelta

import pytest
from upkeep_box import Box, noise, passage

from edged.attendance.store import PunchLedger
from edged.database.device import read_device_id
from edged.errors import Misconfigured, NeedsOperator, NotFound, RetryLater
from edged.events import AccessDecided, Outcome
from edged.journal import Journal, JournalReader, journal_path
from edged.library.store import LibraryStore
from edged.ops.lock import lock_data_dir
from edged.upkeep.backup import check_backup, list_backups, make_backup, read_backup
from edged.upkeep.files import ASIDE
from edged.upkeep.restore import repair, restore
from edged.upkeep.verify import Level, verify


@pytest.fixture
def box(tmp_path):
    made = Box(tmp_path / "data")
    made.enrol("mara", "Mara Lind", 1)
    made.pass_through("mara", "Mara Lind", 3)
    return made


@pytest.fixture
def backup(box, tmp_path):
    return make_backup(box.data_dir, tmp_path / "backups", box.clock)


def decided(number: int) -> AccessDecided:
    return next(e for e in passage(number, "mara", "Mara Lind") if isinstance(e, AccessDecided))


def seqs(data_dir) -> list[int]:
    journal = JournalReader.open_readonly(journal_path(data_dir))
    try:
        return [record.seq for record in journal.list(limit=None, newest_first=False)]
    finally:
        journal.close()


def problems(box) -> list[str]:
    found = verify(box.data_dir, box.clock, backup_dirs=(), expect_backup=False)
    return [finding.message for finding in found if finding.level is Level.PROBLEM]


# --- making -------------------------------------------------------------------------------------------------


def test_a_backup_holds_every_database_and_the_pictures_they_refer_to(box, backup):
    assert set(backup.databases) == {"journal.sqlite3", "library.db", "attendance.db"}
    assert (backup.device, backup.made_at, backup.pictures) == (box.device, box.clock.now(), 4)
    assert read_backup(backup.path) == backup
    check_backup(backup)
    assert sorted(file.read_bytes() for file in backup.path.glob("photos/*.jpg")) == [noise(1)]
    assert len(list(backup.path.glob("snapshots/*/*.jpg"))) == 3


def test_a_backup_is_for_its_owner_only(backup):
    for path in (backup.path, *backup.path.rglob("*")):
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path


def test_a_backup_beside_a_writing_daemon_is_whole(box, tmp_path):
    journal = box.open_journal()
    journal.commit_decision(decided(100))  # still in the log

    made = make_backup(box.data_dir, tmp_path / "b", box.clock)
    journal.commit_decision(decided(101))
    journal.close()

    copied = sqlite3.connect(made.path / "journal.sqlite3")
    assert copied.execute("SELECT count(*) FROM records WHERE decision_id = 'd_100'").fetchone() == (1,)
    assert copied.execute("SELECT count(*) FROM records WHERE decision_id = 'd_101'").fetchone() == (0,)
    copied.close()


def test_a_backup_that_is_stopped_leaves_nothing(box, tmp_path):
    with pytest.raises(RetryLater) as raised:
        make_backup(box.data_dir, tmp_path / "b", box.clock, stopped=lambda: True)

    assert raised.value.code == "backup_stopped"
    assert list((tmp_path / "b").iterdir()) == []


def test_what_a_killed_backup_left_is_removed_by_the_next(box, tmp_path):
    (tmp_path / "b" / ".partial-edged-x").mkdir(parents=True)

    made = make_backup(box.data_dir, tmp_path / "b", box.clock)

    assert list((tmp_path / "b").iterdir()) == [made.path]


def test_two_backups_in_a_second_do_not_overwrite_each_other(box, backup, tmp_path):
    with pytest.raises(RetryLater) as raised:
        make_backup(box.data_dir, tmp_path / "backups", box.clock)

    assert raised.value.code == "backup_exists"
    check_backup(backup)


def test_of_a_damaged_database_no_backup_is_made(box, tmp_path):
    file = box.data_dir / "library.db"
    content = bytearray(file.read_bytes())
    content[8192:12288] = b"\xa5" * 4096
    file.write_bytes(content)

    with pytest.raises(NeedsOperator) as raised:
        make_backup(box.data_dir, tmp_path / "b", box.clock)

    assert raised.value.code == "database_corrupt"
    assert list((tmp_path / "b").iterdir()) == []


def test_an_empty_folder_has_nothing_to_back_up(tmp_path):
    with pytest.raises(NotFound):
        make_backup(tmp_path, tmp_path / "b", Box(tmp_path / "x").clock)


def test_backups_are_listed_from_the_newest_on_and_broken_ones_left_out(box, tmp_path):
    made = []
    for _ in range(3):
        made.append(make_backup(box.data_dir, tmp_path / "b", box.clock).path)
        box.clock.advance(86_400)
    (made[1] / "manifest.json").write_text("{")

    assert [backup.path for backup in list_backups(tmp_path / "b")] == [made[2], made[0]]


# --- putting back -------------------------------------------------------------------------------------------


def test_restoring_brings_back_people_records_punches_and_pictures(box, backup):
    store = LibraryStore.open(box.data_dir, box.clock)
    store.remove_person("mara")
    store.close()
    for file in box.data_dir.glob("snapshots/*/*"):
        file.unlink()

    event = restore(backup.path, box.data_dir, box.clock)

    store = LibraryStore.open(box.data_dir, box.clock)
    assert store.photos.path(store.faces("mara")[0].photo).read_bytes() == noise(1)
    store.close()
    ledger = PunchLedger.open(box.data_dir, box.clock)
    assert len(ledger.rows()) == 3
    ledger.close()
    assert problems(box) == []
    assert event.kept_in in str(next((box.data_dir / ASIDE).iterdir()))


def test_no_number_is_given_twice_after_restoring(box, backup):
    journal = box.open_journal()
    lost = [journal.commit_decision(decided(number)) for number in (100, 101)]
    journal.close()

    event = restore(backup.path, box.data_dir, box.clock)

    assert (event.lost_from_seq, event.lost_to_seq) == (lost[0], lost[-1])
    assert seqs(box.data_dir) == [*range(1, lost[0]), lost[-1] + 1]
    assert "Numbers 16 to 17 are skipped" in event.reason
    assert problems(box) == []


def test_on_a_new_disk_numbers_go_on_far_above(box, backup, tmp_path):
    new = tmp_path / "new"

    event = restore(backup.path, new, box.clock)

    assert read_device_id(new) == box.device
    assert event.lost_to_seq - event.lost_from_seq == 999_999
    assert [f.message for f in verify(new, box.clock, backup_dirs=(), expect_backup=False)]
    assert seqs(new)[-1] == 1_000_016


def test_a_backup_of_another_box_is_refused_unless_forced(box, backup, tmp_path):
    other = Box(tmp_path / "other")
    other.pass_through("ida", "Ida", 1)
    before = seqs(other.data_dir)

    with pytest.raises(Misconfigured) as raised:
        restore(backup.path, other.data_dir, other.clock)
    assert raised.value.code == "backup_of_other_device"
    assert seqs(other.data_dir) == before

    event = restore(backup.path, other.data_dir, other.clock, force=True)
    assert read_device_id(other.data_dir) == other.device
    assert box.device in event.reason
    assert problems(other) == []


def test_nothing_is_restored_under_a_running_daemon(box, backup):
    with lock_data_dir(box.data_dir, clock=box.clock), pytest.raises(NeedsOperator) as raised:
        restore(backup.path, box.data_dir, box.clock)

    assert raised.value.code == "data_dir_in_use"


def test_a_newer_schema_is_refused(box, backup):
    file = backup.path / "manifest.json"
    content = json.loads(file.read_text())
    content["databases"]["journal.sqlite3"]["schema"] = 99
    file.write_text(json.dumps(content))

    with pytest.raises(Misconfigured) as raised:
        restore(backup.path, box.data_dir, box.clock)

    assert raised.value.code == "database_newer"
    assert not (box.data_dir / ASIDE).exists()


def test_a_backup_of_a_newer_kind_is_refused(backup):
    file = backup.path / "manifest.json"
    file.write_text(file.read_text().replace('"format": 1', '"format": 2'))

    with pytest.raises(Misconfigured) as raised:
        read_backup(backup.path)

    assert raised.value.code == "backup_newer"


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": "x"}', '{"format": 1, "databases": 3}'])
def test_a_backup_whose_list_is_rubbish_is_damaged(backup, content):
    (backup.path / "manifest.json").write_text(content)

    with pytest.raises(NeedsOperator) as raised:
        read_backup(backup.path)

    assert raised.value.code == "backup_damaged"


def test_a_backup_that_was_changed_is_refused_and_nothing_is_touched(box, backup):
    with (backup.path / "journal.sqlite3").open("r+b") as file:
        file.seek(5000)
        file.write(b"x")
    before = seqs(box.data_dir)

    with pytest.raises(NeedsOperator) as raised:
        restore(backup.path, box.data_dir, box.clock)

    assert raised.value.code == "backup_damaged"
    assert seqs(box.data_dir) == before


# --- one damaged database at the start ----------------------------------------------------------------------


def damage(box, name: str = "journal.sqlite3") -> None:
    file = box.data_dir / name
    file.write_bytes(file.read_bytes()[:4096] + os.urandom(file.stat().st_size - 4096))


def test_a_damaged_journal_is_put_back_from_the_newest_good_backup(box, backup, tmp_path):
    box.clock.advance(3600)
    box.pass_through("mara", "Mara Lind", 1)
    newer = make_backup(box.data_dir, tmp_path / "backups", box.clock)
    with (newer.path / "journal.sqlite3").open("ab") as file:
        file.write(b"x")
    damage(box)

    event = repair(box.data_dir, "journal.sqlite3", [tmp_path / "backups"], box.clock)

    assert event.code == "database_corrupt"
    assert event.backup_at == "2026-11-21T08:30:00.000Z"
    assert seqs(box.data_dir)[:15] == list(range(1, 16))
    assert problems(box) == []
    journal = Journal.open(journal_path(box.data_dir), box.clock)
    assert journal.list(event="journal_restored")[0].payload["reason"] == event.reason
    journal.close()


def test_without_a_good_backup_nothing_is_touched(box, tmp_path):
    damage(box)
    before = (box.data_dir / "journal.sqlite3").read_bytes()

    assert repair(box.data_dir, "journal.sqlite3", [tmp_path / "none"], box.clock) is None
    assert (box.data_dir / "journal.sqlite3").read_bytes() == before


def test_a_backup_of_another_box_repairs_nothing(box, tmp_path):
    other = Box(tmp_path / "other")
    other.pass_through("ida", "Ida", 1)
    make_backup(other.data_dir, tmp_path / "backups", other.clock)
    damage(box)

    assert repair(box.data_dir, "journal.sqlite3", [tmp_path / "backups"], box.clock) is None


def test_the_library_is_never_put_back_by_itself(box, backup, tmp_path):
    """Somebody who was removed since the backup would be let in again."""
    damage(box, "library.db")

    assert repair(box.data_dir, "library.db", [tmp_path / "backups"], box.clock) is None


def test_other_databases_are_put_back_and_the_rest_left_alone(box, backup, tmp_path):
    damage(box, "attendance.db")
    journal = (box.data_dir / "journal.sqlite3").read_bytes()

    event = repair(box.data_dir, "attendance.db", [tmp_path / "backups"], box.clock)

    assert (event.file, event.lost_from_seq) == ("attendance.db", None)
    assert (box.data_dir / "journal.sqlite3").read_bytes() == journal
    assert problems(box) == []


# --- verify -------------------------------------------------------------------------------------------------


def levels(box, *folders, **more) -> dict[str, str]:
    return {f.part: f.level.value for f in verify(box.data_dir, box.clock, backup_dirs=folders, **more)}


def test_a_sound_box_with_a_fresh_backup_is_fine(box, backup, tmp_path):
    assert set(levels(box, tmp_path / "backups").values()) == {"fine"}


def test_an_old_backup_and_none_at_all_are_worth_a_look(box, backup, tmp_path):
    box.clock.advance(timedelta(hours=37).total_seconds())

    assert levels(box, tmp_path / "backups")["backups"] == "warning"
    assert levels(box, tmp_path / "elsewhere")["backups"] == "warning"
    assert "backups" not in levels(box, expect_backup=False)


def test_a_damaged_backup_is_a_problem(box, backup, tmp_path):
    (backup.path / "library.db").unlink()

    found = verify(box.data_dir, box.clock, backup_dirs=[tmp_path / "backups"])

    assert [f.level for f in found if "library.db is not what was written" in f.message] == [Level.PROBLEM]


def test_every_damaged_database_is_found_not_only_the_first(box):
    for name in ("journal.sqlite3", "attendance.db", "library.db"):
        damage(box, name)

    found = levels(box, expect_backup=False)

    assert {found[name] for name in ("journal.sqlite3", "attendance.db", "library.db")} == {"problem"}


def test_a_missing_picture_is_a_problem(box):
    next(box.data_dir.glob("snapshots/*/*.jpg")).unlink()

    assert levels(box, expect_backup=False)["snapshots"] == "problem"


def test_a_journal_of_another_box_is_a_problem(box, tmp_path):
    other = Box(tmp_path / "other")
    (box.data_dir / "device-id").write_text(other.device)

    assert "was written by the box" in problems(box)[0]


def test_a_newer_schema_is_a_problem_and_no_crash(box):
    with sqlite3.connect(box.data_dir / "attendance.db") as connection:
        connection.execute("PRAGMA user_version = 99")

    assert levels(box, expect_backup=False)["attendance.db"] == "problem"


def test_denials_and_grants_alike_are_in_the_chain(box):
    journal = box.open_journal()
    decisions = journal.list(event="access_decided", outcome=Outcome.GRANTED)
    assert journal.database.query("SELECT count(*) FROM chain")[0][0] == len(decisions) == 3
    journal.close()
