"""Records in files: complete lines, each once, whatever happened before."""

from __future__ import annotations

import csv
import json
import os
from datetime import UTC, datetime

import pytest
from delivery_rig import DEVICE, ZONE

from edged.clock import ManualClock
from edged.config.delivery_section import TargetConfig
from edged.delivery.target import Message
from edged.delivery.targets.file import FileTarget
from edged.errors import NeedsOperator

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)


class Folder:
    """A folder, and targets that write into it; `again()` is a restart."""

    def __init__(self, path, **given):
        self.path = path
        self.clock = ManualClock(NOW)
        self.settings = TargetConfig(name="out", kind="file", file={"folder": path, **given})
        self.target = FileTarget(self.settings, self.clock, zone=ZONE)

    def again(self):
        self.target.close()
        self.target = FileTarget(self.settings, self.clock, zone=ZONE)

    def deliver(self, *numbers, **more):
        messages = [message(number, **more) for number in numbers]
        receipt = self.target.deliver(messages)
        assert receipt.taken == {m.id for m in messages}

    @property
    def names(self):
        return sorted(os.listdir(self.path))

    def lines(self, name="out-2026-11-21.jsonl"):
        return (self.path / name).read_text().splitlines()

    def seqs(self, name="out-2026-11-21.jsonl"):
        return [json.loads(line)["seq"] for line in self.lines(name)]


def message(number, series="", **more):
    name = f"{DEVICE}-{series}{number}"
    body = {"version": 1, "recordId": name, "seq": number, "name": "Zoë", "historic": False, **more}
    return Message(name, number, "decision", "access_decided", body)


@pytest.fixture
def folder(tmp_path):
    folder = Folder(tmp_path / "out")
    yield folder
    folder.target.close()


@pytest.fixture
def table(tmp_path):
    folder = Folder(tmp_path / "out", format="csv")
    yield folder
    folder.target.close()


def test_every_record_is_a_line_of_json_as_it_is_sent_elsewhere(folder):
    folder.deliver(1, 2)
    assert folder.names == ["out-2026-11-21.jsonl"]
    assert [json.loads(line) for line in folder.lines()] == [message(1).body, message(2).body]


def test_records_that_are_there_already_are_not_written_again(folder):
    folder.deliver(1, 2, 3)
    folder.again()
    folder.deliver(2, 3, 4)
    assert folder.seqs() == [1, 2, 3, 4]


def test_half_a_line_of_a_power_cut_is_cut_off_and_written_whole(folder):
    folder.deliver(1, 2)
    folder.target.close()
    path = folder.path / "out-2026-11-21.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    folder.again()
    folder.deliver(2, 3)
    assert folder.seqs() == [1, 2, 3]


def test_a_file_that_is_nothing_but_half_a_line_becomes_whole(folder):
    folder.path.mkdir()
    (folder.path / "out-2026-11-21.jsonl").write_text('{"recordId": "bo')
    folder.deliver(1)
    assert folder.seqs() == [1]


def test_a_last_line_longer_than_what_is_read_first_is_recognised(folder):
    folder.deliver(1)
    folder.deliver(2, image="x" * 300_000)
    folder.again()
    folder.deliver(2, 3)
    assert folder.seqs() == [1, 2, 3]


def test_ids_of_a_replaced_journal_begin_anew(folder):
    folder.deliver(1, 2, 3)
    folder.again()
    folder.deliver(1, series="s2-")
    folder.again()
    folder.deliver(1, 2, series="s2-")
    assert folder.seqs() == [1, 2, 3, 1, 2]


def test_a_new_day_of_the_site_begins_a_new_file(folder):
    folder.deliver(1)
    folder.clock.advance(15 * 3600)  # 00:30 in Berlin, still the same day in UTC
    folder.deliver(2)
    assert folder.names == ["out-2026-11-21.jsonl", "out-2026-11-22.jsonl"]
    assert folder.seqs("out-2026-11-22.jsonl") == [2]


def test_a_clock_that_goes_back_does_not_go_back_to_an_old_file(folder):
    folder.deliver(1)
    folder.clock.step_wall(-86_400)
    folder.deliver(2)
    folder.again()
    folder.deliver(3)
    assert folder.seqs() == [1, 2, 3]


def test_a_full_file_is_followed_by_numbered_ones_also_after_a_restart(tmp_path):
    folder = Folder(tmp_path, rotate_mb=0.001, rotate_daily=False)
    for number in range(1, 15):
        folder.deliver(number, name="x" * 200)
        if number == 7:
            folder.again()
    folder.deliver(*range(15, 26), name="x" * 200)
    sizes = [(tmp_path / name).stat().st_size for name in folder.names]
    assert max(sizes) <= 1000
    assert folder.names[:2] == ["out-2026-11-21.1.jsonl", "out-2026-11-21.2.jsonl"]
    found = {seq for name in folder.names for seq in folder.seqs(name)}
    assert (len(found), sum(len(folder.lines(name)) for name in folder.names)) == (25, 25)
    folder.target.close()


def test_a_file_that_was_taken_away_is_begun_again(folder):
    folder.deliver(1)
    (folder.path / "out-2026-11-21.jsonl").rename(folder.path / "taken.jsonl")
    folder.deliver(2)
    assert folder.seqs() == [2]
    assert folder.seqs("taken.jsonl") == [1]


def test_a_table_has_its_heading_once_and_reads_back(table):
    table.deliver(1)
    table.again()
    table.deliver(1, 2, reasons=["a", "b"], data={"code": "x"})
    with (table.path / "out-2026-11-21.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["seq"] for row in rows] == ["1", "2"]
    assert (rows[1]["name"], rows[1]["historic"], rows[1]["reasons"]) == ("Zoë", "false", "a b")
    assert json.loads(rows[1]["data"]) == {"code": "x"}


@pytest.mark.parametrize("name", ["=1+1", "+49", "-cmd", "@SUM(A1)", " =1", "\t=1", "\r\n=1"])
def test_a_name_is_never_a_formula_and_never_a_second_line(table, name):
    table.deliver(1, name=name)
    lines = table.lines("out-2026-11-21.csv")
    assert len(lines) == 2
    (row,) = csv.DictReader(lines)
    assert row["name"].startswith("'")
    assert row["name"].endswith(name.strip())


@pytest.mark.parametrize("name", ["a\u2028b", 'q"uo,te', "\x85"])
def test_odd_characters_stay_within_their_cell(table, name):
    table.deliver(1, name=name)
    table.again()
    table.deliver(1, 2)
    with (table.path / "out-2026-11-21.csv").open(newline="") as file:
        assert [row["seq"] for row in csv.DictReader(file)] == ["1", "2"]


def test_files_are_not_for_everybody(folder):
    folder.deliver(1)
    assert (folder.path / "out-2026-11-21.jsonl").stat().st_mode & 0o007 == 0


def test_a_link_in_place_of_the_file_is_not_followed(folder, tmp_path):
    folder.path.mkdir()
    (tmp_path / "elsewhere").write_text("precious")
    (folder.path / "out-2026-11-21.jsonl").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NeedsOperator):
        folder.deliver(1)
    assert (tmp_path / "elsewhere").read_text() == "precious"


def test_a_folder_that_cannot_be_made_needs_an_operator_and_works_when_it_can(tmp_path):
    (tmp_path / "out").write_text("in the way")
    folder = Folder(tmp_path / "out")
    with pytest.raises(NeedsOperator) as refused:
        folder.deliver(1)
    assert refused.value.code == "delivery_folder"
    (tmp_path / "out").unlink()
    folder.deliver(1)
    assert folder.seqs() == [1]
    folder.target.close()


def test_lines_of_somebody_else_at_the_end_are_left_alone(folder):
    folder.deliver(1)
    folder.target.close()
    with (folder.path / "out-2026-11-21.jsonl").open("a") as file:
        file.write("a note\n")
    folder.again()
    folder.deliver(2)
    assert folder.lines()[1] == "a note"
    assert len(folder.lines()) == 3
