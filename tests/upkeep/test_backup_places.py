"""Backups made by hand are found again when somebody is to be forgotten."""

import shutil

import pytest
from command_line import run_edged

from edged.demo.photographs import enrolments
from edged.upkeep.backup_places import missing_places, remember_place, remembered_places


@pytest.fixture
def box(tmp_path):
    """A data directory with one person, and a backup of it somewhere else."""
    photo = next(iter(enrolments().values()))[1]
    config = tmp_path / "edged.yaml"
    config.write_text("data_dir: data\n")
    run("people", "add", "Zora Zimtstern", photo, "--id", "zora_zimtstern", "-c", config)
    run("backup", tmp_path / "stick", "-c", config)
    return config


def run(*arguments):
    ended = run_edged(*arguments)
    assert ended.returncode == 0, ended.stderr
    return ended


def holds(folder, text):
    return any(text in path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_an_erasure_reaches_backups_made_by_hand(box, tmp_path):
    assert holds(tmp_path / "stick", b"zora_zimtstern")
    run("forget", "zora_zimtstern", "--yes", "-c", box)
    assert not holds(tmp_path / "stick", b"zora_zimtstern")
    assert not holds(tmp_path / "stick", b"Zora Zimtstern")


def test_a_place_that_is_not_there_is_named_and_the_erasure_can_be_repeated(box, tmp_path):
    shutil.move(tmp_path / "stick", tmp_path / "drawer")
    ended = run("forget", "zora_zimtstern", "--yes", "-c", box)
    assert f"Not reached: {tmp_path / 'stick'}" in ended.stderr
    shutil.move(tmp_path / "drawer", tmp_path / "stick")
    run("forget", "zora_zimtstern", "--yes", "-c", box)
    assert not holds(tmp_path / "stick", b"zora_zimtstern")


def test_places_are_kept_once_and_in_order(tmp_path):
    here, there = tmp_path / "a b", tmp_path / "ü"
    here.mkdir()
    for place in (here, there, here):
        remember_place(tmp_path, place)
    assert remembered_places(tmp_path) == [here, there]
    assert missing_places(tmp_path) == [there]


def test_without_backups_by_hand_there_are_no_places(tmp_path):
    assert remembered_places(tmp_path) == []
