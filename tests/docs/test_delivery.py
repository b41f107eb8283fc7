"""The samples of docs/delivery.md do what the text says."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import pytest
import yaml
from command_line import run_edged
from places import PROJECT

from edged.clock import SystemClock
from edged.config import load_config
from edged.delivery.records import RecordMaker
from edged.delivery.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from edged.delivery.target_secrets import NAMES
from edged.delivery.targets.home_assistant import announcements
from edged.record import Record

TEXT = (PROJECT / "docs" / "delivery.md").read_text(encoding="utf-8")


def samples(language):
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def test_the_configuration_loads_and_shows_every_kind(tmp_path):
    file = tmp_path / "edged.yaml"
    file.write_text(samples("yaml")[0])
    delivery = load_config(file, environ={}).delivery
    assert {target.kind for target in delivery.targets} == {"http", "webhook", "mqtt", "file", "frappe"}


def test_the_secrets_are_of_the_targets_and_names_there_are():
    secrets = yaml.safe_load(samples("yaml")[1])
    targets = {t["name"] for t in yaml.safe_load(samples("yaml")[0])["delivery"]["targets"]}
    assert secrets.keys() <= targets
    assert {name for mine in secrets.values() for name in mine} == set(NAMES)


def test_the_sample_record_has_the_keys_of_a_real_one_in_their_order():
    sample = json.loads(samples("json")[0])
    payload = {
        "event": "access_decided", "outcome": "granted", "reasons": ["granted"], "decision_id": "d",
        "person_id": "m", "person_name": "M", "groups": ["g"], "track_id": 1, "direction": "in", "score": 1,
        "threshold": 1, "margin": 1,
        "engine": "local", "liveness": {"score": 0.9, "passed": True}, "timings_ms": {"a": 1.0},
    }  # fmt: skip
    record = Record(
        seq=1041, at=datetime(2026, 11, 21, tzinfo=UTC), event="access_decided", passage_id="p",
        door_id="door1", camera_id="cam1", decision_id="d", person_id="m", outcome="granted", reason=None,
        score=1.0, payload=payload, clock="synchronised",
    )  # fmt: skip
    made = RecordMaker(sample["deviceId"], "x", SystemClock()).make(record).body
    assert list(made) == list(sample)
    assert made["recordId"] == sample["recordId"]


def test_the_answers_are_json():
    assert [sorted(json.loads(sample)) for sample in samples("json")[1:]] == [
        ["errorCode", "recordId"],
        ["recordIds", "refused"],
    ]


def test_the_receivers_code_accepts_what_is_signed_now_and_nothing_else():
    names: dict = {}
    exec(samples("python")[0], names)
    now_s = int(SystemClock().now().timestamp())

    def headers(at):
        return {TIMESTAMP_HEADER: str(at), SIGNATURE_HEADER: sign("key", at, b"body")}

    assert names["is_genuine"]("key", headers(now_s), b"body")
    assert not names["is_genuine"]("key", headers(now_s - 400), b"body")
    assert not names["is_genuine"]("key", headers(now_s), b"other")
    assert not names["is_genuine"]("other", headers(now_s), b"body")


@pytest.mark.parametrize("command", sorted(set(re.findall(r"`edged delivery ([a-z]+)", TEXT))))
def test_every_command_named_there_exists(command):
    shown = run_edged("delivery", command, "--help")
    assert shown.returncode == 0
    assert command in shown.stdout


def test_nothing_that_is_announced_can_be_commanded():
    kinds = frozenset({"decision", "alarm", "punch", "event"})
    told = dict(announcements("homeassistant", "edged/box", "box", "x", kinds))
    assert not any("command" in key for content in told.values() for key in content)
