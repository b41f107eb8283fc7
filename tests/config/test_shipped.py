"""What is shipped agrees with the schema: config/edged.yaml, the examples, the table and the JSON Schema."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from places import PROJECT

from edged.config import Config, load, load_config
from edged.config.advice import advise
from edged.config.export import json_schema, markdown_table
from edged.config.fields import keys
from edged.config.yaml_lines import parse

SHIPPED = PROJECT / "config" / "edged.yaml"
EXAMPLES = sorted((PROJECT / "config" / "examples").glob("*.yaml"))


def written(path: Path) -> dict[tuple[str | int, ...], object]:
    """Every value of the file by its path; sections themselves are left out."""
    document = parse(path.read_bytes(), str(path))

    def value(key):
        data = document.data
        for part in key:
            data = data[part]
        return data

    return {key: value(key) for key in document.positions if not isinstance(value(key), dict)}


def test_the_shipped_file_loads_to_exactly_the_defaults():
    assert load_config(SHIPPED, environ={}) == Config()


def test_the_shipped_file_shows_every_key_with_its_default():
    shown = {key: value for key, value in written(SHIPPED).items() if all(isinstance(p, str) for p in key)}
    assert shown == {key.path: key.default for key in keys().values() if not (key.section or key.in_list)}


def test_the_shipped_file_explains_more_than_it_sets_in_lines_that_fit_a_terminal():
    lines = SHIPPED.read_text(encoding="utf-8").splitlines()
    assert sum(line.lstrip().startswith("#") for line in lines) >= sum(
        not key.in_list for key in keys().values()
    )
    assert max(map(len, lines)) <= 120


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_every_example_loads_and_advice_about_it_is_only_about_this_machine_or_the_board(path):
    remarks = advise(load(path, environ={}), lambda _: True)
    assert {r.key for r in remarks} <= {"gate.mode"}


def test_there_are_examples():
    assert {p.stem for p in EXAMPLES} >= {"usb-camera-lcus-gate", "rtsp-strike-hold"}


def test_the_documentation_holds_the_table_of_the_schema():
    assert markdown_table() in (PROJECT / "docs" / "configuration.md").read_text(encoding="utf-8")


def test_every_key_has_a_description():
    assert [key.name for key in keys().values() if not key.description] == []


def test_the_json_schema_is_plain_json_and_names_its_dialect():
    schema = json.loads(json.dumps(json_schema()))
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_the_json_schema_refuses_unknown_keys_everywhere():
    schema = json_schema()
    sections = [schema, *schema["$defs"].values()]
    assert all(section["additionalProperties"] is False for section in sections)


def test_the_json_schema_lets_a_section_be_empty_and_a_camera_be_a_number():
    schema = json_schema()
    assert {"type": "null"} in schema["properties"]["gate"]["anyOf"]
    assert "integer" in schema["$defs"]["CameraConfig"]["properties"]["source"]["type"]
