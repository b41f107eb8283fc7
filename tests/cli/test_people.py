"""`edged people` from end to end: real photographs, real models, a library on disk."""

from __future__ import annotations

import json
import shlex
import shutil
import sqlite3
import time
from importlib import resources
from pathlib import Path

import pytest
from command_line import Ended, run_edged
from places import PROJECT

PHOTOS = Path(str(resources.files("edged.demo"))) / "photos"
OBAMA, OBAMA_AGAIN, COLLINS = (
    PHOTOS / name for name in ("barack_obama_1.jpg", "barack_obama_2.jpg", "eileen_collins.png")
)


@pytest.fixture(autouse=True)
def _configuration(tmp_path):
    (tmp_path / "edged.yaml").write_text("site: test\n")


@pytest.fixture
def people(tmp_path):
    def run(*arguments: object) -> Ended:
        config = {"EDGED_CONFIG": str(tmp_path / "edged.yaml")}
        return run_edged("people", *arguments, "--data-dir", tmp_path / "data", env=config)

    return run


def test_add_list_show_remove(people, tmp_path):
    added = people("add", "Barack Obama", OBAMA, OBAMA_AGAIN, "--group", "staff")
    assert added.returncode == 0, added.stderr
    assert "added Barack_Obama" in added.stdout
    listed = people("list", "--search", "obama")
    assert "Barack Obama" in listed.stdout
    assert "1 people" in listed.stdout
    shown = json.loads(people("show", "Barack_Obama", "--json").stdout)
    assert (shown["name"], shown["groups"], shown["faces"]) == ("Barack Obama", ["staff"], 2)
    kept = Path(shown["face_list"][0]["photo"])
    assert kept.read_bytes() == OBAMA.read_bytes()
    assert people("remove", "Barack_Obama", "--yes").returncode == 0
    assert not kept.exists()
    assert json.loads(people("list", "--json").stdout)["total"] == 0


@pytest.mark.slow
def test_both_photographs_of_one_person_resemble_each_other(people):
    """The whole chain from file to template: a second person's name on the same face is noticed."""
    people("add", "Barack Obama", OBAMA)
    warned = people("add", "Somebody Else", OBAMA_AGAIN)
    assert warned.returncode == 0
    assert "enrolled as Barack_Obama" in warned.stderr
    refused = people("add", "A Third", OBAMA_AGAIN, "--on-duplicate", "refuse")
    assert refused.returncode == 65
    assert json.loads(people("list", "--json").stdout)["total"] == 2


def test_different_people_are_not_taken_for_duplicates(people):
    people("add", "Barack Obama", OBAMA)
    assert people("add", "Eileen Collins", COLLINS).stderr == ""


def test_a_name_of_another_script_gets_an_id(people):
    people("add", "张伟", COLLINS)
    (person,) = json.loads(people("list", "--search", "伟", "--json").stdout)["people"]
    assert person["name"] == "张伟"
    assert person["person_id"].startswith("p_")


@pytest.fixture
def _box_in_berlin(monkeypatch):
    monkeypatch.setenv("TZ", "CET-1")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("_box_in_berlin")
def test_validity_is_given_in_days_of_the_box(people):
    people("add", "Anna", COLLINS, "--valid-from", "2026-01-01", "--valid-until", "2026-01-31")
    shown = json.loads(people("show", "Anna", "--json").stdout)
    assert shown["valid_from"].startswith("2025-12-31T23:00")
    assert shown["valid_until"].startswith("2026-01-31T23:00")  # exclusive: the last day counts


def test_change_keeps_what_is_not_given(people):
    people("add", "Anna", COLLINS, "--group", "staff", "--valid-until", "2030-01-01")
    assert (
        people("change", "Anna", "--name", "Anna Schmidt", "--inactive", "--valid-until", "").returncode == 0
    )
    shown = json.loads(people("show", "Anna", "--json").stdout)
    assert (shown["name"], shown["groups"], shown["active"]) == ("Anna Schmidt", ["staff"], False)
    assert shown["valid_until"] is None


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["show", "nobody"], 66),
        (["remove", "nobody", "--yes"], 66),
        (["add", "Anna", "missing.jpg"], 66),
        (["add", "Anna", COLLINS, "--id", "next"], 78),
        (["add", "Anna", COLLINS, "--valid-until", "tomorrow"], 78),
        (["import", "missing-folder"], 66),
        (["import", ".", "--group", "a b"], 78),
    ],
)
def test_mistakes_end_with_the_exit_code_of_their_kind(people, arguments, code):
    answer = people(*arguments)
    assert (answer.returncode, answer.stdout) == (code, "")
    assert answer.stderr.startswith("edged: ")


def test_an_id_that_belongs_to_another_name_is_refused(people):
    people("add", "Anna Schmidt", COLLINS)
    answer = people("add", "Anna_Schmidt", OBAMA)
    assert answer.returncode == 78
    assert "Anna Schmidt" in answer.stderr
    assert "--id" in answer.stderr


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    shutil.copy(OBAMA, folder / "obama-staff.jpg")
    shutil.copy(OBAMA_AGAIN, folder / "obama-staff-2.jpg")
    shutil.copy(COLLINS, folder / "collins.png")
    (folder / "broken-staff.jpg").write_bytes(OBAMA.read_bytes()[:2000])
    (folder / "notes.txt").write_text("not a picture")
    return folder


def test_import_prints_one_object_a_file_and_a_summary(people, folder):
    answer = people("import", folder, "--json", "--group", "visitors")
    *files, summary = map(json.loads, answer.stdout.splitlines())
    assert [(f["file"], f["outcome"], f["reason"]) for f in files] == [
        ("broken-staff.jpg", "failed", "picture_corrupt"),
        ("collins.png", "added", ""),
        ("notes.txt", "failed", "unsupported_file"),
        ("obama-staff-2.jpg", "added", ""),
        ("obama-staff.jpg", "updated", ""),
    ]
    assert summary == {"summary": True, "files": 5, "added": 2, "updated": 1, "skipped": 0, "failed": 2}
    assert answer.returncode == 65
    assert json.loads(people("show", "collins", "--json").stdout)["groups"] == ["visitors"]


def test_import_again_skips_what_is_enrolled(people, folder):
    for bad in ("broken-staff.jpg", "notes.txt"):
        (folder / bad).unlink()
    assert people("import", folder).returncode == 0
    *files, summary = map(json.loads, people("import", folder, "--json").stdout.splitlines())
    assert {f["reason"] for f in files} == {"already_enrolled"}
    assert (summary["skipped"], summary["failed"]) == (3, 0)


def test_import_for_people_shows_failures_and_counts(people, folder):
    answer = people("import", folder)
    assert "picture_corrupt" in answer.stdout
    assert "2 added, 1 updated, 0 skipped, 2 failed" in answer.stdout


def test_templates_on_disk_are_unit_vectors_of_512_bytes(people, tmp_path):
    people("add", "Eileen Collins", COLLINS)
    with sqlite3.connect(tmp_path / "data" / "library.db") as connection:
        ((length, model_id),) = connection.execute("SELECT length(template), model_id FROM faces").fetchall()
    assert length == 512
    assert model_id.startswith("face_embedding:")


@pytest.mark.slow
def test_every_command_of_the_guide_works(people, folder, tmp_path, monkeypatch):
    guide = PROJECT / "docs" / "people.md"
    commands = [line[2:] for line in guide.read_text("utf-8").splitlines() if line.startswith("$ ")]
    assert len(commands) > 10
    monkeypatch.chdir(tmp_path)
    for bad in ("broken-staff.jpg", "notes.txt"):
        (folder / bad).unlink()
    folder.rename(tmp_path / "photos")
    for name, photo in (("anna", OBAMA), ("anna-with-glasses", OBAMA_AGAIN), ("other-anna", COLLINS)):
        shutil.copy(photo, tmp_path / f"{name}.jpg")
    for command in commands:
        program, group, *arguments = shlex.split(command)
        assert (program, group) == ("edged", "people")
        answer = people(*arguments)
        assert answer.returncode == 0, (command, answer.stderr)
