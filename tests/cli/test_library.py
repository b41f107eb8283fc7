"""`edged library` and `edged people consent` from end to end, with a cloud on a real socket."""

from __future__ import annotations

import json
import shlex

import pytest
from cloud_box import Box, face_token
from cloud_library import TOKEN
from command_line import Ended, run_edged
from places import PROJECT


@pytest.fixture
def config(monkeypatch, tmp_path, cloud):
    config = tmp_path / "edged.yaml"
    config.write_text(
        f"site: test\nrecognition:\n  engine: cloud\n  cloud:\n    url: {cloud.url}\n    auth: token\n"
    )
    monkeypatch.setenv("EDGED_CLOUD_TOKEN", TOKEN)
    return config


@pytest.fixture
def box(tmp_path, cloud, config):
    """Changes the library while no command runs; its clock stands months ago, so all of it has settled."""
    box = Box(tmp_path / "data", cloud)
    yield box
    box.close()


@pytest.fixture
def edged(tmp_path, config):
    def run(*arguments: object) -> Ended:
        known = {"EDGED_CONFIG": str(config), "EDGED_CLOUD_TOKEN": TOKEN}
        return run_edged(*arguments, "--data-dir", tmp_path / "data", env=known)

    return run


# -- consent


def test_consent_is_given_shown_and_withdrawn(edged, box):
    box.enrol("anna", 1, consent=False)
    given = edged("people", "consent", "anna", "--give", "--by", "Office", "--note", "form 12")
    assert given.returncode == 0, given.stderr
    assert "cloud given, recorded by Office: form 12" in given.stdout
    assert "cloud: given" in edged("people", "show", "anna").stdout
    edged("people", "consent", "anna", "--withdraw", "--by", "Anna")
    assert "cloud: withdrawn" in edged("people", "show", "anna").stdout
    ledger = edged("people", "consent", "anna", "--json").json["consents"]
    assert [(entry["given"], entry["recorded_by"]) for entry in ledger] == [(True, "Office"), (False, "Anna")]


def test_other_purposes_are_kept_apart(edged, box):
    box.enrol("anna", 1, consent=False)
    edged("people", "consent", "anna", "--purpose", "attendance", "--give", "--by", "Office")
    assert not box.store.has_cloud_consent("anna")
    assert "attendance: given" in edged("people", "show", "anna").stdout


def test_a_consent_without_a_decision_is_wrong_usage_and_not_lost_in_silence(edged, box):
    box.enrol("anna", 1, consent=False)
    answer = edged("people", "consent", "anna", "--by", "Office")
    assert answer.returncode == 2
    assert "--give or --withdraw" in answer.stderr
    assert box.store.consents("anna") == ()


def test_somebody_has_to_sign_for_a_consent(edged, box):
    box.enrol("anna", 1, consent=False)
    answer = edged("people", "consent", "anna", "--give")
    assert answer.returncode == 78
    assert "--by" in answer.stderr
    assert box.store.consents("anna") == ()


def test_consents_are_exported_with_the_people(edged, box):
    box.enrol("anna", 1)
    box.enrol("bert", 2, consent=False)
    people = [json.loads(line) for line in edged("people", "export").stdout.splitlines()]
    assert [(p["person_id"], [c["given"] for c in p["consents"]]) for p in people] == [
        ("anna", [True]),
        ("bert", []),
    ]
    assert len(people[0]["face_list"]) == 1


# -- the guide


def test_the_commands_of_the_guide_work(edged, box, cloud):
    page = (PROJECT / "docs" / "cloud.md").read_text("utf-8")
    _, chapter = page.split("## People in the cloud: consent, sync, erase")
    commands = [line[2:] for line in chapter.split("\n## ")[0].splitlines() if line.startswith("$ ")]
    assert len(commands) > 5
    box.enrol("Anna_Schmidt", 1, consent=False)
    box.enrol("bert", 2)
    box.settle()
    for command in commands:
        program, *arguments = shlex.split(command)
        assert program == "edged"
        answer = edged(*arguments)
        assert answer.returncode == 0, (command, answer.stdout, answer.stderr)


# -- differences and repair


def test_diff_says_the_same_with_exit_code_0_and_a_difference_with_1(edged, box, cloud):
    box.enrol("anna", 1)
    differs = edged("library", "diff", "--json")
    assert differs.returncode == 1
    assert differs.json["groups"][0]["missing"] == ["anna"]
    box.settle()
    same = edged("library", "diff")
    assert (same.returncode, same.stdout) == (0, "group default: 1 the same\n")


def test_a_dry_run_changes_nothing_and_apply_repairs(edged, box, cloud):
    box.enrol("anna", 1)
    box.settle()
    box.enrol("bert", 2)
    del cloud.users["default", "anna"]
    before = dict(cloud.users)
    dry = edged("library", "sync", "--dry-run")
    assert dry.returncode == 1
    assert "missing    anna" in dry.stdout
    assert cloud.users == before
    applied = edged("library", "sync", "--apply")
    assert applied.returncode == 0, applied.stderr + applied.stdout
    assert cloud.faces("default", "anna") == [face_token(1)]
    assert cloud.faces("default", "bert") == [face_token(2)]


def test_strangers_in_the_cloud_are_only_deleted_when_asked_for(edged, box, cloud):
    cloud.groups["default"] = "general"
    cloud.users["default", "stranger"] = {"x": b""}
    assert edged("library", "sync", "--apply").returncode == 0
    assert cloud.users
    assert "extra      stranger" in edged("library", "diff").stdout
    assert edged("library", "sync", "--apply", "--delete-extra").returncode == 0
    assert cloud.users == {}
    assert edged("library", "diff").returncode == 0


def test_what_cannot_be_repaired_is_said_with_its_reason(edged, box, cloud):
    cloud.unusable = {face_token(1)}
    box.enrol("anna", 1)
    answer = edged("library", "sync", "--apply", "--json")
    assert answer.returncode == 1
    assert list(answer.json) == ["groups"]  # nothing else on standard output
    assert "not brought into line" in answer.stderr
    status = edged("library", "status")
    assert "anna: set aside: " in status.stdout
    assert "222202" in status.stdout
    assert edged("library", "status", "--json").json["set_aside"] == 1


def test_an_unreachable_cloud_is_a_reason_to_try_later(edged, box, cloud):
    cloud.stop()
    answer = edged("library", "diff")
    assert answer.returncode == 75
    assert answer.stderr


def test_status_counts_the_calls(edged, box, cloud):
    assert edged("library", "status", "--json").json["calls"] == {}
    box.enrol("anna", 1)
    edged("library", "sync", "--apply")
    calls = edged("library", "status", "--json").json["calls"]
    assert calls["user_add"] == {"today": 1, "total": 1}
    assert "user_add        1 today, 1 in all" in edged("library", "status").stdout


def test_status_asks_nothing_of_the_cloud(edged, box, cloud):
    box.enrol("anna", 1)
    status = edged("library", "status", "--json").json
    assert (status["waiting"], status["people"], status["erasures"]) == (1, 0, 0)
    assert status["entries"][0]["cloud_id"] == "anna"
    assert cloud.calls == []


def test_after_recognition_was_brought_back_to_the_box_sync_takes_everybody_out_of_the_cloud(
    edged, box, cloud, config
):
    box.enrol("anna", 1)
    box.settle()
    config.write_text(config.read_text().replace("engine: cloud", "engine: local"))
    assert edged("library", "sync", "--apply").returncode == 0
    assert cloud.users == {}


# -- erasing


def test_remove_waits_for_the_confirmation_of_the_cloud(edged, box, cloud):
    box.enrol("anna", 1)
    box.settle()
    answer = edged("people", "remove", "anna", "--yes", "--wait", 30)
    assert answer.returncode == 0, answer.stderr
    assert "confirmed the erasure" in answer.stdout
    assert cloud.users == {}
    assert edged("library", "status", "--json").json["erasures"] == 0


def test_remove_without_the_cloud_erases_here_and_says_what_is_left_to_do(edged, box, cloud):
    box.enrol("anna", 1)
    box.settle()
    cloud.stop()
    answer = edged("people", "remove", "anna", "--yes")
    assert answer.returncode == 0
    assert "queued" in answer.stdout
    assert box.store.find("anna") is None
    status = edged("library", "status", "--json")
    assert status.json["erasures"] == 1
    assert "Name of" not in status.stdout


def test_remove_says_when_the_cloud_has_not_confirmed_in_time(edged, box, cloud):
    box.enrol("anna", 1)
    box.settle()
    cloud.lingering = 1000
    answer = edged("people", "remove", "anna", "--yes", "--wait", 0.2)
    assert answer.returncode == 75
    assert "has not confirmed" in answer.stderr


def test_removing_somebody_who_was_never_sent_asks_nothing_of_the_cloud(edged, box, cloud):
    box.enrol("anna", 1, consent=False)
    answer = edged("people", "remove", "anna", "--yes", "--wait", 5)
    assert (answer.returncode, answer.stdout) == (0, "removed anna\n")
    assert cloud.calls == []
