"""`edged records` and `edged why` through the command line, and every sample of docs/records.md."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from command_line import run_edged
from places import PROJECT

from edged.clock import ManualClock
from edged.events import (
    AccessDecided,
    DoorLocked,
    DoorUnlocked,
    Event,
    FaceIdentified,
    GateLost,
    Measures,
    Outcome,
    RuleCheck,
    ShotRefused,
    TrackEnded,
)
from edged.journal import Journal, journal_path

DOCS = PROJECT / "docs" / "records.md"
AT = datetime(2026, 11, 21, 8, 30, 4, 125_000, tzinfo=UTC)
PLACE = {"door_id": "door1", "camera_id": "cam1"}
GRANTED = {**PLACE, "passage_id": "p_1m7y6tz32wv2xkd4"}
DENIED = {**PLACE, "passage_id": "p_1m7y6v3dy43xffnj"}
STRANGER = {**PLACE, "passage_id": "p_1m7y6wajm1rqq7ky"}
TOO_DARK = {**PLACE, "passage_id": "p_1m7y6xq4exrt9dk3"}


def after(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def refused(seconds: float, ids: dict, code: str, limit: float, **measures: float) -> ShotRefused:
    taken = Measures(**{"face_px": 140.0, "detection": 0.9, **measures})
    return ShotRefused(
        at=after(seconds), **ids, track_id=1, reasons=(code,), measures=taken, limits={code: limit}
    )


def identified(seconds: float, ids: dict, person_id: str, score: float) -> FaceIdentified:
    return FaceIdentified(
        at=after(seconds), **ids, track_id=1, shot_number=1, captured_s=1.0, engine="local",
        model_id="face_embedding:487a139eb85c", person_id=person_id, score=score, margin=73.7132,
        runner_up_id="ida_moen", agreeing_shots=2, gallery_people=512, final=True,
        measures=Measures(face_px=180, detection=0.9),
    )  # fmt: skip


def decided(seconds: float, ids: dict, decision_id: str, *rules: RuleCheck, **changes) -> AccessDecided:
    failed = tuple(rule.code for rule in rules if not rule.passed)
    fields = {
        "at": after(seconds), **ids, "decision_id": decision_id, "person_id": "mara_lind",
        "person_name": "Mara Lind", "score": 94.2, "threshold": 90.0, "rules": rules,
        "outcome": Outcome.DENIED if failed else Outcome.GRANTED, "reasons": failed or ("granted",),
    }  # fmt: skip
    return AccessDecided(**(fields | changes))


def morning() -> list[Event]:
    """Half past eight: let in, refused for coming back at once, a stranger, and somebody in the dark."""
    known = RuleCheck(code="not_recognised", passed=True, detail="best score 94.2, needed 90")
    first = RuleCheck(code="cool_down", passed=True, detail="last let in never, pause 5 s")
    again = RuleCheck(code="cool_down", passed=False, detail="last let in 3.0 s ago, pause 5 s")
    stranger = RuleCheck(code="not_recognised", passed=False, detail="best score 61.3, needed 90")
    spent = {"detect": 6.4, "measure": 3.5, "embed": 14.4, "search": 0.4}
    return [
        GateLost(at=after(-9), door_id="door1", port="/dev/x", code="relay_port_lost", reason="gone", hint="",
                 retry_s=1.0),
        refused(-1, GRANTED, "face_too_small", 100.0, face_px=44.8801),
        refused(-0.5, GRANTED, "face_too_small", 100.0, face_px=96.9757),
        identified(0, GRANTED, "mara_lind", 94.2),
        decided(0, GRANTED, "d_1m7y6v0wyv3kxs1b", known, first, timings_ms=spent),
        DoorUnlocked(at=after(0.002), **GRANTED, decision_id="d_1m7y6v0wyv3kxs1b", person_id="mara_lind",
                     mode="pulse", frame_to_relay_ms=35.3, decision_to_relay_ms=1.5, acknowledged=True,
                     acknowledged_ms=6.5),
        DoorLocked(at=after(0.502), door_id="door1", reason="pulse over", on_ms=500.0, acknowledged=True),
        identified(3, DENIED, "mara_lind", 94.2),
        decided(3, DENIED, "d_1m7y6v75th6f34e7", known, again),
        refused(50, STRANGER, "face_too_small", 100.0, face_px=50.0),
        identified(54, STRANGER, "mara_lind", 61.3),
        decided(54, STRANGER, "d_1m7y6wf6qah43b2c", stranger, person_id=None, person_name=None, score=61.3),
        refused(94.475, TOO_DARK, "too_dark", 40.0, illumination=18.0),
        refused(95, TOO_DARK, "too_dark", 40.0, illumination=31.0),
        TrackEnded(at=after(96), **TOO_DARK, track_id=4, frames=35, duration_s=1.4, nearest_px=143.0, shots=0,
                   refusals=("too_dark",)),
    ]  # fmt: skip


def write(data_dir: Path, *events: Event) -> None:
    journal = Journal.open(journal_path(data_dir), ManualClock(AT))
    for event in events:
        journal.record(event)
    journal.close()


@pytest.fixture
def data_dir(tmp_path, monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield tmp_path / "data"
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def edged(data_dir):
    return partial(run_edged, env={"EDGED_DATA_DIR": str(data_dir)})


# --- the documentation --------------------------------------------------------------------------------------


SAMPLES = re.findall(r"```console\n\$ edged ([^\n]*)\n(.*?)```", DOCS.read_text(), re.DOTALL)
COMMANDS = re.findall(r"^\|.*\| `edged (.+?)` \|$", DOCS.read_text(), re.MULTILINE)


@pytest.mark.parametrize(("command", "expected"), SAMPLES)
def test_every_sample_of_the_documentation_is_what_the_command_prints(edged, data_dir, command, expected):
    write(data_dir, *morning())

    code, out, err = edged(*shlex.split(command))

    assert (code, err) == (0, "")
    assert _trimmed(out) == _trimmed(expected)


def _trimmed(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip().splitlines()]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_documentation_works(edged, data_dir, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    write(data_dir, *morning())

    code, _, err = edged(*shlex.split(command))

    assert code == 0, err


def test_the_documentation_has_samples():
    assert len(SAMPLES) >= 4
    assert len(COMMANDS) >= 8


# --- listing ------------------------------------------------------------------------------------------------


def test_lists_json_lines(edged, data_dir):
    write(data_dir, *morning())

    _, out, _ = edged("records", "list", "--json", "--outcome", "granted")

    (record,) = map(json.loads, out.splitlines())
    assert (record["seq"], record["event"], record["person_name"]) == (5, "access_decided", "Mara Lind")


def test_nothing_found_is_no_failure(edged, data_dir):
    write(data_dir, *morning())

    assert edged("records", "list", "--person", "nobody") == (0, "", "No records fit.\n")


def test_a_long_name_is_not_cut_off_in_a_pipe(edged, data_dir):
    write(data_dir, decided(0, GRANTED, "d_1", person_name="M" * 90))

    assert "M" * 90 in edged("records", "list")[1]


def test_a_name_cannot_command_the_terminal_or_the_table(edged, data_dir):
    write(data_dir, decided(0, GRANTED, "d_1", person_name="\x1b[31m[bold]Eve"))

    for command in (("records", "list"), ("why", "1")):
        assert "?[31m[bold]Eve" in edged(*command)[1]


@pytest.mark.parametrize("time_text", ["tomorrow", "12", "2026-13-01", "99999999d", "-3h", ""])
def test_a_time_that_is_none_says_how_to_write_one(edged, data_dir, time_text):
    code, _, err = edged("records", "list", f"--since={time_text}")

    assert code == 2
    assert "2026-11-21T08:30" in " ".join(err.split())


def test_an_event_that_is_none_is_no_empty_list(edged, data_dir):
    write(data_dir, *morning())

    code, _, err = edged("records", "list", "--event", "gate_los")

    assert code == 2
    assert "did you mean gate_lost" in " ".join(err.replace("│", "").split())


def test_a_time_is_of_the_machine_unless_it_names_its_zone(edged, data_dir, monkeypatch):
    monkeypatch.setenv("TZ", "XYZ-2")  # two hours ahead of UTC
    time.tzset()
    write(data_dir, *morning())

    _, local, _ = edged("records", "list", "--until", "2026-11-21T10:30:05", "--json")
    _, named, _ = edged("records", "list", "--until", "2026-11-21T08:30:05Z", "--json")

    assert local == named
    assert [json.loads(line)["seq"] for line in local.splitlines()] == [5]


# --- exporting ----------------------------------------------------------------------------------------------


def test_exports_decisions_as_csv_the_oldest_first(edged, data_dir):
    write(data_dir, *morning())

    _, out, _ = edged("records", "export")

    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["outcome"] for row in rows] == ["granted", "denied", "denied"]
    assert rows[1]["meaning"] == "the same person was let in only a moment ago"
    assert rows[1]["at"] == "2026-11-21T08:30:07.125Z"


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "\r=1", "\n=1"])
def test_a_name_is_no_formula_in_a_spreadsheet(edged, data_dir, name):
    write(data_dir, decided(0, GRANTED, "d_1", person_name=name, score=-1.5))

    _, out, _ = edged("records", "export")

    (row,) = csv.DictReader(io.StringIO(out, newline=""))
    assert row["person_name"] == "'" + re.sub(r"\s", " ", name)
    assert row["score"] == "-1.5"


def test_exports_everything_as_json_lines_into_a_file(edged, data_dir, tmp_path):
    write(data_dir, *morning())
    out = tmp_path / "all.jsonl"

    code, printed, err = edged("records", "export", "--all", "--format", "jsonl", "--output", str(out))

    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert (code, printed) == (0, "")
    assert f"{len(morning())} records written" in err
    assert [line["seq"] for line in lines] == list(range(1, len(morning()) + 1))


def test_a_file_that_cannot_be_written_is_named(edged, data_dir, tmp_path):
    write(data_dir, *morning())

    code, _, err = edged("records", "export", "--output", str(tmp_path / "no" / "such" / "folder.csv"))

    assert code == 69
    assert "folder.csv cannot be written" in err


# --- asking why, and trouble --------------------------------------------------------------------------------


def test_why_as_json_holds_the_explanation_and_its_records(edged, data_dir):
    write(data_dir, *morning())

    _, out, _ = edged("why", "d_1m7y6v0wyv3kxs1b", "--json")

    answer = json.loads(out)
    assert answer["explanation"].startswith("Granted to Mara Lind")
    assert answer["relay"]["acknowledged"] is True
    assert [r["event"] for r in answer["records"]][-2:] == ["door_unlocked", "door_locked"]


def test_an_unknown_id_names_those_that_look_like_it(edged, data_dir):
    write(data_dir, *morning())

    code, out, err = edged("why", "p_1m7y6v3dy43xffnx")

    assert (code, out) == (66, "")
    assert "Did you mean p_1m7y6v3dy43xffnj" in err


def test_a_record_without_a_passage_has_no_why(edged, data_dir):
    write(data_dir, morning()[0])

    code, out, err = edged("why", "1")

    assert (code, out) == (66, "")
    assert "Record 1 is gate_lost, which belongs to no passage." in err


@pytest.mark.parametrize("command", ["records list", "records export", "records verify", "why 1"])
def test_before_the_first_start_there_is_no_journal_and_none_is_made(edged, data_dir, command):
    code, out, err = edged(*command.split())

    assert (code, out) == (66, "")
    assert f"no journal yet at {data_dir / 'journal.sqlite3'}" in err
    assert not data_dir.exists()


def test_reads_while_the_daemon_writes(edged, data_dir):
    journal = Journal.open(journal_path(data_dir), ManualClock(AT))
    journal.commit_decision(decided(0, GRANTED, "d_1"))

    assert edged("why", "d_1")[0] == 0
    assert edged("records", "verify")[1] == "1 records, none missing, the file is undamaged.\n"

    journal.close()


def test_verify_tells_missing_records(edged, data_dir):
    write(data_dir, *morning())
    journal = Journal.open(journal_path(data_dir), ManualClock(AT))
    with journal._database.transaction() as connection:
        connection.execute("DELETE FROM records WHERE seq IN (2, 3)")
    journal.close()

    code, _, err = edged("records", "verify")

    assert code == 69
    assert "2 of 15 records are missing" in err
