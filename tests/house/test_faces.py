"""Public faces: a package exports what others use of it, or names the module in its docstring."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from places import PROJECT

PACKAGE = PROJECT / "edged"
FACES = {path.parent.name: path for path in sorted(PACKAGE.glob("*/__init__.py"))}
IMPORT = re.compile(r"^ *from edged\.(\w+)([\w.]*) import (\([^)]*\)|.*)", re.M)
NAMED = re.compile(r"`([\w.]+)`")


class Use(NamedTuple):
    """The file `by` of another package imports `name` from `module` of `package`, past its face."""

    package: str
    module: str
    name: str
    by: str


def source_of(package: str, dotted: str) -> Path | None:
    path = PACKAGE.joinpath(package, *dotted.split("."))
    found = (path.with_suffix(".py"), path / "__init__.py")
    return next((file for file in found if file.is_file()), None)


@cache
def uses() -> tuple[Use, ...]:
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        by = path.relative_to(PACKAGE)
        for package, inner, names in IMPORT.findall(path.read_text("utf-8")):
            if package not in FACES or package == by.parts[0]:
                continue
            for name in re.findall(r"\w+", re.sub(r"#.*| as \w+", "", names)):
                module = f"{inner}.{name}" if source_of(package, f"{inner}.{name}"[1:]) else inner
                if module and (inner or name not in face(package)[1]):
                    found.append(Use(package, module[1:], name, str(by)))
    return tuple(found)


@cache
def face(package: str) -> tuple[tuple[str, ...], frozenset[str]]:
    """Names in backticks in the docstring of `package`, and the names it exports."""
    tree = ast.parse(FACES[package].read_text("utf-8"))
    exported: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            exported |= set(ast.literal_eval(node.value))
    return tuple(NAMED.findall(ast.get_docstring(tree) or "")), frozenset(exported)


def is_named(package: str, module: str) -> bool:
    """Whether the face names `module` or something in it."""
    return any(f"{name}.".startswith(f"{module}.") for name in face(package)[0])


def test_every_module_that_another_package_uses_stands_on_the_face_of_its_own():
    assert uses()
    assert [use for use in uses() if not is_named(use.package, use.module)] == []


def test_what_a_package_exports_is_imported_from_the_package():
    assert [use for use in uses() if use.name in face(use.package)[1]] == []


@pytest.mark.parametrize("package", FACES)
def test_a_face_names_nothing_that_is_gone(package):
    for name in face(package)[0]:
        module, _, member = name.rpartition(".")
        if module and source_of(package, name.split(".")[0]) and not source_of(package, name):
            source = source_of(package, module)
            assert source, name
            assert re.search(rf"^(class |def )?{member}\b", source.read_text("utf-8"), re.M), name


def test_only_these_imports_by_name_cross_packages_out_of_sight_of_the_import_contract():
    by_name = set()
    for path in PACKAGE.rglob("*.py"):
        by, source = path.relative_to(PACKAGE), path.read_text("utf-8")
        if "import_module" not in source:
            continue
        for package, inner in re.findall(r'"edged\.(\w+)\.([\w.]+)"', source):
            if package != by.parts[0] and source_of(package, inner):
                by_name.add((str(by), f"{package}.{inner}"))
    assert by_name == {
        ("camera/registry.py", "demo.scene"),
        ("config/gate_boards.py", "gate.drivers.registry"),
    }
