"""What docs/doors.md and docs/wiring.md say to write, type and expect is right."""

from __future__ import annotations

import re

import pytest
import yaml
from places import PROJECT
from typer.main import get_command

from edged.cli.door_command import app
from edged.config import Config
from edged.gate.door.model import DoorMode, DoorState, RaisedAlarm
from edged.reasons import known_codes

DOCS = PROJECT / "docs"
DOORS = (DOCS / "doors.md").read_text("utf-8")
WIRING = (DOCS / "wiring.md").read_text("utf-8")
ALARMS = set(re.findall(r"`(\w+)`", str(RaisedAlarm.__doc__)))


@pytest.mark.parametrize("sample", re.findall(r"```yaml\n(.*?)```", DOORS + WIRING, re.S))
def test_every_sample_is_a_valid_configuration(sample):
    Config.model_validate(yaml.safe_load(sample))


def test_every_command_is_described_and_no_other():
    assert set(re.findall(r"^edged door ([a-z-]+)", DOORS, re.M)) == set(get_command(app).commands)


def test_every_state_mode_and_alarm_is_described_and_no_other():
    rows = re.findall(r"^\| `(\w+)` \|", DOORS, re.M)
    assert set(rows) == {*DoorState, *DoorMode, *ALARMS}


def test_every_alarm_has_words_for_people():
    assert set(known_codes()) >= ALARMS


def test_the_checklist_has_the_steps_of_edged_gate_test():
    source = (DOCS.parent / "edged" / "gate" / "commissioning" / "checklist.py").read_text("utf-8")
    section = WIRING[WIRING.index("## Commissioning") :]
    steps = re.findall(r"^\|[^|]*\| `([a-z]+)` \|", section, re.M)
    assert steps == ["connect", "off", "on", "pulse", "inputs", "plug"]
    assert all(f'"{step}"' in source for step in steps)
