"""The demo gate with the cloud engine only, against `edged serve` in a process of its own."""

import json
import os
import subprocess
import sys

import pytest

DEADLINE_S = 240.0


@pytest.mark.parametrize("engine", ["cloud", "hybrid"])
def test_the_demo_plays_on_a_recognition_server_in_another_process(engine, tmp_path):
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "edged",
            "demo",
            "--json",
            "--engine",
            engine,
            "--speed",
            "2",
            "--data-dir",
            tmp_path,
        ],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        env={**os.environ, "EDGED_CLOUD_API_KEY": "of-a-real-cloud", "EDGED_CLOUD_SECRET_KEY": "its-secret"},
    )
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    decisions = [event for event in events if event["event"] == "access_decided"]
    granted = {event["person_name"] for event in decisions if event["outcome"] == "granted"}
    denied = [event for event in decisions if event["outcome"] == "denied"]
    assert granted == {"Jacinda Ardern", "Emmanuel Macron", "Barack Obama"}
    assert denied
    assert len({event["passage_id"] for event in decisions}) == len(decisions)
    engines = {event["engine"] for event in decisions if event["engine"]}
    assert engines == ({"cloud"} if engine == "cloud" else engines & {"local", "cloud"})
    assert all(event["person_id"] is None for event in denied if "not_recognised" in event["reasons"])
    unlocked = [event for event in events if event["event"] == "door_unlocked"]
    assert len(unlocked) == len([event for event in decisions if event["outcome"] == "granted"])
