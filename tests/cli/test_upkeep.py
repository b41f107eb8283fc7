"""`edged backup`, `restore`, `verify`, `forget`, and the commands of docs/retention.md."""

from __future__ import annotations

import json
import re
import shlex
from functools import partial

import pytest
from command_line import run_edged
from places import PROJECT
from upkeep_box import Box

from edged.clock import SystemClock
from edged.delivery.outbox import Outbox
from edged.ops.lock import lock_data_dir
from edged.upkeep.backup import list_backups

DOCS = PROJECT / "docs" / "retention.md"


@pytest.fixture
def box(tmp_path):
    made = Box(tmp_path / "data", SystemClock())
    made.enrol("mara_lind", "Mara Lind", 1)
    made.pass_through("mara_lind", "Mara Lind", 2)
    return made


@pytest.fixture
def edged(box):
    return partial(run_edged, answers="n\n", env={"EDGED_DATA_DIR": str(box.data_dir)})


def test_a_backup_is_made_and_put_back(edged, box, tmp_path):
    code, out, _ = edged("backup", tmp_path / "stick", "--json")
    made = json.loads(out)
    assert (code, made["device"]) == (0, box.device)

    code, out, _ = edged("restore", made["path"], "--yes")

    assert code == 0
    assert "was put back from the backup of" in out
    assert edged("verify", "--backups", tmp_path / "stick")[0] == 1  # former databases are set aside


def test_a_backup_of_a_box_that_cannot_be_written_is_made_all_the_same(edged, box, tmp_path):
    (box.data_dir / "backup-folders.new").mkdir()  # nothing can be noted where this stands

    code, _, err = edged("backup", tmp_path / "stick")

    assert (code, len(list_backups(tmp_path / "stick"))) == (0, 1)
    assert f"cannot be noted in {box.data_dir}" in err
    assert f"--backups {tmp_path / 'stick'}" in err


def test_a_journal_that_ends_before_what_was_delivered_shows(edged, box):
    outbox = Outbox.open(box.data_dir, box.clock)
    outbox.configure({"office": 10_000})
    outbox.close()

    code, out, _ = edged("verify")

    assert code == 69
    assert "office was sent record 10000" in out


@pytest.mark.parametrize("command", [("verify",), ("forget", "mara_lind", "--yes")])
def test_a_folder_of_backups_that_is_not_there_is_not_passed_over(edged, command):
    code, _, err = edged(*command, "--backups", "/nowhere")
    assert (code, "does not exist" in err) == (2, True)


def test_restoring_asks_first(edged, box, tmp_path):
    edged("backup", tmp_path / "stick")
    (backup,) = list_backups(tmp_path / "stick")

    code, out, _ = edged("restore", backup.path)

    assert code == 1
    assert "Replace attendance.db, journal.sqlite3, library.db" in out
    assert not (box.data_dir / "set-aside").exists()


def test_nothing_is_restored_under_a_running_daemon(edged, box, tmp_path):
    edged("backup", tmp_path / "stick")
    (backup,) = list_backups(tmp_path / "stick")

    with lock_data_dir(box.data_dir, clock=SystemClock()):
        code, _, err = edged("restore", backup.path, "--yes")

    assert code == 69
    assert "Stop that one first" in err


def test_verify_is_0_when_all_is_well_and_1_when_something_should_be_looked_at(edged, tmp_path):
    assert edged("verify")[0] == 1  # there is no backup

    edged("backup", tmp_path / "stick")

    code, out, _ = edged("verify", "--backups", tmp_path / "stick")
    assert code == 0
    assert "decisions unchanged" in out


def test_a_folder_of_backups_may_be_named_as_one_likes(edged, tmp_path, monkeypatch):
    edged("backup", tmp_path / "stick")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to("stick")

    code, out, _ = edged("verify", "--backups", "stick", "--backups", "link")
    assert code == 0
    assert "backups: 1," in out
    assert edged("forget", "mara_lind", "--yes", "--backups", "stick")[0] == 0


def test_verify_is_69_when_a_record_was_changed_and_says_which(edged, box):
    journal = box.open_journal()
    with journal.database.transaction() as connection:
        connection.execute("UPDATE records SET score = 99 WHERE seq = 3")
    journal.close()

    code, out, _ = edged("verify", "--json")

    answer = json.loads(out)
    assert (code, answer["state"]) == (69, "problem")
    assert {
        "part": "journal.sqlite3",
        "level": "problem",
        "message": "Record 3 was changed after it was written.",
    } in (answer["findings"])


def test_verify_works_beside_a_writing_daemon(edged, box):
    journal = box.open_journal()

    assert edged("verify")[0] == 1

    journal.close()


def test_verify_without_a_data_directory_says_so_and_makes_none(edged, tmp_path):
    code, _, err = edged("verify", "--data-dir", tmp_path / "none")

    assert code == 66
    assert "no database" in err
    assert not (tmp_path / "none").exists()


def test_forgetting_asks_first(edged, box):
    code, out, _ = edged("forget", "mara_lind")

    assert code == 1
    assert "It cannot be undone" in out
    assert edged("people", "show", "mara_lind")[0] == 0


def test_forgetting_says_what_it_did_and_that_nothing_is_left(edged, box):
    edged("backup", box.data_dir / "backups")

    code, out, _ = edged("forget", "mara_lind", "--yes", "--json")

    answer = json.loads(out)
    assert (code, answer["left"], answer["backups"]) == (0, [], 1)
    assert (answer["decisions"], answer["snapshots"], answer["punches"]) == (2, 2, 2)
    assert "mara" not in out
    assert edged("people", "show", "mara_lind")[0] == 66
    assert "mara" not in edged("records", "list", "--event", "all", "--json")[1].lower()


def test_forgetting_nobody_says_how_to_name_them(edged):
    assert edged("forget", "--yes")[0] == 78
    assert edged("forget", "--finish", "--yes")[0] == 78
    assert edged("forget", "not_a_person", "--yes")[0] == 66


SAMPLES = re.findall(r"```console\n((?:\$ edged [^\n]*\n)+)", DOCS.read_text())
COMMANDS = [line[len("$ edged ") :] for block in SAMPLES for line in block.splitlines()]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_documentation_works(edged, box, tmp_path, command):
    edged("backup", tmp_path / "stick")
    (backup,) = list_backups(tmp_path / "stick")
    words = [
        word.replace("/media/stick/edged-20261121T083000Z", str(backup.path)).replace(
            "/media/stick", str(tmp_path / "another")
        )
        for word in shlex.split(command)
    ]

    code, _, err = edged(*words, *(["--yes"] if words[0] in ("restore", "forget") else []))

    assert code in (0, 1), err


def test_the_documentation_has_commands():
    assert len(COMMANDS) >= 4
