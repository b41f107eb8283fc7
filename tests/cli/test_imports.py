"""What commands load, and what modules of the command line may import. Loading is most of a short command."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import surroundings
from places import PROJECT

CLI = PROJECT / "edged" / "cli"
HEAVY = ("numpy", "cv2", "requests", "structlog", "edged.models", "edged.vision", "edged.gate.service")
PLAIN = (*HEAVY, "rich", "pydantic", "edged.config")

WORKERS = {"aim", "demo", "foreground", "gate", "inspect", "run", "serve"}
"""These commands are the worker themselves: they watch, recognise, answer, or hold a board."""

SHARED = {"admin", "clock", "errors", "events", "reasons", "record"}
"""What every module of the command line may import of edged beside its own package."""

VALUES = {"people_view": {"library"}}
"""Types of values that admin returns, for the views that print them."""


def run_and_list(*arguments: str) -> set[str]:
    """The modules a command has loaded when it ends."""
    program = (
        "import sys\nfrom edged.cli import main\n"
        "try: main(sys.argv[1:])\nexcept SystemExit: pass\n"
        "sys.stdout.write('\\n' + ' '.join(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=PROJECT,
        env=surroundings(),
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("command", [("--version",), ("gate", "list-ports")])
def test_a_command_that_asks_the_machine_loads_nothing_of_the_house(command):
    assert not run_and_list(*command) & {*PLAIN, "sqlite3"}


@pytest.mark.parametrize(
    "command",
    [("door", "open"), ("door", "status"), ("records", "list"), ("people", "list"), ("delivery", "status")],
    ids=" ".join,
)
def test_a_command_that_asks_the_box_loads_no_picture_library(command, tmp_path):
    loaded = run_and_list(*command, "--data-dir", str(tmp_path))
    assert "edged.cli.lazy" in loaded
    assert not loaded & {*HEAVY, "edged.config.schema"}


def imports_of(path: Path) -> set[str]:
    """Modules that a file imports, anywhere in it but for types only."""
    tree = ast.parse(path.read_text("utf-8"))
    typing_only = {
        id(node)
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and ast.unparse(branch.test) == "TYPE_CHECKING"
        for node in ast.walk(branch)
    }
    found = set()
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.startswith("edged.")}


MODULES = sorted(path.stem for path in CLI.glob("*.py") if path.stem != "__init__")


@pytest.mark.parametrize("module", MODULES)
def test_no_command_imports_another(module):
    imported = imports_of(CLI / f"{module}.py")
    assert not [name for name in imported if name.startswith("edged.cli.") and "_command" in name]


@pytest.mark.parametrize("module", [name for name in MODULES if name.split("_")[0] not in WORKERS])
def test_a_command_reaches_the_house_through_admin(module):
    permitted = SHARED | VALUES.get(module, set()) | {"cli"}
    if module in ("common", "check_command"):
        permitted.add("config")  # finding the configuration is what they are for
    packages = {name.split(".")[1] for name in imports_of(CLI / f"{module}.py")}
    assert packages <= permitted
