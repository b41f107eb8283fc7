"""The demo is built on the product, never the other way round."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import edged
from edged.camera.registry import SCHEMES

ROOT = Path(edged.__file__).parent
MAY_IMPORT_THE_DEMO = {"cli/demo_command.py"}


def imported(source: str) -> set[str]:
    """Every module that `source` imports, at the top or inside a function."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def imports_the_demo(source: str) -> bool:
    names = imported(source) if "demo" in source else ()  # parsing every file would take seconds
    return any(name == "edged.demo" or name.startswith("edged.demo.") for name in names)


@pytest.mark.parametrize(
    "source",
    ["import edged.demo", "from edged import demo", "def f():\n    from edged.demo.people import enrol_all"],
)
def test_the_search_finds_an_import_of_the_demo(source):
    assert imports_the_demo(source)


def test_only_the_command_for_the_demo_imports_it():
    files = {path.relative_to(ROOT).as_posix(): path for path in ROOT.rglob("*.py")}
    guilty = {name for name, path in files.items() if imports_the_demo(path.read_text(encoding="utf-8"))}
    assert {name for name in guilty if not name.startswith("demo/")} == MAY_IMPORT_THE_DEMO


def test_the_camera_registry_names_the_scene_without_importing_it():
    assert SCHEMES["demo"] == "edged.demo.scene"
