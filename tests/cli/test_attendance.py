"""`edged attendance` through the command line: tables, corrections, files, and wrong input."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from command_line import run_edged
from openpyxl import load_workbook

from edged.attendance.punch import Direction, Punch
from edged.attendance.store import PunchLedger
from edged.clock import ManualClock

BEGIN = datetime(2026, 11, 19, 7, 0, tzinfo=UTC)  # 08:00 in Berlin
IN, OUT = Direction.IN, Direction.OUT


@pytest.fixture
def box(tmp_path):
    """A configuration whose site is in Berlin, and a ledger with two days of two people."""
    config = tmp_path / "edged.yaml"
    config.write_text("data_dir: data\ntimezone: Europe/Berlin\nattendance: {enabled: true}\n")
    ledger = PunchLedger.open(tmp_path / "data", ManualClock(BEGIN))
    for person, name, hours, way in (
        ("ann", "Ann Li", 0, IN), ("ann", "Ann Li", 8.5, OUT), ("=cmd", "=1+1", 14, IN),
        ("=cmd", "=1+1", 22, OUT), ("ann", "Ann Li", 24, IN),
    ):  # fmt: skip
        ledger.add(
            Punch(
                person_id=person, person_name=name, at=BEGIN + timedelta(hours=hours), zone="Europe/Berlin",
                direction=way, direction_by="device", decision_id=f"{person}{hours}",
            )
        )  # fmt: skip
    ledger.close()
    return config


def run(box, *arguments):
    return run_edged("attendance", *arguments, "-c", box)


def test_a_day_shows_who_came_when_and_for_how_long(box):
    code, out, _ = run(box, "day", "2026-11-19")
    assert code == 0
    assert "Ann Li" in out
    assert "08:00" in out
    assert "8:30" in out
    assert "22:00" in out  # the night shift counts for its evening


def test_json_has_utc_times_and_seconds(box):
    _, out, _ = run(box, "day", "2026-11-20", "--json")
    (day,) = json.loads(out)
    assert (day["person_id"], day["missing"], day["worked_s"]) == ("ann", ["out"], 0)
    assert day["first_in"] == "2026-11-20T07:00:00+00:00"


def test_a_month_sums_up(box):
    _, out, _ = run(box, "month", "2026-11")
    line = next(line for line in out.splitlines() if "ann" in line)
    assert [cell.strip() for cell in line.strip("│ ").split("│")] == ["ann", "Ann Li", "2", "8:30", "1"]


def test_a_correction_changes_the_day_and_stays_visible(box):
    by = ["--reason", "forgot to leave", "--by", "Kim"]
    assert run(box, "correct", "2", "--at", "2026-11-19T16:00", *by)[0] == 0
    _, out, _ = run(box, "day", "2026-11-19", "--person", "ann", "--json")
    assert json.loads(out)[0]["worked_s"] == 8 * 3600
    _, out, _ = run(box, "list", "--since", "2026-11-19", "--all", "--json")
    assert [(p["punch_id"], p["action"], p["author"]) for p in json.loads(out) if p["author"]] == [
        (6, "change", "Kim")
    ]
    assert run(box, "void", "1", *by)[0] == 0
    _, out, _ = run(box, "list", "--since", "2026-11-19", "--json")
    assert 1 not in [p["punch_id"] for p in json.loads(out)]


def test_a_spreadsheet_has_real_times_and_runs_no_names(box, tmp_path):
    target = tmp_path / "november.xlsx"
    assert run(box, "export", "2026-11", "-o", str(target), "--format", "xlsx")[0] == 0
    sheet = load_workbook(target)["Days"]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]
    assert rows[0][:3] == [datetime(2026, 11, 19), "=cmd", "=1+1"]
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    assert rows[1][3] == datetime(2026, 11, 19, 8, 0)
    assert rows[1][5] == timedelta(hours=8.5)


def test_csv_disarms_what_a_spreadsheet_would_run(box):
    _, out, _ = run(box, "export", "2026-11", "-o", "-")
    rows = list(csv.reader(io.StringIO(out)))
    assert rows[1][1:3] == ["'=cmd", "'=1+1"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["month", "2026-13"], "not a month"),
        (["day", "yesterday"], "not a date"),
        (["void", "99", "--reason", "x", "--by", "y"], "no punch 99"),
        (["correct", "1", "--reason", "x", "--by", "y"], "nothing to correct"),
        (["correct", "1", "--at", "2026-03-29T02:30", "--reason", "x", "--by", "y"], "put forward"),
        (["correct", "1", "--at", "noon", "--reason", "x", "--by", "y"], "not a time"),
        (["add", "nobody", "2026-11-20T08:00", "in", "--reason", "x", "--by", "y"], "nobody"),
        (["export", "2026-11", "-o", "/nowhere/x.csv"], "cannot be written"),
        (["key", "in"], "No edged is running"),
        (["day", "9999-12-31"], "is not a date"),
        (["month", "0001-01"], "is not a month"),
        (["list", "--since", "0001-01-01"], "is not a date"),
        (["correct", "1", "--at", "2026-11-19", "--reason", "r", "--by", "b"], "is not a time"),
        (["correct", "1", "--at", "9999-12-31T23:59", "--reason", "r", "--by", "b"], "is not a time"),
        (["void", "99999999999999999999", "--reason", "r", "--by", "b"], "Invalid value"),
        (["export", "2026-11", "-o", "-", "--format", "xlsx"], "needs a file"),
    ],
)
def test_wrong_input_says_what_is_wrong(box, arguments, says):
    code, _, err = run(box, *arguments)
    assert code not in (0, None)
    assert says in err


def test_before_the_first_punch_the_message_says_so(tmp_path):
    config = tmp_path / "edged.yaml"
    config.write_text("data_dir: data\n")
    code, _, err = run(config, "day")
    assert code == 66
    assert "no punches" in err


def test_a_file_is_of_the_kind_its_name_says(box, tmp_path):
    out = tmp_path / "november.xlsx"
    assert run(box, "export", "2026-11", "-o", str(out))[0] == 0
    assert load_workbook(out).sheetnames == ["Days", "Totals"]


def test_names_are_whole_where_no_terminal_is(box, tmp_path):
    ledger = PunchLedger.open(tmp_path / "data", ManualClock(BEGIN))
    name = "Ann-Katharina Liebermeister-Oberhauser von und zu Niederhausen"
    ledger.add(
        Punch(person_id="x" * 40, person_name=name, at=BEGIN, zone="UTC", direction=IN, direction_by="device")
    )
    ledger.close()
    _, out, _ = run(box, "list", "--since", "2026-11-19")
    assert name in out
    assert "x" * 40 in out
