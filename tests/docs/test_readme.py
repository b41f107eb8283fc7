"""What README.md tells people to type and to write works as it stands there."""

import re
import subprocess
import sys

import pytest
import yaml
from places import PROJECT

from edged import events
from edged.config import Config
from edged.events.base import event_name

ROOT = PROJECT
README = (ROOT / "README.md").read_text("utf-8")


def fenced(language):
    return [block.replace("\n   ", "\n") for block in re.findall(rf"```{language}\n(.*?)```", README, re.S)]


@pytest.mark.parametrize("sample", fenced("yaml"))
def test_every_yaml_sample_is_a_valid_configuration(sample):
    Config.model_validate(yaml.safe_load("\n".join(line.removeprefix("   ") for line in sample.splitlines())))


def commands():
    lines = [
        line.split("#")[0].strip().removeprefix("sudo -u edged ")
        for block in fenced("sh")
        for line in block.splitlines()
    ]
    return sorted({line for line in lines if line.startswith("edged ")})


@pytest.mark.parametrize("command", commands())
def test_every_edged_command_exists(command):
    words = command.split()[1:]
    names = words[:2] if words[0] in ("people", "records") else words[:1]
    done = subprocess.run(
        [sys.executable, "-m", "edged", *names, "--help"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_every_link_leads_somewhere(path):
    assert (ROOT / path).exists()


def test_every_page_is_named():
    assert [page.name for page in (ROOT / "docs").glob("*.md") if f"docs/{page.name}" not in README] == []


def test_every_package_and_module_has_its_place_in_the_house():
    house = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    modules = {path.stem for path in (ROOT / "edged").iterdir() if not path.name.startswith(("_", "py."))}
    assert [name for name in modules if f"edged/{name}" not in house and f"`{name}`" not in house] == []


def test_every_event_is_described():
    page = (ROOT / "docs" / "events.md").read_text("utf-8")
    kinds = [
        kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, events.Event)
    ]
    names = {event_name(kind) for kind in kinds} - {"event"}
    assert [name for name in sorted(names) if f"`{name}`" not in page] == []


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda p: p.name)
def test_every_link_between_pages_leads_somewhere(page):
    for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8")):
        assert (page.parent / link).exists(), link


@pytest.mark.parametrize("script", ["run", "test", "setup", "bench", "fetch-models", "demo-picture"])
def test_scripts_can_be_run(script):
    path = ROOT / "scripts" / script
    assert path.stat().st_mode & 0o111
    assert path.read_text("utf-8").startswith("#!")
