"""Backups made by hand are found again when somebody is to be forgotten."""

import shutil

import pytest

from edged.cli import main
from edged.demo.photographs import enrolments
from edged.upkeep.backup_places import missing_places, remember_place, remembered_places


@pytest.fixture
def box(tmp_path):
    """A data directory with one person, and a backup of it somewhere else."""
    photo = next(iter(enrolments().values()))[1]
    config = tmp_path / "edged.yaml"
    config.write_text("data_dir: data\n")
    run(0, "people", "add", "Zora Zimtstern", str(photo), "--id", "zora_zimtstern", "-c", str(config))
    run(0, "backup", str(tmp_path / "stick"), "-c", str(config))
    return config


def run(expected, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert (ended.value.code or 0) == expected


def holds(folder, text):
    return any(text in path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_an_erasure_reaches_backups_made_by_hand(box, tmp_path):
    assert holds(tmp_path / "stick", b"zora_zimtstern")
    run(0, "forget", "zora_zimtstern", "--yes", "-c", str(box))
    assert not holds(tmp_path / "stick", b"zora_zimtstern")
    assert not holds(tmp_path / "stick", b"Zora Zimtstern")


def test_a_place_that_is_not_there_is_named_and_the_erasure_can_be_repeated(box, tmp_path, capsys):
    shutil.move(tmp_path / "stick", tmp_path / "drawer")
    run(0, "forget", "zora_zimtstern", "--yes", "-c", str(box))
    assert f"Not reached: {tmp_path / 'stick'}" in capsys.readouterr().err
    shutil.move(tmp_path / "drawer", tmp_path / "stick")
    run(0, "forget", "zora_zimtstern", "--yes", "-c", str(box))
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
