"""The samples of docs/cloud.md are what the program takes."""

import re

import pytest
import yaml
from places import PROJECT

from edged.config.recognition_section import CloudConfig
from edged.config.schema import Config
from edged.faceapi.endpoint import endpoint_from

PAGE = (PROJECT / "docs" / "cloud.md").read_text()
SAMPLES = [sample for sample in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if "recognition:" in sample]


@pytest.mark.parametrize("sample", SAMPLES)
def test_every_configuration_of_the_page_is_valid(sample):
    cloud = Config.model_validate(yaml.safe_load(sample)).recognition.cloud
    endpoint_from(cloud)


def test_the_page_names_every_way_in():
    ways = CloudConfig.model_json_schema()["properties"]["auth"]["enum"]
    assert all(f"| `{way}` |" in PAGE for way in ways)
