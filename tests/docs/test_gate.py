"""What docs/gate.md says to write and to type is right: samples, options, protocols, commands."""

from __future__ import annotations

import re

import pytest
import yaml
from places import PROJECT
from typer.main import get_command

from edged.cli.gate_command import app
from edged.config import Config
from edged.gate.drivers.registry import DRIVERS
from edged.gate.sim.url import _OPTIONS, simulators

PAGE = (PROJECT / "docs" / "gate.md").read_text("utf-8")


@pytest.mark.parametrize("sample", re.findall(r"```yaml\n(.*?)```", PAGE, re.S))
def test_every_sample_is_a_valid_configuration(sample):
    Config.model_validate(yaml.safe_load(sample))


def test_every_gate_command_is_described_and_no_other():
    told = set(re.findall(r"^edged gate ([a-z-]+)", PAGE, re.M))
    assert told == set(get_command(app).commands)


def test_every_option_of_simulated_boards_is_described_and_no_other():
    told = set(re.findall(r"^\| `([a-z_]+)=", PAGE, re.M))
    assert told == set(_OPTIONS)


def test_every_simulated_board_is_named():
    assert {name for name in simulators() if f"`sim:{name}`" not in PAGE} == set()


def test_every_protocol_is_named():
    assert {name for name in DRIVERS if f"`{name}`" not in PAGE and f"protocol: {name}" not in PAGE} == set()


def test_every_step_of_the_checklist_is_described():
    section = PAGE[PAGE.index("`edged gate test` is the commissioning checklist") :]
    assert re.findall(r"^\| `([a-z]+)` \|", section, re.M)[:6] == [
        "connect",
        "off",
        "on",
        "pulse",
        "inputs",
        "plug",
    ]
